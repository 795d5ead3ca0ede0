//! The line of one owner, without lock or clock: what waits, and what was drained and may come back.

use std::collections::VecDeque;
use std::mem;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use meanwhile_core::{EventId, ExitStatus, Notification};

/// One owner's endings in the order in which they were pushed: those in `runs`, then those in `fresh`.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// Drained at least once. A drain takes from the front, so all of this was pushed before anything fresh,
    /// and an ending that comes back is at its old place, because it never left it.
    runs: Vec<Run>,
    /// Never drained. A deque gives its front away cheaply, and all of it becomes a `Vec` without a copy.
    fresh: VecDeque<Notification>,
}

/// Neighbours in the line that were drained together and are on the same lease.
#[derive(Debug, Clone)]
struct Run {
    /// What the drain handed out, shared with whoever holds it.
    batch: Arc<Vec<Notification>>,
    /// Which part of the batch this is; never empty.
    range: Range<usize>,
    /// When the lease runs out. `None` lies beyond the end of the clock.
    until: Option<Instant>,
}

impl Line {
    /// Appends `ending`: whole, or shortened if the line is `capacity` long already.
    pub(crate) fn push(&mut self, mut ending: Notification, capacity: usize) {
        if self.len() >= capacity {
            shorten(&mut ending);
        }
        self.fresh.push_back(ending);
    }

    /// Takes the first `max` that are pending and leases them.
    pub(crate) fn drain(
        &mut self,
        max: usize,
        now: Instant,
        lease: Duration,
    ) -> Arc<Vec<Notification>> {
        let (returned, mut items) = self.take_returned(max, now);
        let mut fresh = self.take_fresh(max - items.len());
        if items.is_empty() {
            items = fresh;
        } else {
            items.append(&mut fresh);
        }
        let batch = Arc::new(items);
        self.lease(&batch, &returned, now.checked_add(lease));
        batch
    }

    /// Forgets those of `events` that were drained, whether their lease runs or not: a holder who was late
    /// has told them all the same.
    pub(crate) fn acknowledge(&mut self, mut events: &[EventId]) {
        while !events.is_empty() {
            if let Some(at) = self.split_off_leading(&mut events) {
                self.runs.remove(at);
            }
        }
    }

    /// Makes those of `events` that were drained pending again. Says whether there were any.
    pub(crate) fn release(&mut self, mut events: &[EventId], now: Instant) -> bool {
        let mut any = false;
        while !events.is_empty() {
            if let Some(at) = self.split_off_leading(&mut events) {
                self.runs[at].until = Some(now);
                any = true;
            }
        }
        any
    }

    /// Forgets `event`, drained or not.
    pub(crate) fn consume(&mut self, event: EventId) {
        match self.fresh.iter().position(|item| item.event_id == event) {
            Some(at) => drop(self.fresh.remove(at)),
            None => self.acknowledge(&[event]),
        }
    }

    pub(crate) fn pending(&self, now: Instant) -> usize {
        let returned = self.runs.iter().filter(|run| run.is_pending(now));
        returned.map(Run::len).sum::<usize>() + self.fresh.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.fresh.is_empty()
    }

    fn len(&self) -> usize {
        self.runs.iter().map(Run::len).sum::<usize>() + self.fresh.len()
    }

    /// Copies of up to `max` endings that came back, and the places of the runs that are made up of them.
    fn take_returned(&mut self, max: usize, now: Instant) -> (Vec<usize>, Vec<Notification>) {
        let (mut places, mut items) = (Vec::new(), Vec::new());
        let mut at = 0;
        while at < self.runs.len() && items.len() < max {
            if self.runs[at].is_pending(now) {
                let start = self.runs[at].range.start;
                let count = self.runs[at].len().min(max - items.len());
                self.split_off(at, start..start + count);
                items.extend_from_slice(self.runs[at].items());
                places.push(at);
            }
            at += 1;
        }
        (places, items)
    }

    fn take_fresh(&mut self, max: usize) -> Vec<Notification> {
        if max >= self.fresh.len() {
            // As many will come again, or fewer: a line that grows from nothing each time copies itself on the way.
            let room = self.fresh.len().min(MOST_ROOM);
            mem::replace(&mut self.fresh, VecDeque::with_capacity(room)).into()
        } else {
            self.fresh.drain(..max).collect()
        }
    }

    /// Puts `batch` on lease: the runs at `returned` first, the rest as the youngest run. The runs let go of
    /// the batch they came from, so that a few endings that nobody acknowledges do not keep all of it.
    fn lease(
        &mut self,
        batch: &Arc<Vec<Notification>>,
        returned: &[usize],
        until: Option<Instant>,
    ) {
        let run = |range| Run {
            batch: Arc::clone(batch),
            range,
            until,
        };
        let mut start = 0;
        for &at in returned {
            let end = start + self.runs[at].len();
            self.runs[at] = run(start..end);
            start = end;
        }
        if start < batch.len() {
            self.runs.push(run(start..batch.len()));
        }
        self.runs.dedup_by(|next, run| run.absorb(next));
    }

    /// Makes the longest head of `events` that stands together in one run a run of its own, and takes it off
    /// `events`; takes the first one off if it was never drained. So a batch that is named in its order, as
    /// is usual, is found and ended as a whole.
    fn split_off_leading(&mut self, events: &mut &[EventId]) -> Option<usize> {
        let (first, others) = events.split_first()?;
        let Some((at, start)) = self.find(*first) else {
            *events = others;
            return None;
        };
        let run = &self.runs[at];
        let named = run.batch[start..run.range.end].iter().zip(*events);
        let length = named
            .take_while(|(item, event)| item.event_id == **event)
            .count();
        *events = &events[length..];
        Some(self.split_off(at, start..start + length))
    }

    /// Makes `range` of the run at `at` a run of its own. Says where that is now.
    fn split_off(&mut self, at: usize, range: Range<usize>) -> usize {
        let run = self.runs[at].clone();
        let place = at + usize::from(run.range.start < range.start);
        let parts = [
            run.range.start..range.start,
            range.clone(),
            range.end..run.range.end,
        ];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        self.runs.splice(
            at..=at,
            parts.map(|range| Run {
                range,
                ..run.clone()
            }),
        );
        place
    }

    /// The run of `event`, and its index in the batch of that.
    fn find(&self, event: EventId) -> Option<(usize, usize)> {
        self.runs.iter().enumerate().find_map(|(at, run)| {
            let offset = run.items().iter().position(|item| item.event_id == event)?;
            Some((at, run.range.start + offset))
        })
    }
}

impl Run {
    fn items(&self) -> &[Notification] {
        &self.batch[self.range.clone()]
    }

    fn len(&self) -> usize {
        self.range.len()
    }

    fn is_pending(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    /// Takes `next` in, if it goes on where this run ends. Says whether it did.
    fn absorb(&mut self, next: &Self) -> bool {
        let goes_on = Arc::ptr_eq(&self.batch, &next.batch)
            && self.range.end == next.range.start
            && self.until == next.until;
        if goes_on {
            self.range.end = next.range.end;
        }
        goes_on
    }
}

/// For how many endings there is room at most in a line that was emptied: 200 KiB, until the next drain.
const MOST_ROOM: usize = 1024;

/// How many characters of a text are kept in an ending that found the line full.
const SHORT: usize = 80;

/// Takes out of `ending` what has no fixed bound and the agent can do without.
fn shorten(ending: &mut Notification) {
    if let Some(short) = first_characters(&ending.command) {
        ending.command = short.into();
    }
    ending.description = None;
    if let ExitStatus::FailedToStart(failure) = &mut ending.exit.status
        && let Some(short) = first_characters(&failure.message)
    {
        failure.message = short;
    }
}

/// `None` if the text is short enough as it is.
fn first_characters(text: &str) -> Option<String> {
    let (end, _) = text.char_indices().nth(SHORT)?;
    Some(format!("{}…", &text[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use meanwhile_core::{Ending, Exit, Owner, TaskId};

    const MINUTE: Duration = Duration::from_secs(60);

    fn push(line: &mut Line) -> EventId {
        let exit = Exit::new(Ending::lost());
        let ending = Notification::ended(TaskId::random(), Owner::default(), "true", exit);
        let event = ending.event_id;
        line.push(ending, usize::MAX);
        event
    }

    #[test]
    fn a_lease_runs_out_at_its_end_and_not_before() {
        let (mut line, start) = (Line::default(), Instant::now());
        push(&mut line);
        line.drain(1, start, MINUTE);
        let end = start + MINUTE;
        assert_eq!(line.pending(end - Duration::from_nanos(1)), 0);
        assert_eq!(line.pending(end), 1);
    }

    #[test]
    fn a_line_that_is_looked_at_again_and_again_does_not_fall_into_pieces() {
        let (mut line, now) = (Line::default(), Instant::now());
        let mut events = Vec::new();
        for _ in 0..100 {
            events.push(push(&mut line));
            line.drain(usize::MAX, now, MINUTE);
            line.release(&events, now);
        }
        assert_eq!((line.pending(now), line.runs.len()), (100, 1));
    }
}
