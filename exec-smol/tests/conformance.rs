//! The promises of every backend.

meanwhile_testkit::backend!(meanwhile_smol::SmolBackend::new);
