//! Backend of meanwhile on plain OS threads, with no async runtime.

#![forbid(unsafe_code)]
