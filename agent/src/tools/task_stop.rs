//! `TaskStop`: asks for the end of a task.

use meanwhile_core::{EndedBy, State, Stop};

use crate::input::Input;
use crate::tool_result::{Answer, Refusal};
use crate::{TaskView, Toolbox, tools, words};

/// Answers at once, and leaves the telling of the end to the notification.
pub(crate) fn call(toolbox: &Toolbox, input: &Input, field: &str) -> Result<Answer, Refusal> {
    let handle = tools::find(toolbox, input, field)?;
    let id = handle.id();
    if let State::Ended(exit) = handle.state() {
        let how = words::ending(&exit);
        let answer = Answer::new(format!("There was nothing to stop: task {id} {how}."));
        return Ok(answer.about(TaskView::new(&handle)));
    }
    handle.stop(Stop::by(EndedBy::Agent));
    let content = format!(
        "Task {id} and all that it started is being stopped. You will be notified when that is done; go on \
         with other work."
    );
    Ok(Answer::new(content).about(TaskView::new(&handle)))
}
