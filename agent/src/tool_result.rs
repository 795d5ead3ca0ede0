//! What a model is answered.

use serde::Serialize;

use crate::TaskView;

/// The answer to one [`ToolUse`](crate::ToolUse).
///
/// It serializes as the body of a `tool_result` line; the `type` is for the wire to add. Fields that a tool does
/// not answer with are left out.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToolResult {
    /// The call that it answers.
    pub tool_use_id: String,
    /// Whether the model should see it as a failure: the call was refused, or a foreground command did not
    /// complete with code 0.
    pub is_error: bool,
    /// What the model reads.
    pub content: String,
    /// The task that the call was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskView>,
    /// The tasks, where the call was `TaskList`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Vec<TaskView>>,
    /// Where to read on: a byte for `TaskOutput`, a line for `Read` that has more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_offset: Option<u64>,
    /// What could be done better the next time; it also stands at the end of `content`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<String>,
}

impl ToolResult {
    pub(crate) fn new(tool_use_id: String, answer: Result<Answer, Refusal>) -> Self {
        let (is_error, answer) = match answer {
            Ok(answer) => (answer.weight == Weight::Failure, answer),
            Err(Refusal(why)) => (true, Answer::new(why)),
        };
        let mut content = answer.content;
        for advice in &answer.advice {
            end_line(&mut content);
            content.push_str("Advice: ");
            content.push_str(advice);
        }
        Self {
            tool_use_id,
            is_error,
            content,
            task: answer.task,
            tasks: answer.tasks,
            next_offset: answer.next_offset,
            advice: answer.advice,
        }
    }
}

/// What a tool answers, whichever call it was.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) weight: Weight,
    pub(crate) content: String,
    pub(crate) task: Option<TaskView>,
    pub(crate) tasks: Option<Vec<TaskView>>,
    pub(crate) next_offset: Option<u64>,
    pub(crate) advice: Vec<String>,
}

/// Whether an answer is good news.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Weight {
    #[default]
    Success,
    Failure,
}

impl Answer {
    pub(crate) fn new(content: impl Into<String>) -> Self {
        Self {
            content: content.into(),
            ..Self::default()
        }
    }

    pub(crate) fn about(mut self, task: TaskView) -> Self {
        self.task = Some(task);
        self
    }
}

/// Why a call was not carried out, in words for the model. Nothing was launched or stopped.
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) String);

impl<E: std::error::Error> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Ends the last line of `text`, if there is one that is not ended.
pub(crate) fn end_line(text: &mut String) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}
