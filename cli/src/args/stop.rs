//! `meanwhile stop`.

use std::time::Duration;

use clap::Args;
use signal_hook::low_level::signal_name;

use crate::duration;

/// Stop tasks with all their descendants, and wait until they are gone.
///
/// The polite signal goes to all processes of the task; what is still there after the grace is killed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meanwhile stop t7k2m9xq4z
  meanwhile stop --signal INT --grace 30s t7k2m9xq4z b4xw9rk2tq

Exit code: 0 when all are over, also if they were before; 128+n after signal n; 125 meanwhile itself failed, there is no
such task, or one could not be stopped; 2 wrong usage.")]
pub(crate) struct Stop {
    /// The ids of the tasks
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<String>,

    /// The polite signal, as INT, SIGINT or 2 [default: TERM]
    #[arg(long, value_name = "SIG", value_parser = signal, allow_hyphen_values = true)]
    pub(crate) signal: Option<i32>,

    /// Time between the polite signal and the last one; 0s kills at once [default: that of the task]
    #[arg(long, value_name = "DUR", value_parser = duration::parse, allow_hyphen_values = true)]
    pub(crate) grace: Option<Duration>,
}

/// A signal by its name, with or without SIG, or by its number. Those without a name belong to the C library or to one
/// program's own purposes, and are not sent.
fn signal(text: &str) -> Result<i32, String> {
    /// The highest that any supported system has.
    const LAST: i32 = 64;
    let name = text.to_ascii_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    let is_named = |number: &i32| signal_name(*number).is_some_and(|known| &known[3..] == name);
    let number = text
        .parse()
        .ok()
        .filter(|number| signal_name(*number).is_some());
    number
        .or_else(|| (1..=LAST).find(is_named))
        .ok_or_else(|| "is no signal that can be sent: write it as INT, SIGINT or 2".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_has_a_name_and_a_number() {
        for text in ["INT", "SIGINT", "sigint", "int", "2"] {
            assert_eq!(signal(text), Ok(2), "{text}");
        }
        for text in [
            "",
            "SIG",
            "0",
            "-2",
            "32",
            "40",
            "64",
            "65",
            "SIG2",
            "INTERRUPT",
        ] {
            assert!(signal(text).is_err(), "{text}");
        }
    }
}
