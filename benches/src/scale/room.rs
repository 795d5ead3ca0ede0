//! Whether this machine has room for so many tasks.

use std::fs;

use rustix::process::{Resource, getrlimit};

use super::sight;

/// What a `sleep` takes of the machine's memory, page tables and the kernel's own included: 180 KB, and some to spare.
const MEMORY: u64 = 256 << 10;

/// Says what is missing, if something is.
pub(super) fn for_tasks(live: usize) -> Result<(), String> {
    if !sight::is_clear() {
        return Err("it takes /proc as Linux has it".to_owned());
    }
    let live = live as u64;
    let limits = [
        // One each, and an eighth of all and a few more are not for tasks.
        ("descriptors", descriptors(), live * 8 / 7 + 64),
        ("processes", processes(), live),
        ("bytes of memory", memory(), live * MEMORY),
    ];
    limits.into_iter().try_for_each(|(what, there, needed)| {
        if there < needed {
            return Err(format!("it takes {needed} {what}, and there are {there}"));
        }
        Ok(())
    })
}

/// As many as the soft limit can be raised to.
fn descriptors() -> u64 {
    getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX)
}

/// As many as may come on top of those that there are, threads of others included: that is more than may count.
fn processes() -> u64 {
    let most = ["kernel/pid_max", "kernel/threads-max"]
        .iter()
        .filter_map(|name| read_number(&format!("/proc/sys/{name}")))
        .chain(getrlimit(Resource::Nproc).current)
        .chain(of_control_groups())
        .min();
    // `0.20 0.18 0.12 1/80 11206`: 80 processes and threads.
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let there = load
        .split(['/', ' '])
        .nth(4)
        .and_then(|there| there.parse().ok());
    most.unwrap_or(u64::MAX).saturating_sub(there.unwrap_or(0))
}

/// The limits of the control groups around this process, of either version.
fn of_control_groups() -> Vec<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let mut limits = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
            continue;
        };
        let root = match controllers {
            "" => "/sys/fs/cgroup",
            "pids" => "/sys/fs/cgroup/pids",
            _ => continue,
        };
        let around = std::path::Path::new(path).ancestors();
        limits.extend(
            around.filter_map(|group| read_number(&format!("{root}{}/pids.max", group.display()))),
        );
    }
    limits
}

fn memory() -> u64 {
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    sight::number(&memory, "MemAvailable").map_or(u64::MAX, |kilobytes| kilobytes << 10)
}

/// `None` also for a limit that is none, `max`.
fn read_number(file: &str) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim_end().parse().ok()
}
