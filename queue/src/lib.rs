//! Notification queues of meanwhile.

#![forbid(unsafe_code)]
