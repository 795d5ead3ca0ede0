//! The Bash tool and its siblings over the tasks of meanwhile.

#![forbid(unsafe_code)]
