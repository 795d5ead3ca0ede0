//! Advice on a command: never a refusal, only a word on what would have served better.

mod commands;
mod rules;

use meanwhile_core::Handle;

use crate::words::elapsed;
use commands::Commands;
use rules::{RULES, When};

/// What is known when a command is about to be launched.
#[derive(Debug)]
pub(crate) struct Situation<'a> {
    pub(crate) command: &'a str,
    pub(crate) place: Place,
    /// A running task of the same command in the same folder.
    pub(crate) twin: Option<Handle>,
    /// How many tasks are queued or running already.
    pub(crate) live: usize,
    pub(crate) cores: usize,
}

/// Where a command is to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Foreground,
    Background,
}

/// The texts of all rules that apply.
pub(crate) fn on(situation: &Situation<'_>) -> Vec<String> {
    let commands = Commands::of(situation.command);
    RULES
        .iter()
        .filter(|rule| rule.place.is_none_or(|place| place == situation.place))
        .filter(|rule| applies(&rule.when, &commands, situation))
        .map(|rule| fill_in(rule.text, situation))
        .collect()
}

fn applies(when: &When, commands: &Commands<'_>, situation: &Situation<'_>) -> bool {
    match when {
        When::All(patterns) => commands.all_are(patterns),
        When::Any(patterns) => commands.any_is(patterns),
        When::AnyWhileTasksRun(patterns) => situation.live > 0 && commands.any_is(patterns),
        When::RunsAlready => situation.twin.is_some(),
        When::MoreThanCores => situation.live >= situation.cores,
    }
}

fn fill_in(text: &str, situation: &Situation<'_>) -> String {
    let mut text = text
        .replace("{live}", &(situation.live + 1).to_string())
        .replace("{cores}", &situation.cores.to_string());
    if let Some(twin) = &situation.twin {
        text = text
            .replace("{twin}", twin.id().as_str())
            .replace("{since}", &elapsed(twin.elapsed()));
    }
    text
}
