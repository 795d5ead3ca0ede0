//! `meanwhile clean`: forgetting what is over and was told.

use indicatif::BinaryBytes;

use crate::args;
use crate::error::Error;
use crate::stdio;
use crate::store;

/// Forgets the tasks and gives the program's exit code.
pub(crate) fn run(args: &args::Clean) -> Result<u8, Error> {
    let store = store::open_to_write("what is forgotten")?;
    let forgotten = store.forget(args.older_than.unwrap_or_default())?;
    let tasks = match forgotten.tasks {
        1 => "1 task".to_owned(),
        more => format!("{more} tasks"),
    };
    let bytes = BinaryBytes(forgotten.bytes);
    stdio::print(format!("Forgot {tasks} and freed {bytes} of the disk.\n").as_bytes())?;
    Ok(0)
}
