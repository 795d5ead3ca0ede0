//! The tools, one file each.

mod bash;
mod read;
mod task_list;
mod task_output;
mod task_stop;

use meanwhile_core::{Handle, TaskId};

use crate::Toolbox;
use crate::input::Input;
use crate::tool_result::{Answer, Refusal};
use crate::words::shorten;

/// Carries one call out.
pub(crate) async fn call(toolbox: &Toolbox, name: &str, input: &Input) -> Result<Answer, Refusal> {
    match name {
        "Bash" => bash::call(toolbox, input).await,
        "TaskOutput" => task_output::call(toolbox, input, "task_id").await,
        "BashOutput" => task_output::call(toolbox, input, "bash_id").await,
        "TaskStop" => task_stop::call(toolbox, input, "task_id"),
        "KillShell" => task_stop::call(toolbox, input, "shell_id"),
        "TaskList" => Ok(task_list::call(toolbox)),
        "Read" => read::call(toolbox, input),
        other => Err(Refusal(format!(
            "unknown tool {other:?}: there are Bash, TaskOutput, TaskStop, TaskList and Read"
        ))),
    }
}

/// The task that `field` names, if it is one of this agent's.
fn find(toolbox: &Toolbox, input: &Input, field: &str) -> Result<Handle, Refusal> {
    let id = input.required_text(field)?;
    id.parse::<TaskId>()
        .ok()
        .and_then(|id| toolbox.tasks().get(id))
        .filter(|handle| handle.spec().get_owner() == toolbox.owner())
        .ok_or_else(|| {
            Refusal(format!(
                "`{field}` {:?} is not a task that can be found; TaskList shows all that can",
                shorten(id, 60)
            ))
        })
}
