//! Waiting with a bound, under any executor.

use std::time::Duration;

use async_io::Timer;
use futures_lite::future::or;

/// What `future` resolves to, or `None` once `bound` has passed. A bound beyond the end of the clock is none.
pub(crate) async fn within<T>(bound: Duration, future: impl Future<Output = T>) -> Option<T> {
    let out_of_time = async {
        Timer::after(bound).await;
        None
    };
    or(async { Some(future.await) }, out_of_time).await
}
