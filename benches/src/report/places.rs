//! Where files lie.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::Error;

/// The folder of the whole project.
pub(super) fn root() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.parent().unwrap_or(crate_folder).to_owned()
}

/// Where that lies which is nobody else's business.
pub(super) fn unpublished() -> PathBuf {
    root().join("target/benchmarks")
}

/// The file that a name on the command line means.
pub(super) fn saved(name: &str) -> PathBuf {
    let path = Path::new(name);
    let is_file = path
        .extension()
        .is_some_and(|extension| extension == "json")
        || path.components().count() > 1;
    match is_file {
        true => path.to_owned(),
        false => unpublished().join(format!("{name}.json")),
    }
}

/// Writes a file, and makes its folder.
pub(super) fn write(file: &Path, text: &str) -> Result<(), Error> {
    if let Some(folder) = file.parent() {
        make_folder(folder)?;
    }
    fs::write(file, text)
        .map_err(|error| Error::because(format!("cannot write {}", file.display()), error))
}

pub(super) fn make_folder(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(|error| {
        Error::because(
            format!("cannot make the folder {}", folder.display()),
            error,
        )
    })
}
