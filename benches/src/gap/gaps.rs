use std::time::{Duration, Instant};

use super::run_delay::RunDelay;
use crate::contest::Reading;
use crate::series::{Unit, quantile};

/// The longest time from one tick to the next. A single moment decides on it, be it the machine's.
pub const LONGEST_GAP: &str = "longest gap";
/// One in a hundred times from tick to tick is longer. Who hears of the ends later has more ticks to count in.
const P99_GAP: &str = "p99 gap";
/// For how long a tick was late at most, less the time for which the kernel ran others in this thread's place. Where the
/// kernel does not tell, neither this nor what follows is there.
const LONGEST_BLOCKED: &str = "longest blocked";
/// One in a hundred ticks was late for longer, counted likewise.
const P99_BLOCKED: &str = "p99 blocked";
/// For how long all ticks were late, counted likewise, divided by the number of launches. No single moment decides on it.
const BLOCKED: &str = "blocked a launch";

/// How long it is from tick to tick if nothing is in the way.
const TICK: Duration = Duration::from_micros(100);

/// The times between the ticks of one thread.
pub(super) struct Gaps {
    last: Instant,
    run_delay: RunDelay,
    gaps: Vec<Duration>,
    blocked: Vec<Duration>,
}

impl Gaps {
    /// Begins with a tick.
    pub(super) fn begin() -> Self {
        // Room enough: growing would be among what is measured.
        const ROOM: usize = 1 << 14;
        Self {
            run_delay: RunDelay::begin(),
            gaps: Vec::with_capacity(ROOM),
            blocked: Vec::with_capacity(ROOM),
            last: Instant::now(),
        }
    }

    /// Ticks if it is time to. Says whether it was.
    pub(super) fn tick(&mut self) -> bool {
        let gap = self.last.elapsed();
        if gap < TICK {
            return false;
        }
        self.last += gap;
        self.gaps.push(gap);
        if let Some(delay) = self.run_delay.since_last() {
            self.blocked.push(gap.saturating_sub(TICK + delay));
        }
        true
    }

    /// What they came to, with so many launches among them.
    pub(super) fn reading(mut self, launches: usize) -> Reading {
        self.gaps.sort_unstable();
        self.blocked.sort_unstable();
        let reading = Reading::new()
            .and(LONGEST_GAP, Unit::Seconds, seconds(&self.gaps, 1.0))
            .and(P99_GAP, Unit::Seconds, seconds(&self.gaps, 0.99));
        if self.blocked.is_empty() {
            return reading;
        }
        let blocked: Duration = self.blocked.iter().sum();
        reading
            .and(LONGEST_BLOCKED, Unit::Seconds, seconds(&self.blocked, 1.0))
            .and(P99_BLOCKED, Unit::Seconds, seconds(&self.blocked, 0.99))
            .and(
                BLOCKED,
                Unit::Seconds,
                blocked.as_secs_f64() / launches as f64,
            )
    }
}

/// The quantile in seconds; `NaN` if there is none.
fn seconds(sorted: &[Duration], share: f64) -> f64 {
    quantile(sorted, share).map_or(f64::NAN, |time| time.as_secs_f64())
}
