//! Benchmarks of meanwhile.

#![forbid(unsafe_code)]
