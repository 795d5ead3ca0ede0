#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod advice;
mod excerpt;
mod input;
mod item;
mod notifications;
mod quote;
mod text;
mod timer;
mod tool_result;
mod tool_use;
mod toolbox;
mod tools;
mod twins;
mod view;
mod words;

pub use crate::excerpt::excerpt;
pub use crate::item::{Item, rfc3339};
pub use crate::notifications::Notifications;
pub use crate::quote::one_line;
pub use crate::tool_result::ToolResult;
pub use crate::tool_use::ToolUse;
pub use crate::toolbox::Toolbox;
pub use crate::view::TaskView;
pub use crate::words::{elapsed, ending};
