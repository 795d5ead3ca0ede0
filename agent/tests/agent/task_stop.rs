//! `TaskStop` and its older name.

use meanwhile_agent::{ToolUse, Toolbox};
use meanwhile_core::{EndedBy, ExitStatus, Owner, Stop};
use serde_json::json;

use crate::world::World;

#[test]
fn a_stop_is_answered_at_once_and_told_when_it_is_done() {
    let world = World::new();
    for (tool, field) in [("TaskStop", "task_id"), ("KillShell", "shell_id")] {
        let id = world.launch("serve");
        let answer = world.call(tool, json!({field: id}));
        assert!(!answer.is_error);
        assert!(
            answer.content.contains("will be notified"),
            "{}",
            answer.content
        );
        assert_eq!(answer.task.unwrap().status, "stopping");
        let task = world.backend.task("serve");
        assert_eq!(*task.stops.lock().unwrap(), [Stop::by(EndedBy::Agent)]);
        assert_eq!(world.tools.notifications().count, 0);

        task.end_by(ExitStatus::Signal(15), EndedBy::Agent);
        let told = world.tools.notifications();
        assert_eq!(
            (told.items[0].status, told.items[0].ended_by),
            ("stopped", "agent")
        );
        assert_eq!(told.items[0].signal, Some(15));
        told.acknowledge();
    }
}

#[test]
fn an_ended_task_is_no_error_and_its_notification_still_comes() {
    let world = World::new();
    let id = world.launch("make");
    world.backend.task("make").exit(2);
    let answer = world.call("TaskStop", json!({"task_id": id}));
    assert!(!answer.is_error);
    assert!(
        answer.content.contains("failed with exit code 2"),
        "{}",
        answer.content
    );
    assert_eq!(answer.task.unwrap().exit_code, Some(2));
    assert_eq!(world.tools.notifications().count, 1);
}

#[test]
fn another_agents_task_is_unknown() {
    let world = World::new();
    let id = world.launch("secret");
    let stranger = Toolbox::new(world.tasks.clone(), Owner::new("stranger"));
    for (tool, field) in [("TaskStop", "task_id"), ("TaskOutput", "task_id")] {
        let call = stranger.call(ToolUse::new(tool, json!({field: id})));
        let answer = futures_lite::future::block_on(call);
        assert!(answer.is_error);
        assert!(answer.content.contains("TaskList"), "{}", answer.content);
    }
    assert!(
        world
            .backend
            .task("secret")
            .stops
            .lock()
            .unwrap()
            .is_empty()
    );
}
