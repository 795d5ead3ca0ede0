//! `TaskOutput` and its older name.

use futures_lite::future::block_on;
use serde_json::json;

use crate::world::World;

#[test]
fn pieces_put_together_are_the_output_whatever_the_limit() {
    let text = "aé€😀z\nüü".repeat(3);
    for limit in 1..12 {
        let world = World::new();
        let id = world.launch("x");
        let task = world.backend.task("x");
        task.write(&text);
        task.exit(0);
        let (mut whole, mut offset) = (String::new(), 0);
        while offset < text.len() as u64 {
            let input = json!({"task_id": id, "offset": offset, "limit": limit});
            let answer = world.call("TaskOutput", input);
            let next = answer.next_offset.unwrap();
            assert!(next > offset, "no way on from {offset} with limit {limit}");
            assert!(answer.content.len() <= limit.max(4));
            assert_eq!(next - offset, answer.content.len() as u64);
            whole.push_str(&answer.content);
            offset = next;
        }
        assert_eq!(whole, text);
    }
}

#[test]
fn a_character_that_is_still_being_written_is_left_for_the_next_time() {
    let world = World::new();
    let id = world.launch("x");
    let task = world.backend.task("x");
    task.write(b"ab\xe2\x82");
    let first = world.call("TaskOutput", json!({"task_id": id}));
    assert_eq!((first.content.as_str(), first.next_offset), ("ab", Some(2)));
    let none = world.call("TaskOutput", json!({"task_id": id, "offset": 2}));
    assert_eq!((none.content.as_str(), none.next_offset), ("", Some(2)));
    task.write(b"\xac");
    let second = world.call("TaskOutput", json!({"task_id": id, "offset": 2}));
    assert_eq!(
        (second.content.as_str(), second.next_offset),
        ("€", Some(5))
    );
}

#[test]
fn what_is_left_of_a_character_at_the_end_is_shown() {
    let world = World::new();
    let id = world.launch("x");
    let task = world.backend.task("x");
    task.write(b"ab\xe2\x82");
    task.exit(0);
    let answer = world.call("TaskOutput", json!({"task_id": id}));
    assert_eq!(
        (answer.content.as_str(), answer.next_offset),
        ("ab\u{fffd}", Some(4))
    );
}

#[test]
fn what_was_dropped_is_said_and_a_character_cut_by_it_is_no_dead_end() {
    let world = World::new();
    let id = world.launch("x");
    let task = world.backend.task("x");
    task.write(b"ab\xe2\x82\xac0123456789tail");
    task.drop_middle(4..15);
    let head = world.call("TaskOutput", json!({"task_id": id}));
    assert_eq!(
        (head.content.as_str(), head.next_offset),
        ("ab\u{fffd}", Some(4))
    );
    let tail = world.call("TaskOutput", json!({"task_id": id, "offset": 4}));
    assert_eq!(tail.next_offset, Some(19));
    let (note, rest) = tail.content.split_once('\n').unwrap();
    assert!(note.contains("11 bytes from 4 on are gone"), "{note}");
    assert_eq!(rest, "tail");
}

#[test]
fn nothing_to_show_is_said() {
    let world = World::new();
    let id = world.launch("x");
    let task = world.backend.task("x");
    let show = |offset: u64| {
        world
            .call("TaskOutput", json!({"task_id": id, "offset": offset}))
            .content
    };
    assert_eq!(show(0), "(no output yet)");
    task.write("abc");
    assert_eq!(show(10), "(nothing at 10: 3 bytes so far)");
    assert_eq!(show(3), "");
    let id = world.launch("silent");
    world.backend.task("silent").exit(0);
    assert_eq!(
        world.call("TaskOutput", json!({"task_id": id})).content,
        "(no output)"
    );
}

#[test]
fn block_waits_for_the_end() {
    let world = World::new();
    let id = world.launch("x");
    let call = world.begin("TaskOutput", json!({"task_id": id, "block": true}));
    let task = world.backend.task("x");
    task.write("all");
    task.exit(4);
    let answer = block_on(call);
    assert_eq!(answer.content, "all");
    let view = answer.task.unwrap();
    assert_eq!((view.status, view.exit_code), ("failed", Some(4)));
    assert!(!answer.is_error, "the call did what it should");
}

#[test]
fn block_waits_no_longer_than_its_timeout() {
    let world = World::new();
    let id = world.launch("x");
    let call = world.begin(
        "TaskOutput",
        json!({"task_id": id, "block": true, "timeout": 20}),
    );
    assert_eq!(block_on(call).task.unwrap().status, "running");
}

#[test]
fn reading_the_end_of_a_task_consumes_its_notification() {
    let world = World::new();
    let id = world.launch("x");
    let other = world.launch("y");
    world.call("TaskOutput", json!({"task_id": id}));
    world.backend.task("x").exit(0);
    world.backend.task("y").exit(0);
    assert_eq!(
        world.tools.inbox().pending(),
        2,
        "reading before the end consumes nothing"
    );
    world.call("BashOutput", json!({"bash_id": id}));
    let told = world.tools.notifications();
    assert_eq!((told.count, told.items[0].task_id.to_string()), (1, other));
}

#[test]
fn a_call_that_times_out_consumes_nothing() {
    let world = World::new();
    let id = world.launch("x");
    block_on(world.begin(
        "TaskOutput",
        json!({"task_id": id, "block": true, "timeout": 1}),
    ));
    world.backend.task("x").exit(0);
    assert_eq!(world.tools.notifications().count, 1);
}

#[test]
fn an_ended_task_stays_readable() {
    let world = World::new();
    let id = world.launch("x");
    let task = world.backend.task("x");
    task.write("kept");
    task.exit(0);
    world.tools.notifications().acknowledge();
    for _ in 0..2 {
        assert_eq!(
            world.call("TaskOutput", json!({"task_id": id})).content,
            "kept"
        );
    }
}
