//! From `ps`, where there is no `/proc`.

use std::process::Command;

use super::Row;

pub(super) fn row(pid: i32) -> Option<Row> {
    ps(&["-p", &pid.to_string()]).pop()
}

pub(super) fn rows() -> Vec<Row> {
    ps(&["-A"])
}

fn ps(which: &[&str]) -> Vec<Row> {
    let output = Command::new("ps")
        .args(["-o", "pid=,ppid=,stat=,lstart="])
        .args(which)
        .output();
    let output = output.expect("ps can be run");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(parse)
        .collect()
}

fn parse(line: &str) -> Option<Row> {
    let mut words = line.split_whitespace();
    Some(Row {
        pid: words.next()?.parse().ok()?,
        parent: words.next()?.parse().ok()?,
        state: words.next()?.chars().next()?,
        born: words.collect::<Vec<_>>().join(" "),
    })
}

/// The ids of the children that the calling thread itself has made; nobody tells here.
pub(crate) fn children_of_this_thread() -> Option<String> {
    None
}

/// How many threads this process has; nobody tells here.
pub(crate) fn threads() -> Option<usize> {
    None
}
