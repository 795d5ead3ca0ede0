//! Channels as lines. Each is used as its documentation shows; [`Batches`] stands for those that hand out batches.

use std::iter;
use std::sync::mpsc::{self as std_mpsc, SyncSender, sync_channel};

use meanwhile_core::{Notification, Owner};
use tokio::sync::mpsc as tokio_mpsc;

use super::line::Line;

/// Why nothing that is sent is ever refused.
const OPEN: &str = "both ends of a line last as long as its contest";

/// A channel that can hand out all there is at once.
pub(super) trait Bulk: Line {
    /// Takes all there is, without waiting.
    fn take_all(&mut self) -> Vec<Notification>;

    /// Waits until there is something, takes all of it, gets rid of it, and says of how many. `buffer` is empty before and
    /// after.
    fn receive_all(&mut self, buffer: &mut Vec<Notification>) -> usize;
}

/// A channel that is asked for all there is, and not for one after the other.
#[derive(Debug)]
pub(super) struct Batches<R> {
    receiver: R,
    /// Kept between two batches, for those that fill one.
    buffer: Vec<Notification>,
}

impl<R: Bulk> Line for Batches<R> {
    type Entrance = R::Entrance;
    type Batch = Vec<Notification>;

    fn open(owner: &Owner, room: usize) -> (Self::Entrance, Self) {
        let (entrance, receiver) = R::open(owner, room);
        let buffer = Vec::new();
        (entrance, Self { receiver, buffer })
    }

    fn push(entrance: &Self::Entrance, item: Notification) {
        R::push(entrance, item);
    }

    fn drain(&mut self) -> Vec<Notification> {
        self.receiver.take_all()
    }

    fn receive(&mut self) -> usize {
        self.receiver.receive_all(&mut self.buffer)
    }
}

impl Line for crossbeam_channel::Receiver<Notification> {
    type Entrance = crossbeam_channel::Sender<Notification>;
    type Batch = Vec<Notification>;

    fn open(_: &Owner, room: usize) -> (Self::Entrance, Self) {
        crossbeam_channel::bounded(room)
    }

    fn push(entrance: &Self::Entrance, item: Notification) {
        entrance.send(item).expect(OPEN);
    }

    fn drain(&mut self) -> Vec<Notification> {
        let mut batch = Vec::with_capacity(self.len());
        batch.extend(self.try_iter());
        batch
    }

    fn receive(&mut self) -> usize {
        drop(self.recv().expect(OPEN));
        1
    }
}

impl Line for flume::Receiver<Notification> {
    type Entrance = flume::Sender<Notification>;
    type Batch = Vec<Notification>;

    fn open(_: &Owner, room: usize) -> (Self::Entrance, Self) {
        flume::bounded(room)
    }

    fn push(entrance: &Self::Entrance, item: Notification) {
        entrance.send(item).expect(OPEN);
    }

    fn drain(&mut self) -> Vec<Notification> {
        self.try_iter().collect()
    }

    fn receive(&mut self) -> usize {
        drop(self.recv().expect(OPEN));
        1
    }
}

impl Bulk for flume::Receiver<Notification> {
    fn take_all(&mut self) -> Vec<Notification> {
        Self::drain(self).collect()
    }

    fn receive_all(&mut self, _: &mut Vec<Notification>) -> usize {
        drop(self.recv().expect(OPEN));
        1 + Self::drain(self).count()
    }
}

impl Line for kanal::Receiver<Notification> {
    type Entrance = kanal::Sender<Notification>;
    type Batch = Vec<Notification>;

    fn open(_: &Owner, room: usize) -> (Self::Entrance, Self) {
        kanal::bounded(room)
    }

    fn push(entrance: &Self::Entrance, item: Notification) {
        entrance.send(item).expect(OPEN);
    }

    fn drain(&mut self) -> Vec<Notification> {
        let mut batch = Vec::with_capacity(self.len());
        self.drain_into(&mut batch).expect(OPEN);
        batch
    }

    fn receive(&mut self) -> usize {
        drop(self.recv().expect(OPEN));
        1
    }
}

impl Line for async_channel::Receiver<Notification> {
    type Entrance = async_channel::Sender<Notification>;
    type Batch = Vec<Notification>;

    fn open(_: &Owner, room: usize) -> (Self::Entrance, Self) {
        async_channel::bounded(room)
    }

    fn push(entrance: &Self::Entrance, item: Notification) {
        entrance.send_blocking(item).expect(OPEN);
    }

    fn drain(&mut self) -> Vec<Notification> {
        let mut batch = Vec::with_capacity(self.len());
        batch.extend(iter::from_fn(|| self.try_recv().ok()));
        batch
    }

    fn receive(&mut self) -> usize {
        drop(self.recv_blocking().expect(OPEN));
        1
    }
}

/// The two receivers of tokio have the same methods, and no trait in common.
macro_rules! line_of_tokio {
    ($receiver:ident, $sender:ident, $open:expr, $send:ident) => {
        impl Line for tokio_mpsc::$receiver<Notification> {
            type Entrance = tokio_mpsc::$sender<Notification>;
            type Batch = Vec<Notification>;

            fn open(_: &Owner, room: usize) -> (Self::Entrance, Self) {
                $open(room)
            }

            fn push(entrance: &Self::Entrance, item: Notification) {
                entrance.$send(item).expect(OPEN);
            }

            fn drain(&mut self) -> Vec<Notification> {
                let mut batch = Vec::with_capacity(self.len());
                batch.extend(iter::from_fn(|| self.try_recv().ok()));
                batch
            }

            fn receive(&mut self) -> usize {
                drop(self.blocking_recv().expect(OPEN));
                1
            }
        }

        impl Bulk for tokio_mpsc::$receiver<Notification> {
            fn take_all(&mut self) -> Vec<Notification> {
                let pending = self.len();
                let mut batch = Vec::with_capacity(pending);
                // It would wait for the first.
                if pending > 0 {
                    self.blocking_recv_many(&mut batch, pending);
                }
                batch
            }

            fn receive_all(&mut self, buffer: &mut Vec<Notification>) -> usize {
                let count = self.blocking_recv_many(buffer, usize::MAX);
                buffer.clear();
                count
            }
        }
    };
}

line_of_tokio!(Receiver, Sender, tokio_mpsc::channel, blocking_send);
line_of_tokio!(
    UnboundedReceiver,
    UnboundedSender,
    |_| tokio_mpsc::unbounded_channel(),
    send
);

impl Line for std_mpsc::Receiver<Notification> {
    type Entrance = SyncSender<Notification>;
    type Batch = Vec<Notification>;

    fn open(_: &Owner, room: usize) -> (Self::Entrance, Self) {
        sync_channel(room)
    }

    fn push(entrance: &Self::Entrance, item: Notification) {
        entrance.send(item).expect(OPEN);
    }

    fn drain(&mut self) -> Vec<Notification> {
        self.try_iter().collect()
    }

    fn receive(&mut self) -> usize {
        drop(self.recv().expect(OPEN));
        1
    }
}
