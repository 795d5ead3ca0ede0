//! What a terminal shows while tasks are waited for.

use std::cell::RefCell;
use std::convert::Infallible;
use std::time::Duration;

use meanwhile_core::TaskId;
use meanwhile_queue::{Store, TaskRecord};

use crate::pause::pause;
use crate::progress::Progress;
use crate::tail::Tail;

/// How often what is shown is renewed.
const PACE: Duration = Duration::from_millis(200);

/// Shows the first of `tasks` that is not over, and how many more there are. Goes on until it is dropped, which
/// clears the line.
pub(super) async fn show(store: &Store, tasks: &RefCell<Vec<TaskRecord>>) -> Infallible {
    let mut shown: Option<(TaskId, Progress)> = None;
    loop {
        let running: Vec<_> = tasks
            .borrow()
            .iter()
            .filter(|task| task.exit.is_none())
            .cloned()
            .collect();
        if let Some((task, others)) = running.split_first() {
            let (_, progress) = match shown.take() {
                Some(shown) if shown.0 == task.id => shown,
                _ => (task.id, begin(store, task, others.len())),
            };
            let tail = Tail::of(task.stdout.as_deref());
            progress.show(task.elapsed(), &tail.last_line);
            shown = Some((task.id, progress));
        }
        pause(PACE).await;
    }
}

fn begin(store: &Store, task: &TaskRecord, others: usize) -> Progress {
    let about = task.title();
    let name = match others {
        0 => about.to_owned(),
        others => format!("(and {others} more) {about}"),
    };
    // Without an estimate there is a line all the same.
    let usual = store.usual(&task.command, task.cwd.as_deref());
    Progress::new(&name, usual.unwrap_or(None))
}
