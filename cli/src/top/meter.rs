//! Rates, from what was counted at two looks.

use std::time::{Duration, Instant};

use meanwhile_process::Usage;

use super::rows::Load;

/// The counts of one task at the last look.
#[derive(Debug)]
pub(super) struct Meter {
    at: Instant,
    written: u64,
    cpu: Option<Duration>,
    load: Load,
}

impl Meter {
    /// The first look: there are no rates yet.
    pub(super) fn start(at: Instant, written: u64, usage: Option<Usage>) -> Self {
        Self {
            at,
            written,
            cpu: usage.map(|usage| usage.cpu),
            load: Load {
                memory: usage.map(|usage| usage.resident),
                ..Load::default()
            },
        }
    }

    /// Another look. What went back counts as nothing: a process that ended takes its processor time with it, and a
    /// file may be cut off.
    pub(super) fn read(&mut self, at: Instant, written: u64, usage: Option<Usage>) {
        let passed = at.duration_since(self.at).as_secs_f64();
        if passed == 0.0 {
            return;
        }
        let rate = written.saturating_sub(self.written) as f64 / passed;
        let mut next = Self::start(at, written, usage);
        next.load.rate = Some(rate.round() as u64);
        if let (Some(now), Some(before)) = (next.cpu, self.cpu) {
            let share = now.saturating_sub(before).as_secs_f64() / passed;
            next.load.cpu = Some((share * 100.0).round() as u64);
        }
        *self = next;
    }

    pub(super) fn load(&self) -> Load {
        self.load
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(cpu: u64, resident: u64) -> Option<Usage> {
        let mut usage = Usage::default();
        usage.cpu = Duration::from_millis(cpu);
        usage.resident = resident;
        Some(usage)
    }

    #[test]
    fn rates_are_per_second_and_need_two_looks() {
        let begin = Instant::now();
        let mut meter = Meter::start(begin, 1000, usage(5000, 64));
        let mut load = Load {
            memory: Some(64),
            ..Load::default()
        };
        assert_eq!(meter.load(), load);

        meter.read(begin + Duration::from_secs(2), 3000, usage(8000, 32));
        load = Load {
            rate: Some(1000),
            cpu: Some(150),
            memory: Some(32),
        };
        assert_eq!(meter.load(), load);
    }

    #[test]
    fn what_goes_back_counts_as_nothing_and_what_is_unknown_is_left_out() {
        let begin = Instant::now();
        let mut meter = Meter::start(begin, 1000, usage(5000, 64));
        meter.read(begin + Duration::from_secs(1), 10, usage(100, 64));
        assert_eq!(meter.load().rate, Some(0));
        assert_eq!(meter.load().cpu, Some(0));
        meter.read(begin + Duration::from_secs(2), 10, None);
        assert_eq!(meter.load().cpu, None);
        assert_eq!(meter.load().memory, None);
    }
}
