//! A launch on its way from one process to another.

use std::env;
use std::ffi::OsString;
use std::path::{self, PathBuf};
use std::time::Duration;

use meanwhile_core::{OutputLimit, Spec};
use serde::{Deserialize, Serialize};

use crate::args;

/// What is to be launched: all that `run` was told and that it knows of its place. It goes to the supervisor on a pipe,
/// because everybody on the machine can read the arguments of a process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    command: Vec<OsString>,
    description: Option<String>,
    /// A path in JSON would have to be UTF-8.
    cwd: Option<OsString>,
    env: Vec<(OsString, OsString)>,
    timeout: Option<Duration>,
    grace: Option<Duration>,
    output_limit: Option<u64>,
}

impl Order {
    pub(super) fn of(args: args::Run) -> Self {
        Self {
            command: args.command,
            description: args.description,
            cwd: folder(args.cwd).map(PathBuf::into_os_string),
            env: args.env,
            timeout: args.timeout,
            grace: args.grace,
            output_limit: args.output_limit,
        }
    }

    /// One word is a line for the shell, several are a program and its arguments.
    pub(crate) fn spec(&self) -> Spec {
        let mut spec = match &self.command[..] {
            [line] => Spec::shell(line),
            words => {
                let mut words = words.iter();
                // None at all is refused with the spec, as is an empty one.
                Spec::program(words.next().cloned().unwrap_or_default()).args(words)
            }
        };
        for (key, value) in &self.env {
            spec = spec.env(key, value);
        }
        if let Some(description) = &self.description {
            spec = spec.description(description);
        }
        if let Some(cwd) = &self.cwd {
            spec = spec.cwd(cwd);
        }
        if let Some(timeout) = self.timeout {
            spec = spec.timeout(timeout);
        }
        if let Some(grace) = self.grace {
            spec = spec.grace(grace);
        }
        if let Some(limit) = self.output_limit {
            spec = spec.output_limit(OutputLimit::keep(limit));
        }
        spec
    }
}

/// The whole path, and the same however it was given: the history of a command is kept by it. In a folder that was
/// removed there is none, and a relative one stays.
fn folder(given: Option<PathBuf>) -> Option<PathBuf> {
    let Some(given) = given else {
        return env::current_dir().ok();
    };
    let whole = path::absolute(&given).unwrap_or(given);
    // Without a slash at the end, which is nothing to the system.
    Some(whole.components().collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    #[test]
    fn a_folder_is_the_same_however_it_is_given() {
        // To the letter: paths are equal that differ in a dot or a slash.
        let spelt =
            |given: Option<&str>| folder(given.map(PathBuf::from)).map(PathBuf::into_os_string);
        let here = env::current_dir().unwrap();
        assert_eq!(spelt(None), Some(here.clone().into_os_string()));
        for given in [".", "./", "./."] {
            assert_eq!(spelt(Some(given)), spelt(None), "{given}");
        }
        for given in ["a", "./a", "a/"] {
            assert_eq!(
                spelt(Some(given)),
                Some(here.join("a").into_os_string()),
                "{given}"
            );
        }
    }

    #[test]
    fn an_order_arrives_as_it_was_sent() {
        let raw = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        let order = Order {
            command: vec![raw(b"printf"), raw(b"\xff\n\"{}"), raw(b"")],
            description: Some("Look\naround".to_owned()),
            cwd: Some(raw(b"/\xfe")),
            env: vec![(raw(b"A\xfd"), raw(b"=\xfc"))],
            timeout: Some(Duration::from_millis(1_500)),
            grace: Some(Duration::ZERO),
            output_limit: Some(8192),
        };
        let sent = serde_json::to_vec(&order).unwrap();
        let arrived: Order = serde_json::from_slice(&sent).unwrap();
        assert_eq!(
            format!("{:?}", arrived.spec()),
            format!("{:?}", order.spec())
        );
    }
}
