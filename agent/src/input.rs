//! A tool's input, parsed at the edge: every field is either right or named in the answer.

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::words::shorten;

/// The fields of one call. A field that is null counts as absent, one that no tool asks for is ignored.
#[derive(Debug)]
pub(crate) struct Input(Map<String, Value>);

/// A field that is missing or of the wrong type, in words for the model.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InputError(String);

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InputError {}

impl Input {
    pub(crate) fn new(input: Value) -> Result<Self, InputError> {
        match input {
            Value::Object(fields) => Ok(Self(fields)),
            Value::Null => Ok(Self(Map::new())),
            other => Err(wrong("input", "an object", &other)),
        }
    }

    pub(crate) fn text(&self, field: &str) -> Result<Option<&str>, InputError> {
        self.parse(field, "a string", Value::as_str)
    }

    pub(crate) fn required_text(&self, field: &str) -> Result<&str, InputError> {
        self.text(field)?
            .ok_or_else(|| InputError(format!("`{field}` is missing: it must be a string")))
    }

    /// Whether the field is true; absent is false.
    pub(crate) fn flag(&self, field: &str) -> Result<bool, InputError> {
        let given = self.parse(field, "true or false", Value::as_bool)?;
        Ok(given == Some(true))
    }

    pub(crate) fn whole(&self, field: &str) -> Result<Option<u64>, InputError> {
        self.parse(field, "a whole number, 0 or above", Value::as_u64)
    }

    pub(crate) fn above_zero(&self, field: &str) -> Result<Option<u64>, InputError> {
        self.parse(field, "a whole number above 0", above_zero)
    }

    pub(crate) fn millis(&self, field: &str) -> Result<Option<Duration>, InputError> {
        let millis = self.parse(
            field,
            "a whole number of milliseconds, 0 or above",
            Value::as_u64,
        )?;
        Ok(millis.map(Duration::from_millis))
    }

    pub(crate) fn millis_above_zero(&self, field: &str) -> Result<Option<Duration>, InputError> {
        let right = "a whole number of milliseconds above 0";
        let millis = self.parse(field, right, above_zero)?;
        Ok(millis.map(Duration::from_millis))
    }

    /// One of a few words, each with what it stands for.
    pub(crate) fn choice<T: Copy>(
        &self,
        field: &str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, InputError> {
        let words: Vec<_> = choices
            .iter()
            .map(|(word, _)| format!("{word:?}"))
            .collect();
        self.parse(field, &words.join(" or "), |value| {
            let given = value.as_str()?;
            let (_, meaning) = choices.iter().find(|(word, _)| *word == given)?;
            Some(*meaning)
        })
    }

    /// The entries of an object of strings; `None` for one that is null.
    pub(crate) fn texts(&self, field: &str) -> Result<Vec<(&str, Option<&str>)>, InputError> {
        let object = self.parse(field, "an object of strings", Value::as_object)?;
        let entries = object.into_iter().flatten();
        entries
            .map(|(key, value)| match value {
                Value::String(text) => Ok((key.as_str(), Some(text.as_str()))),
                Value::Null => Ok((key.as_str(), None)),
                other => Err(wrong(&format!("{field}.{key}"), "a string", other)),
            })
            .collect()
    }

    fn parse<'a, T>(
        &'a self,
        field: &str,
        right: &str,
        parse: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, InputError> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => parse(value)
                .map(Some)
                .ok_or_else(|| wrong(field, right, value)),
        }
    }
}

fn above_zero(value: &Value) -> Option<u64> {
    value.as_u64().filter(|number| *number > 0)
}

fn wrong(field: &str, right: &str, given: &Value) -> InputError {
    const SHOWN: usize = 60;
    let given = shorten(&given.to_string(), SHOWN);
    InputError(format!("`{field}` must be {right}, not {given}"))
}
