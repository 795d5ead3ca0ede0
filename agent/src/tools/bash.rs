//! `Bash`: runs a command, in the foreground or in the background.

use std::time::Duration;

use meanwhile_core::{Exit, Handle, Notify, Outcome, OutputStats, Spec, Stream};

use crate::advice::{self, Place, Situation};
use crate::excerpt::{Excerpt, Source};
use crate::input::{Input, InputError};
use crate::quote::one_line;
use crate::timer::within;
use crate::tool_result::{Answer, Refusal, Weight, end_line};
use crate::words::{self, count, elapsed, whereabouts};
use crate::{TaskView, Toolbox};

/// How long a foreground call waits if it does not say.
const DEFAULT_PATIENCE: Duration = Duration::from_secs(120);
/// How many bytes of output a result shows.
const OUTPUT_LIMIT: usize = 30_000;

/// What becomes of a foreground command that is not over in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum OnTimeout {
    #[default]
    Stop,
    Background,
}

pub(crate) async fn call(toolbox: &Toolbox, input: &Input) -> Result<Answer, Refusal> {
    let spec = spec(toolbox, input)?;
    let timeout = input.millis_above_zero("timeout")?;
    let on_timeout = input.choice(
        "on_timeout",
        &[
            ("stop", OnTimeout::Stop),
            ("background", OnTimeout::Background),
        ],
    )?;
    let place = if input.flag("run_in_background")? {
        Place::Background
    } else {
        Place::Foreground
    };
    let advice = advice::on(&Situation {
        command: &spec.command(),
        place,
        twin: toolbox.twins().of(&spec),
        live: toolbox.tasks().live(),
        cores: toolbox.cores(),
    });
    let mut answer = match place {
        Place::Background => background(toolbox, spec, timeout)?,
        Place::Foreground => {
            let patience = timeout.unwrap_or(DEFAULT_PATIENCE);
            foreground(toolbox, spec, patience, on_timeout.unwrap_or_default()).await?
        }
    };
    answer.advice = advice;
    Ok(answer)
}

/// What to run, but for the deadline.
fn spec(toolbox: &Toolbox, input: &Input) -> Result<Spec, InputError> {
    let mut spec = Spec::shell(input.required_text("command")?).owner(toolbox.owner().clone());
    if let Some(shell) = toolbox.shell() {
        spec = spec.with_shell(shell);
    }
    let description = input.text("description")?;
    if let Some(description) = description.filter(|text| !text.trim().is_empty()) {
        spec = spec.description(description);
    }
    match input.text("cwd")? {
        Some(folder) => spec = spec.cwd(toolbox.resolve(folder)),
        None => {
            if let Some(folder) = toolbox.base_dir() {
                spec = spec.cwd(folder);
            }
        }
    }
    for (name, value) in input.texts("env")? {
        spec = match value {
            Some(value) => spec.env(name, value),
            None => spec.env_remove(name),
        };
    }
    let notify = [
        ("always", Notify::Always),
        ("on_failure", Notify::OnFailure),
    ];
    if let Some(notify) = input.choice("notify", &notify)? {
        spec = spec.notify(notify);
    }
    if let Some(grace) = input.millis("grace")? {
        spec = spec.grace(grace);
    }
    Ok(spec)
}

fn background(toolbox: &Toolbox, spec: Spec, timeout: Option<Duration>) -> Result<Answer, Refusal> {
    let spec = match timeout {
        Some(timeout) => spec.timeout(timeout),
        None => spec,
    };
    let handle = toolbox.tasks().launch(spec)?;
    toolbox.twins().add(&handle);
    let mut content = format!("Background task started with id {}.", handle.id());
    content.push_str(&will_be_notified(&handle));
    if let Some(timeout) = timeout {
        content.push_str(&format!(
            "\nIt is stopped if it runs for {}.",
            elapsed(timeout)
        ));
    }
    Ok(Answer::new(content).about(TaskView::new(&handle)))
}

/// To the end of the command, or of the patience. Dropping this moves the task to the background.
async fn foreground(
    toolbox: &Toolbox,
    spec: Spec,
    patience: Duration,
    on_timeout: OnTimeout,
) -> Result<Answer, Refusal> {
    let spec = match on_timeout {
        OnTimeout::Stop => spec.timeout(patience),
        OnTimeout::Background => spec,
    };
    let attached = toolbox.tasks().launch_attached(spec)?;
    let handle = attached.handle();
    toolbox.twins().add(handle);
    let exit = match on_timeout {
        OnTimeout::Stop => Some(handle.wait().await),
        OnTimeout::Background => within(patience, handle.wait()).await,
    };
    let Some(exit) = exit else {
        return Ok(moved(&attached.detach(), patience));
    };
    let answer = ended(handle, &exit);
    // Were it not over after all, dropping it would leave the telling to the queue.
    drop(attached.told());
    Ok(answer)
}

fn ended(handle: &Handle, exit: &Exit) -> Answer {
    let mut content = output(handle, exit.output);
    let mut notes = Vec::new();
    if exit.outcome() != Outcome::Completed || exit.survivors > 0 {
        notes.push(format!("The command {}.", words::ending(exit)));
    }
    if exit.outcome() == Outcome::TimedOut {
        notes.push("It was stopped because `on_timeout` is `stop`.".to_owned());
    }
    if exit.output.dropped > 0 {
        let dropped = count(exit.output.dropped, "byte");
        notes.push(format!(
            "{dropped} of the middle of its output were dropped, to keep the limit."
        ));
    }
    if content.is_empty() && notes.is_empty() {
        notes.push("(no output)".to_owned());
    }
    for note in notes {
        end_line(&mut content);
        content.push_str(&note);
    }
    let weight = match exit.outcome() {
        Outcome::Completed => Weight::Success,
        _ => Weight::Failure,
    };
    Answer {
        weight,
        content,
        task: Some(TaskView::new(handle)),
        ..Answer::default()
    }
}

fn moved(handle: &Handle, patience: Duration) -> Answer {
    let mut content = format!(
        "Not over after {}, so it goes on in the background as task {}, because `on_timeout` is \
         `background`.",
        elapsed(patience),
        handle.id()
    );
    content.push_str(&will_be_notified(handle));
    let output = output(handle, OutputStats::default());
    match output.as_str() {
        "" => content.push_str("\nIt has written nothing so far."),
        output => content.push_str(&format!("\nIts output so far:\n{output}")),
    }
    Answer::new(content).about(TaskView::new(handle))
}

fn will_be_notified(handle: &Handle) -> String {
    let when = match handle.spec().get_notify() {
        Notify::OnFailure => "if it does not complete with exit code 0",
        _ => "when it ends",
    };
    let path = handle.output_path(Stream::Stdout);
    let place = path.map_or_else(String::new, |path| {
        format!("\nOutput: {}", one_line(&path.to_string_lossy(), 1_000))
    });
    format!("\nYou will be notified {when}. Do not poll or sleep: go on with other work.{place}")
}

/// Head and tail of what it wrote.
fn output(handle: &Handle, stats: OutputStats) -> String {
    let excerpt = Excerpt::read(&Source::Task(handle.clone()), stats.bytes, OUTPUT_LIMIT);
    let path = handle.output_path(Stream::Stdout);
    let rest = format!("; {}", whereabouts(path.as_deref(), stats.dropped));
    excerpt.text(|bytes| String::from_utf8_lossy(bytes).into_owned(), &rest)
}
