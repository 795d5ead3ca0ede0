//! The names of things: tasks, events, owners.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// No vowels, so that no id spells a word, and nothing that is read as something else (0/o, 1/l).
const LETTERS: &[u8; 20] = b"bcdfghjkmnpqrstvwxyz";
const ALPHABET: &[u8; 28] = b"bcdfghjkmnpqrstvwxyz23456789";
const LENGTH: usize = 10;

/// The name of one task: ten characters such as `t7k2m9xq4z`.
///
/// It begins with a letter, so it is never mistaken for a process id, and is drawn at random from about
/// 2^47 values, so that an id from another run, or one that was made up, does not hit a task by chance.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TaskId([u8; LENGTH]);

impl TaskId {
    /// Draws a new id.
    ///
    /// The randomness is that of [`RandomState`], which the standard library keys from the operating
    /// system once a thread; a counter makes each draw of the process differ.
    #[must_use]
    pub fn random() -> Self {
        static DRAWN: AtomicU64 = AtomicU64::new(0);
        let mut bits = RandomState::new().hash_one(DRAWN.fetch_add(1, Ordering::Relaxed));
        let mut take = |alphabet: &[u8]| {
            let size = alphabet.len() as u64;
            let letter = alphabet[(bits % size) as usize];
            bits /= size;
            letter
        };
        let mut id = [take(LETTERS); LENGTH];
        for place in &mut id[1..] {
            *place = take(ALPHABET);
        }
        Self(id)
    }

    /// The id as text.
    #[must_use]
    #[expect(
        clippy::missing_panics_doc,
        reason = "both ways to an id let only ASCII in"
    )]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("an id is made of ASCII letters and digits")
    }
}

impl FromStr for TaskId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let error = || ParseIdError {
            text: text.chars().take(40).collect(),
        };
        let bytes: [u8; LENGTH] = text.as_bytes().try_into().map_err(|_| error())?;
        let known = LETTERS.contains(&bytes[0]) && bytes.iter().all(|b| ALPHABET.contains(b));
        if known { Ok(Self(bytes)) } else { Err(error()) }
    }
}

impl TryFrom<String> for TaskId {
    type Error = ParseIdError;

    fn try_from(text: String) -> Result<Self, ParseIdError> {
        text.parse()
    }
}

impl From<TaskId> for String {
    fn from(id: TaskId) -> Self {
        id.as_str().to_owned()
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskId({self})")
    }
}

/// A text that is no task id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseIdError {
    text: String,
}

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no task id: ten lower-case letters and digits, such as \"t7k2m9xq4z\"",
            self.text
        )
    }
}

impl std::error::Error for ParseIdError {}

/// The name of one event: that a given task ended.
///
/// It is made from the task's id and not drawn, because a task ends once: whoever tells the same end again
/// (a lease that ran out, a recovery after a crash) tells it under the same name, and is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventId(TaskId);

impl EventId {
    const SUFFIX: &str = ".ended";

    /// The event that `task` ended.
    #[must_use]
    pub fn ended(task: TaskId) -> Self {
        Self(task)
    }

    /// The task that the event is about.
    #[must_use]
    pub fn task(&self) -> TaskId {
        self.0
    }
}

impl FromStr for EventId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let task = text.strip_suffix(Self::SUFFIX).unwrap_or(text);
        task.parse().map(Self)
    }
}

impl TryFrom<String> for EventId {
    type Error = ParseIdError;

    fn try_from(text: String) -> Result<Self, ParseIdError> {
        text.parse()
    }
}

impl From<EventId> for String {
    fn from(id: EventId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.0, Self::SUFFIX)
    }
}

/// Whose task it is: the name of the agent's session that launched it and will be told of its end.
///
/// Cheap to clone. The default owner is named `default`.
///
/// ```
/// use meanwhile_core::Owner;
/// assert_eq!(Owner::new("reviewer").as_str(), "reviewer");
/// assert_eq!(Owner::default().as_str(), "default");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Owner(Arc<str>);

impl Owner {
    /// Names an owner.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Owner {
    fn default() -> Self {
        Self::new("default")
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_differ_begin_with_a_letter_and_parse_back() {
        let ids: HashSet<TaskId> = (0..10_000).map(|_| TaskId::random()).collect();
        assert_eq!(ids.len(), 10_000);
        for id in ids {
            assert!(id.as_str().starts_with(|c: char| c.is_ascii_lowercase()));
            assert_eq!(id.as_str().parse(), Ok(id));
            assert_eq!(
                EventId::ended(id).to_string().parse(),
                Ok(EventId::ended(id))
            );
        }
    }

    #[test]
    fn a_process_id_or_a_path_is_no_task_id() {
        for text in [
            "",
            "1234",
            "1234567890",
            "../../etc/p",
            "T7K2M9XQ4Z",
            "täsk567890",
            "t7k2m9xq4zz",
        ] {
            assert!(text.parse::<TaskId>().is_err(), "{text}");
        }
    }
}
