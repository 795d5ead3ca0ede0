//! What a terminal shows of a running task: a spinner, the elapsed time, the last line of output.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use meanwhile_core::{Handle, Stream};

/// The spinner, on stderr.
#[derive(Debug)]
pub(super) struct Progress(ProgressBar);

impl Progress {
    pub(super) fn of(task: &Handle) -> Self {
        let style = ProgressStyle::with_template("{spinner} {elapsed:>4} {prefix} {wide_msg}")
            .expect("the template is fixed and sound");
        let bar = ProgressBar::new_spinner().with_style(style);
        let name = task
            .spec()
            .get_description()
            .map_or_else(|| task.spec().command(), ToOwned::to_owned);
        bar.set_prefix(console::truncate_str(&printable(&name), 30, "…").into_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    pub(super) fn show(&self, task: &Handle) {
        if let Some(line) = last_line(task) {
            self.0.set_message(line);
        }
    }

    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

/// The last line with anything on it. Read from the end: how much was written before does not matter.
fn last_line(task: &Handle) -> Option<String> {
    const ENOUGH: u64 = 2048;
    let written = task.written(Stream::Stdout).ok()?;
    let from = written.saturating_sub(ENOUGH);
    let tail = task.output(Stream::Stdout, from, ENOUGH as usize).ok()?;
    let text = String::from_utf8_lossy(&tail.bytes);
    // A carriage return begins a line anew: progress bars live on it.
    text.rsplit(['\n', '\r'])
        .map(printable)
        .find(|line| !line.trim().is_empty())
}

fn printable(text: &str) -> String {
    let plain = console::strip_ansi_codes(text);
    plain
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
