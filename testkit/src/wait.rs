//! Waiting for what must come.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

static PATIENCE_MS: AtomicU64 = AtomicU64::new(30_000);

/// How long a check waits for what must come before it fails; 30 s unless [`set_patience`] said otherwise.
///
/// Only a broken promise takes that long: nothing that is kept is measured with it.
#[must_use]
pub fn patience() -> Duration {
    Duration::from_millis(PATIENCE_MS.load(Ordering::Relaxed))
}

/// Sets the [`patience`] of all checks of this process. Less of it finds broken backends sooner, and accuses
/// sound ones on a machine that is busy enough.
pub fn set_patience(patience: Duration) {
    let millis = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
    PATIENCE_MS.store(millis, Ordering::Relaxed);
}

/// Looks again and again until `condition` holds; fails with `what` when patience is at its end.
///
/// For what cannot be listened to: a process that has to die, a file that has to grow.
#[track_caller]
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + patience();
    let mut pause = Duration::from_millis(1);
    while !condition() {
        assert!(
            Instant::now() < deadline,
            "still not so after {:?}: {what}",
            patience()
        );
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// What `future` comes to; fails with `what` when patience is at its end.
#[track_caller]
pub(crate) fn block_on<F: Future>(what: &str, future: F) -> F::Output {
    let deadline = Instant::now() + patience();
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        assert!(
            !left.is_zero(),
            "still not so after {:?}: {what}",
            patience()
        );
        thread::park_timeout(left);
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
