//! Times as the database has them: microseconds.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

#[cfg(target_os = "linux")]
const SHARED: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const SHARED: ClockId = ClockId::Monotonic;

/// Now, on a clock that all processes of the machine share and nobody can set. It also runs while the machine sleeps.
pub(super) fn now() -> i64 {
    let now = clock_gettime(SHARED);
    now.tv_sec
        .saturating_mul(1_000_000)
        .saturating_add(now.tv_nsec / 1_000)
}

/// The moment `span` after `now`.
pub(super) fn after(now: i64, span: Duration) -> i64 {
    now.saturating_add(micros(span))
}

/// Spans that are longer than any clock runs are cut.
pub(super) fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

pub(super) fn span(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

/// A moment on the wall's clock, before 1970 too.
pub(super) fn moment(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => micros(since),
        Err(before) => -micros(before.duration()),
    }
}

pub(super) fn time(moment: i64) -> SystemTime {
    let span = Duration::from_micros(moment.unsigned_abs());
    let time = if moment < 0 {
        UNIX_EPOCH.checked_sub(span)
    } else {
        UNIX_EPOCH.checked_add(span)
    };
    time.unwrap_or(UNIX_EPOCH)
}
