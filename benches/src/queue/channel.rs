//! Channels as lines. Each is used as its documentation shows; [`Batches`] stands for those that hand out batches.

use std::iter;
use std::sync::mpsc::{self as std_mpsc, SyncSender, sync_channel};

use meanwhile_core::{Notification, Owner};
use tokio::sync::mpsc as tokio_mpsc;

use super::line::Line;

/// Why nothing that is sent is ever refused.
const OPEN: &str = "both ends of a line last as long as its contest";

/// A receiver that is asked for all there is, and not for one after the other.
#[derive(Debug)]
pub(super) struct Batches<R> {
    receiver: R,
    /// Kept between two batches, for those that fill one.
    buffer: Vec<Notification>,
}

impl<R> Batches<R> {
    fn of<E>((entrance, receiver): (E, R)) -> (E, Self) {
        let buffer = Vec::new();
        (entrance, Self { receiver, buffer })
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

impl Line for Batches<flume::Receiver<Notification>> {
    type Entrance = flume::Sender<Notification>;
    type Batch = Vec<Notification>;

    fn open(owner: &Owner, room: usize) -> (Self::Entrance, Self) {
        Self::of(<flume::Receiver<Notification>>::open(owner, room))
    }

    fn push(entrance: &Self::Entrance, item: Notification) {
        <flume::Receiver<Notification>>::push(entrance, item);
    }

    fn drain(&mut self) -> Vec<Notification> {
        self.receiver.drain().collect()
    }

    fn receive(&mut self) -> usize {
        drop(self.receiver.recv().expect(OPEN));
        1 + self.receiver.drain().count()
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

impl Line for tokio_mpsc::Receiver<Notification> {
    type Entrance = tokio_mpsc::Sender<Notification>;
    type Batch = Vec<Notification>;

    fn open(_: &Owner, room: usize) -> (Self::Entrance, Self) {
        tokio_mpsc::channel(room)
    }

    fn push(entrance: &Self::Entrance, item: Notification) {
        entrance.blocking_send(item).expect(OPEN);
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

impl Line for Batches<tokio_mpsc::Receiver<Notification>> {
    type Entrance = tokio_mpsc::Sender<Notification>;
    type Batch = Vec<Notification>;

    fn open(owner: &Owner, room: usize) -> (Self::Entrance, Self) {
        Self::of(<tokio_mpsc::Receiver<Notification>>::open(owner, room))
    }

    fn push(entrance: &Self::Entrance, item: Notification) {
        <tokio_mpsc::Receiver<Notification>>::push(entrance, item);
    }

    fn drain(&mut self) -> Vec<Notification> {
        let pending = self.receiver.len();
        let mut batch = Vec::with_capacity(pending);
        // It would wait for the first.
        if pending > 0 {
            self.receiver.blocking_recv_many(&mut batch, pending);
        }
        batch
    }

    fn receive(&mut self) -> usize {
        let count = self
            .receiver
            .blocking_recv_many(&mut self.buffer, usize::MAX);
        self.buffer.clear();
        count
    }
}

impl Line for tokio_mpsc::UnboundedReceiver<Notification> {
    type Entrance = tokio_mpsc::UnboundedSender<Notification>;
    type Batch = Vec<Notification>;

    fn open(_: &Owner, _: usize) -> (Self::Entrance, Self) {
        tokio_mpsc::unbounded_channel()
    }

    fn push(entrance: &Self::Entrance, item: Notification) {
        entrance.send(item).expect(OPEN);
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

impl Line for Batches<tokio_mpsc::UnboundedReceiver<Notification>> {
    type Entrance = tokio_mpsc::UnboundedSender<Notification>;
    type Batch = Vec<Notification>;

    fn open(owner: &Owner, room: usize) -> (Self::Entrance, Self) {
        Self::of(<tokio_mpsc::UnboundedReceiver<Notification>>::open(
            owner, room,
        ))
    }

    fn push(entrance: &Self::Entrance, item: Notification) {
        <tokio_mpsc::UnboundedReceiver<Notification>>::push(entrance, item);
    }

    fn drain(&mut self) -> Vec<Notification> {
        let pending = self.receiver.len();
        let mut batch = Vec::with_capacity(pending);
        // It would wait for the first.
        if pending > 0 {
            self.receiver.blocking_recv_many(&mut batch, pending);
        }
        batch
    }

    fn receive(&mut self) -> usize {
        let count = self
            .receiver
            .blocking_recv_many(&mut self.buffer, usize::MAX);
        self.buffer.clear();
        count
    }
}

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
