//! What a terminal shows of a task while somebody waits for it.

mod narrow;

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use meanwhile_agent::elapsed as words;
use meanwhile_queue::Usual;

use self::narrow::narrow_stderr;
use crate::plain::plain;
use crate::task_json::millis;

/// One line on stderr: a bar as far as the usual time has passed, or a spinner where there is no history; then the
/// time, what it is about, and the last line of output.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    name: String,
    usual: Option<Usual>,
}

impl Progress {
    pub(crate) fn new(name: &str, usual: Option<Usual>) -> Self {
        let template = match usual {
            Some(_) => "{spinner} {bar:20} {wide_msg}",
            None => "{spinner} {wide_msg}",
        };
        let style = ProgressStyle::with_template(template)
            .expect("the templates are fixed and sound")
            .progress_chars("━╸ ");
        let length = usual.map_or(0, |usual| millis(usual.duration));
        let bar = ProgressBar::with_draw_target(Some(length), narrow_stderr()).with_style(style);
        bar.enable_steady_tick(Duration::from_millis(100));
        Self {
            bar,
            name: console::truncate_str(&plain(name), 30, "…").into_owned(),
            usual,
        }
    }

    /// Shows the task as it is after so much time.
    pub(crate) fn show(&self, elapsed: Duration, last_line: &str) {
        if let Some(usual) = self.usual {
            self.bar.set_position(millis(elapsed.min(usual.duration)));
        }
        let time = time(elapsed, self.usual.map(|usual| usual.duration));
        self.bar
            .set_message(format!("{time}  {}  {last_line}", self.name));
    }

    /// Takes it off the screen.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

fn time(elapsed: Duration, usual: Option<Duration>) -> String {
    let now = whole(elapsed);
    match usual {
        None => now,
        Some(usual) if elapsed <= usual => format!("{now}, usually {}", roughly(usual)),
        Some(usual) => format!("{now}, longer than the usual {}", roughly(usual)),
    }
}

/// Whole seconds: tenths that flicker are read by nobody.
fn whole(elapsed: Duration) -> String {
    match elapsed.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        _ => words(elapsed),
    }
}

/// A usual time: as long as it can be held against a clock, in one unit.
pub(crate) fn roughly(usual: Duration) -> String {
    match usual.as_secs() {
        seconds @ 10..120 => format!("{seconds} s"),
        _ => words(usual),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_time_is_told_and_when_it_is_over() {
        let seconds = Duration::from_secs;
        for (elapsed, usual, said) in [
            (seconds(12), None, "12 s"),
            (seconds(12), Some(seconds(92)), "12 s, usually 92 s"),
            (seconds(92), Some(seconds(92)), "1 m 32 s, usually 92 s"),
            (
                seconds(100),
                Some(seconds(92)),
                "1 m 40 s, longer than the usual 92 s",
            ),
            (
                seconds(1),
                Some(Duration::from_millis(340)),
                "1 s, longer than the usual 340 ms",
            ),
            (seconds(60), Some(seconds(600)), "1 m 0 s, usually 10 m 0 s"),
        ] {
            assert_eq!(time(elapsed, usual), said);
        }
    }
}
