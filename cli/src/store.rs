//! The store in the state folder: tasks and notifications of all programs of this user.

use meanwhile_process::stop_orphans;
use meanwhile_queue::{Inheritance, Store, StoreError, StoreOptions};

use crate::error::Error;
use crate::state;
use crate::stdio::complain;

/// Opens the store, and ends the tasks of programs that died.
pub(crate) fn open() -> Result<Store, Error> {
    options()?.open().map_err(unusable)
}

/// Likewise for a program that has the whole screen: `warn` is told what others complain of on stderr.
pub(crate) fn open_with(warn: impl Fn(&str) + Send + Sync + 'static) -> Result<Store, Error> {
    options()?.warn(warn).open().map_err(unusable)
}

/// Likewise for a command that writes to it; `what` it writes, should that be impossible.
pub(crate) fn open_to_write(what: &str) -> Result<Store, Error> {
    writable(open()?, what)
}

/// Opens the store and does nothing else, for a launch that is to be quick.
pub(crate) fn open_for_launch() -> Result<Store, Error> {
    let store = options()?.recover_later().open().map_err(unusable)?;
    writable(store, "a launch")
}

/// Likewise for the supervisor, under the name that its launcher claimed for it.
pub(crate) fn open_as_heir(inheritance: Inheritance) -> Result<Store, Error> {
    let options = options()?.recover_later().heir(inheritance);
    options.open().map_err(unusable)
}

fn options() -> Result<StoreOptions, Error> {
    let folder = state::state_folder()?;
    Ok(StoreOptions::new(folder, stop_orphans).warn(|line| complain(line)))
}

fn unusable(error: StoreError) -> Error {
    Error::failed(format!(
        "{error} (MEANWHILE_STATE_DIR names another folder)"
    ))
}

fn writable(store: Store, what: &str) -> Result<Store, Error> {
    if store.is_read_only() {
        let folder = store.folder().display();
        return Err(Error::failed(format!(
            "cannot record {what}: the state folder {folder} is read-only (MEANWHILE_STATE_DIR names another one)"
        )));
    }
    Ok(store)
}
