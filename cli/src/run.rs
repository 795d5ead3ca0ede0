//! `meanwhile run`: one command as a task, left behind or followed to its end.

mod follow;
mod launch;
mod order;

pub(crate) use self::order::Order;

use meanwhile_core::Owner;

use crate::args;
use crate::error::Error;
use crate::session_name;

/// Runs the command and gives the program's exit code.
pub(crate) fn run(args: args::Run) -> Result<u8, Error> {
    let session = session_name::resolve(args.session.as_deref());
    let wait = args.wait.then_some(args.backend);
    let order = Order::of(args);
    let spec = order.spec().owner(Owner::new(session.as_str()));
    spec.validate()
        .map_err(|error| Error::usage(format!("run: {error}")))?;
    match wait {
        Some(backend) => follow::follow(spec, backend),
        None => launch::launch(&spec, &order),
    }
}
