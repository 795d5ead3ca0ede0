//! Letting time pass, beside whatever else is waited for.

use std::time::Duration;

use smol::Timer;

/// Ends when so much time has passed.
pub(crate) async fn pause(time: Duration) {
    Timer::after(time).await;
}
