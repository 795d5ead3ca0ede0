//! Backend of meanwhile on smol.

#![forbid(unsafe_code)]
