//! Where and from what it was measured.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use serde::{Deserialize, Serialize};

/// The machine, as far as it says what it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// The model of its processor.
    pub(crate) processor: String,
    /// How many threads it runs at once.
    pub(crate) cores: usize,
    /// Its memory in bytes.
    pub(crate) memory: Option<u64>,
    /// The kernel with its version, and the architecture.
    pub(crate) system: String,
    /// Whether a hypervisor is beneath it.
    pub(crate) is_virtual: bool,
    /// What decides on the speed of the processor.
    pub(crate) governor: Option<String>,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Build {
    commit: Option<String>,
    /// Whether the sources are not those of the commit. Documents do not count.
    is_modified: bool,
    pub(crate) rustc: Option<String>,
}

impl Machine {
    pub(crate) fn this() -> Self {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let field = |name: &str| {
            let line = info.lines().find(|line| line.starts_with(name))?;
            line.split_once(':').map(|(_, value)| value.trim())
        };
        let governor = fs::read_to_string("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
        Self {
            processor: field("model name").unwrap_or("unknown").to_owned(),
            cores: thread::available_parallelism().map_or(1, usize::from),
            memory: memory(),
            system: said("uname", &["-srm"], Path::new("/"))
                .unwrap_or_else(|| "unknown".to_owned()),
            is_virtual: field("flags").is_some_and(|flags| flags.contains(" hypervisor")),
            governor: governor.ok().map(|governor| governor.trim().to_owned()),
        }
    }

    /// In what this machine is another one than `other`.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let differs = |what: &str, mine: &str, theirs: &str| {
            (mine != theirs).then(|| format!("not the same {what}: {theirs} then, {mine} now"))
        };
        let governor = |machine: &Self| machine.governor.clone().unwrap_or_default();
        [
            differs("processor", &self.processor, &other.processor),
            differs("cores", &self.cores.to_string(), &other.cores.to_string()),
            differs("system", &self.system, &other.system),
            differs("governor", &governor(self), &governor(other)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl Build {
    /// The commit, for people.
    pub(crate) fn commit(&self) -> String {
        let commit = self.commit.as_deref().unwrap_or("unknown");
        let changes = if self.is_modified {
            ", with changes"
        } else {
            ""
        };
        format!("{commit}{changes}")
    }

    /// Of the sources in `root`.
    pub(crate) fn of(root: &Path) -> Self {
        let changes = [
            "status",
            "--porcelain",
            "--",
            ".",
            ":!*.md",
            ":!benches/report",
        ];
        Self {
            commit: said("git", &["rev-parse", "--short=12", "HEAD"], root),
            is_modified: said("git", &changes, root).is_some_and(|changes| !changes.is_empty()),
            rustc: said("rustc", &["--version"], root),
        }
    }
}

/// How many processes were at work on average during the last minute.
pub(crate) fn load() -> Option<f64> {
    let loads = fs::read_to_string("/proc/loadavg").ok()?;
    loads.split(' ').next()?.parse().ok()
}

/// Date and time, in UTC.
pub(crate) fn now() -> String {
    said("date", &["-u", "+%Y-%m-%d %H:%M UTC"], Path::new("/")).unwrap_or_default()
}

fn memory() -> Option<u64> {
    let info = fs::read_to_string("/proc/meminfo").ok()?;
    let line = info.lines().find(|line| line.starts_with("MemTotal:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes << 10)
}

/// What `program` says in `folder`, if it is there and succeeds.
fn said(program: &str, args: &[&str], folder: &Path) -> Option<String> {
    let output = Command::new(program)
        .args(args)
        .current_dir(folder)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
