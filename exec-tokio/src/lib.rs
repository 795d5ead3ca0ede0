//! Backend of meanwhile on tokio.

#![forbid(unsafe_code)]
