//! The way of events to a loop that is a future.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use meanwhile_core::Event;

use crate::local::Post;
use crate::lock;

/// Where the events of one task wait for its loop. For backends on an async runtime, whichever: any thread
/// posts, one future takes.
///
/// The channels of the runtimes would do, at a few kilobytes for each of ten thousand tasks.
#[derive(Clone, Default)]
pub struct Mailbox(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    events: VecDeque<Event>,
    taker: Option<Waker>,
}

impl Mailbox {
    /// The way in.
    #[must_use]
    pub fn post(&self) -> Post {
        let mailbox = self.clone();
        Arc::new(move |event| {
            let taker = {
                let mut waiting = lock(&mailbox.0);
                waiting.events.push_back(event);
                waiting.taker.take()
            };
            if let Some(taker) = taker {
                taker.wake();
            }
        })
    }

    /// The next event, in the order in which they were posted. Only the latest call waiting is woken.
    pub async fn next(&self) -> Event {
        poll_fn(|context| {
            let mut waiting = lock(&self.0);
            match waiting.events.pop_front() {
                Some(event) => Poll::Ready(event),
                None => {
                    waiting.taker = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").finish_non_exhaustive()
    }
}
