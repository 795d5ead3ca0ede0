//! How an ending, a time and a signal are put into words.

use std::path::Path;
use std::time::Duration;

use meanwhile_core::{EndedBy, Exit, ExitStatus};

use crate::quote::one_line;

/// What became of a task, as the rest of a sentence: `failed with exit code 1 after 1 m 32 s`.
#[must_use]
pub fn ending(exit: &Exit) -> String {
    let after = elapsed(exit.duration);
    let mut words = match (&exit.status, exit.ended_by) {
        (ExitStatus::FailedToStart(why), _) => {
            format!("failed to start: {}", one_line(&why.message, 200))
        }
        (ExitStatus::Lost, _) => "was lost: nobody can say how it ended".to_owned(),
        (ExitStatus::NeverStarted, by) => format!("was {}, before it was started", ended(by)),
        (ExitStatus::Code(0), EndedBy::Itself | EndedBy::Unknown) => {
            format!("completed with exit code 0 after {after}")
        }
        (ExitStatus::Code(code), EndedBy::Itself | EndedBy::Unknown) => {
            format!("failed with exit code {code} after {after}")
        }
        (ExitStatus::Signal(number), EndedBy::Itself | EndedBy::Unknown) => {
            format!("failed: {} ended it after {after}", signal(*number))
        }
        (ExitStatus::Code(code), by) => {
            format!("was {} after {after}, with exit code {code}", ended(by))
        }
        (ExitStatus::Signal(number), by) => {
            format!("was {} after {after}, by {}", ended(by), signal(*number))
        }
        (_, by) => format!("was {} after {after}", ended(by)),
    };
    match exit.survivors {
        0 => {}
        1 => words.push_str("; 1 of its processes is still alive"),
        more => words.push_str(&format!("; {more} of its processes are still alive")),
    }
    words
}

fn ended(by: EndedBy) -> &'static str {
    match by {
        EndedBy::Timeout => "stopped because it timed out",
        EndedBy::Agent => "stopped by the agent",
        EndedBy::User => "stopped by the user",
        EndedBy::OutputLimit => "stopped because it wrote more than it may",
        EndedBy::Shutdown => "stopped by the shutdown of what ran it",
        _ => "ended, nobody knows by whom",
    }
}

/// A duration in the two largest units that say something, as notifications have it.
///
/// ```
/// use std::time::Duration;
///
/// use meanwhile_agent::elapsed;
///
/// assert_eq!(elapsed(Duration::from_millis(35)), "35 ms");
/// assert_eq!(elapsed(Duration::from_millis(3_210)), "3.2 s");
/// assert_eq!(elapsed(Duration::from_secs(92)), "1 m 32 s");
/// assert_eq!(elapsed(Duration::from_secs(7_500)), "2 h 5 m");
/// ```
#[must_use]
pub fn elapsed(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..60 => format!("{seconds}.{} s", duration.subsec_millis() / 100),
        60..3600 => format!("{} m {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} m", seconds / 3600, seconds / 60 % 60),
    }
}

fn signal(number: i32) -> String {
    // Those that have the same number on every Unix.
    let name = match number {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        _ => return format!("signal {number}"),
    };
    format!("signal {number} ({name})")
}

/// The first of `text`, at most `limit` characters, of which the last is an ellipsis if there is more.
pub(crate) fn shorten(text: &str, limit: usize) -> String {
    if text.chars().nth(limit).is_none() {
        return text.to_owned();
    }
    let kept = text.chars().take(limit.saturating_sub(1));
    kept.chain(['…']).collect()
}

/// `1 byte`, `2 bytes`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// Where what is not shown of an output can be found.
pub(crate) fn whereabouts(path: Option<&Path>, dropped: u64) -> String {
    let what = if dropped == 0 {
        "all of it"
    } else {
        "what was kept of it"
    };
    match path {
        Some(path) => format!("{what} is in {}", one_line(&path.to_string_lossy(), 500)),
        None => format!("TaskOutput shows {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_only_if_it_is_too_long() {
        assert_eq!(shorten("añb", 3), "añb");
        assert_eq!(shorten("añbc", 3), "añ…");
        assert_eq!(shorten("a", 0), "…");
        assert_eq!(shorten("", 0), "");
    }
}
