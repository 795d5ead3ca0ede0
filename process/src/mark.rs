//! The mark that every process of a task carries.

use std::ffi::OsString;

use meanwhile_core::TaskId;

/// The variable that marks every process of a task, so that those which left its group are found: the ids of
/// the task and of the tasks around it, outermost first, with slashes between.
pub(crate) const MARK: &str = "MEANWHILE_TASK";

/// The mark of a task that is launched from here.
pub(crate) fn of(id: TaskId) -> OsString {
    // This process's own, not the spec's: a task inside a task is also a part of the outer one.
    let mut mark = std::env::var_os(MARK).unwrap_or_default();
    if !mark.is_empty() {
        mark.push("/");
    }
    mark.push(id.as_str());
    mark
}

/// The tasks whose mark is in `environment`, entries that end with a NUL each.
pub(crate) fn tasks(environment: &[u8]) -> impl Iterator<Item = TaskId> {
    let mark = environment
        .split(|byte| *byte == 0)
        .find_map(|entry| entry.strip_prefix(MARK.as_bytes())?.strip_prefix(b"="));
    let ids = mark.unwrap_or_default().split(|byte| *byte == b'/');
    ids.filter_map(|id| str::from_utf8(id).ok()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_names_its_task_and_those_around_it() {
        let (outer, inner) = (TaskId::random(), TaskId::random());
        let environment = format!("A=1\0NOT_{MARK}={outer}\0{MARK}={outer}/{inner}\0B={inner}\0");
        let found: Vec<_> = tasks(environment.as_bytes()).collect();
        assert_eq!(found, [outer, inner]);
        assert_eq!(tasks(b"A=1\0").count(), 0);
        assert_eq!(tasks(b"").count(), 0);
    }
}
