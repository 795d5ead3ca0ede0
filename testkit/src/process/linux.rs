//! From `/proc`.

use std::fs;

use super::Row;

pub(super) fn row(pid: i32) -> Option<Row> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

pub(super) fn rows() -> Vec<Row> {
    let folders = fs::read_dir("/proc").expect("/proc can be listed");
    let name = |folder: fs::DirEntry| folder.file_name().into_string().ok();
    let pids = folders
        .flatten()
        .filter_map(name)
        .filter_map(|name| name.parse().ok());
    pids.filter_map(row).collect()
}

/// The name, in brackets, may hold anything: the numbers begin behind the last bracket.
fn parse(stat: &str) -> Option<Row> {
    let (pid, _) = stat.split_once(' ')?;
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let [state, parent] = *fields.first_chunk()?;
    Some(Row {
        pid: pid.parse().ok()?,
        parent: parent.parse().ok()?,
        state: state.chars().next()?,
        // The 22nd field of the line, of which the first two are cut off.
        born: (*fields.get(19)?).to_owned(),
    })
}

/// The ids of the children that the calling thread itself has made, space-separated; `None` where the
/// kernel does not tell.
pub(crate) fn children_of_this_thread() -> Option<String> {
    fs::read_to_string("/proc/thread-self/children").ok()
}

/// How many threads this process has; `None` where nobody tells.
pub(crate) fn threads() -> Option<usize> {
    fs::read_dir("/proc/self/task").ok().map(Iterator::count)
}
