//! `meanwhile show`: everything about one task.

mod text;

use meanwhile_queue::{Notice, TaskRecord};
use serde::Serialize;

use crate::args;
use crate::error::Error;
use crate::ids;
use crate::stdio::{self, json_line};
use crate::store;
use crate::task_json::{TaskJson, lossy, millis};
use crate::told;

/// How much of the output is excerpted.
const EXCERPT: usize = 8_000;

/// Shows the task and gives the program's exit code.
pub(crate) fn run(args: &args::Show) -> Result<u8, Error> {
    let store = store::open()?;
    let task = ids::find(&store, &args.id)?;
    let shown = if args.json {
        json_line(&Everything::of(&task))
    } else {
        text::of(&task).into_bytes()
    };
    match stdio::try_print(&shown) {
        Ok(()) => told::consume(&store, &[task]),
        Err(error) => stdio::had_enough(error)?,
    }
    Ok(0)
}

/// The task as JSON, with what only this command tells.
#[derive(Debug, Serialize)]
struct Everything<'a> {
    #[serde(flatten)]
    task: TaskJson,
    cwd: Option<String>,
    env: &'a [String],
    timeout_ms: Option<u64>,
    grace_ms: u64,
    pid: Option<i32>,
    notification: &'static str,
}

impl<'a> Everything<'a> {
    fn of(task: &'a TaskRecord) -> Self {
        Self {
            task: TaskJson::of(task, EXCERPT),
            cwd: task.cwd.as_deref().map(lossy),
            env: &task.env,
            timeout_ms: task.timeout.map(millis),
            grace_ms: millis(task.grace),
            pid: task.leader.map(|leader| leader.pid),
            notification: notice_word(task.notice),
        }
    }
}

fn notice_word(notice: Notice) -> &'static str {
    match notice {
        Notice::Pending => "pending",
        Notice::Told => "told",
        _ => "none",
    }
}
