//! `meanwhile ls`: tasks, a line each.

mod table;

use meanwhile_core::Owner;
use meanwhile_queue::Selection;

use crate::args;
use crate::error::Error;
use crate::stdio::{self, json_line, print_text};
use crate::store;
use crate::task_json::TaskJson;

/// How much of each output is excerpted.
const EXCERPT: usize = 2_000;

/// Lists the tasks and gives the program's exit code.
pub(crate) fn run(args: &args::Ls) -> Result<u8, Error> {
    let store = store::open()?;
    let session = args.session.as_deref().map(Owner::new);
    let selection = if args.all {
        Selection::All
    } else {
        Selection::Open
    };
    let tasks = store.tasks(selection, session.as_ref())?;
    if args.json {
        let items: Vec<_> = tasks
            .iter()
            .map(|task| TaskJson::of(task, EXCERPT))
            .collect();
        stdio::print(&json_line(&items))?;
    } else if !tasks.is_empty() {
        stdio::print(table::of(&tasks).as_bytes())?;
    } else if args.all {
        print_text("There are no tasks.");
    } else {
        print_text(
            "No task runs, and none is unread; `meanwhile ls --all` shows those that ended.",
        );
    }
    Ok(0)
}
