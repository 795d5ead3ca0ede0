//! The promises of every backend.

meanwhile_testkit::backend!(meanwhile_thread::ThreadBackend::new);
