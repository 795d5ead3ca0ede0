//! The checks that every backend and queue of meanwhile passes, ours and yours.

#![forbid(unsafe_code)]
