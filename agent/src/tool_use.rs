//! What a model asks for.

use meanwhile_core::TaskId;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// One tool call of a model, as tool-use JSON has it: `{"id":"toolu_1","name":"Bash","input":{...}}`.
///
/// A missing `id` is made; further fields, such as `type`, are ignored.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ToolUse {
    /// The name of this call, repeated in its result.
    #[serde(default = "made_id", deserialize_with = "given_or_made_id")]
    pub id: String,
    /// The tool, such as `Bash`.
    pub name: String,
    /// The tool's input, an object. It is looked at by the tool and not before.
    #[serde(default)]
    pub input: Value,
}

impl ToolUse {
    /// A call with an id that is made.
    #[must_use]
    pub fn new(name: impl Into<String>, input: Value) -> Self {
        Self {
            id: made_id(),
            name: name.into(),
            input,
        }
    }
}

fn made_id() -> String {
    format!("toolu_{}", TaskId::random())
}

fn given_or_made_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_else(made_id))
}
