//! The operating-system half of a local task: process group and tree, spool, descriptors.
