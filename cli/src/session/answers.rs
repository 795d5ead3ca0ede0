//! What a session says.

use std::cell::RefCell;
use std::io;

use meanwhile_agent::{Notifications, ToolResult};
use smol::channel;

use super::input::{BadLine, Request};
use super::present::Present;
use crate::error::Error;
use crate::stdio::Output;

/// Presents answers and writes them, in the order of the calls.
pub(super) struct Answers {
    present: RefCell<Box<dyn Present>>,
    output: Output,
}

impl Answers {
    pub(super) fn new(present: Box<dyn Present>) -> Result<Self, Error> {
        Ok(Self {
            present: RefCell::new(present),
            output: Output::unbounded()?,
        })
    }

    pub(super) async fn request(&self, request: &Request) {
        let bytes = self.present.borrow_mut().request(request);
        self.output.write(bytes).await;
    }

    pub(super) async fn result(&self, result: &ToolResult) {
        let bytes = self.present.borrow_mut().result(result);
        self.output.write(bytes).await;
    }

    pub(super) async fn bad_line(&self, line: &BadLine) {
        let bytes = self.present.borrow_mut().bad_line(line);
        self.output.write(bytes).await;
    }

    /// Writes them and acknowledges them once they are written. What is returned then has an item, or is closed if
    /// that cannot happen any more; nobody has to wait for it.
    pub(super) async fn notifications(
        &self,
        notifications: Notifications,
    ) -> channel::Receiver<()> {
        let bytes = self.present.borrow_mut().notifications(&notifications);
        let (told, receiver) = channel::bounded(1);
        let acknowledge = move || {
            notifications.acknowledge();
            let _ = told.try_send(());
        };
        self.output.write_then(bytes, acknowledge).await;
        receiver
    }

    /// Waits until nothing can be written any more.
    pub(super) async fn broken(&self) -> io::Error {
        self.output.broken().await
    }

    /// Waits until all is written.
    pub(super) async fn finish(&self) -> io::Result<()> {
        self.output.finish().await
    }
}
