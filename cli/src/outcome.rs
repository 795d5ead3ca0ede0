//! How a task ended, in as few words as fit into a column.

use meanwhile_core::{Exit, ExitStatus};
use signal_hook::low_level::signal_name;

/// As in `completed`, `failed (3)` or `stopped (SIGTERM)`.
pub(crate) fn words(exit: &Exit) -> String {
    let word = exit.outcome().as_str().replace('_', " ");
    match exit.status {
        ExitStatus::Code(code) if code != 0 => format!("{word} ({code})"),
        ExitStatus::Signal(signal) => match signal_name(signal) {
            Some(name) => format!("{word} ({name})"),
            None => format!("{word} (signal {signal})"),
        },
        _ => word,
    }
}
