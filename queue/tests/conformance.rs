//! The promises of every queue.

meanwhile_testkit::queue!(meanwhile_queue::MemoryQueue::new);
