use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::Duration;

/// For how long this thread was ready to run and had no processor.
///
/// Linux counts it for each thread, as the second number of `schedstat`: see its `Documentation/scheduler/sched-stats.rst`.
/// A thread that sleeps in a system call, as `posix_spawn` does until the child has executed its program, is not ready to
/// run, so that this remains with whoever made the call.
pub(super) struct RunDelay {
    /// `None` where the system does not count.
    schedstat: Option<File>,
    until_now: Duration,
}

impl RunDelay {
    /// Begins to look at the thread that calls.
    pub(super) fn begin() -> Self {
        let mut begun = Self {
            schedstat: File::open("/proc/thread-self/schedstat").ok(),
            until_now: Duration::ZERO,
        };
        begun.since_last();
        begun
    }

    /// What was added since the last look.
    pub(super) fn since_last(&mut self) -> Option<Duration> {
        let before = self.until_now;
        self.until_now = self.read()?;
        Some(self.until_now.saturating_sub(before))
    }

    fn read(&self) -> Option<Duration> {
        // Three numbers of up to 20 digits.
        let mut text = [0; 64];
        let length = self.schedstat.as_ref()?.read_at(&mut text, 0).ok()?;
        let text = str::from_utf8(&text[..length]).ok()?;
        let nanoseconds = text.split_whitespace().nth(1)?.parse().ok()?;
        Some(Duration::from_nanos(nanoseconds))
    }
}
