//! Tasks by the ids that were typed.

use meanwhile_core::{ParseIdError, TaskId};
use meanwhile_queue::{Selection, Store, TaskRecord};

use crate::error::Error;

/// The task that `text` names.
pub(crate) fn find(store: &Store, text: &str) -> Result<TaskRecord, Error> {
    let unknown = |problem: String| unknown(&problem, store, text);
    let id: TaskId = text
        .parse()
        .map_err(|error: ParseIdError| unknown(error.to_string()))?;
    store
        .task(id)?
        .ok_or_else(|| unknown(format!("there is no task {id}")))
}

/// The tasks that `texts` name, in this order, each once.
pub(crate) fn find_all(store: &Store, texts: &[String]) -> Result<Vec<TaskRecord>, Error> {
    let mut found: Vec<TaskRecord> = Vec::new();
    for text in texts {
        let task = find(store, text)?;
        if found.iter().all(|other| other.id != task.id) {
            found.push(task);
        }
    }
    Ok(found)
}

/// A task that was found before, as it is now.
pub(crate) fn again(store: &Store, id: TaskId) -> Result<TaskRecord, Error> {
    let forgotten = || Error::failed(format!("{id} was forgotten meanwhile"));
    store.task(id)?.ok_or_else(forgotten)
}

fn unknown(problem: &str, store: &Store, text: &str) -> Error {
    let advice = match nearest(store, text) {
        Some(id) => format!("did you mean {id}?"),
        None => "`meanwhile ls --all` shows all tasks".to_owned(),
    };
    Error::failed(format!("{problem} ({advice})"))
}

/// The open task whose id was typed with two slips at most, or begun.
fn nearest(store: &Store, text: &str) -> Option<TaskId> {
    const BEGUN: usize = 3;
    const SLIPS: usize = 2;
    let distance = |id: TaskId| {
        let is_begun = text.len() >= BEGUN && id.as_str().starts_with(text);
        let slips = strsim::osa_distance(id.as_str(), text);
        (is_begun || slips <= SLIPS).then_some((slips, id))
    };
    // It is advice: without it the answer is the same.
    let open = store.tasks(Selection::Open, None).unwrap_or_default();
    let nearest = open.iter().filter_map(|task| distance(task.id)).min();
    nearest.map(|(_, id)| id)
}
