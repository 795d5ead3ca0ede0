//! What a drain says, and what becomes of it.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use meanwhile_agent::{Item, Notifications, Toolbox, excerpt};
use meanwhile_core::{EndedBy, Ending, Exit, ExitStatus, Notification, NotificationQueue, TaskId};
use serde_json::json;
use tempfile::TempDir;

use crate::world::World;

/// Endings that were pushed as such, with times that do not vary and output in files.
struct Endings {
    world: World,
    folder: TempDir,
    pushed: usize,
}

impl Endings {
    fn new() -> Self {
        Self {
            world: World::new(),
            folder: tempfile::tempdir().unwrap(),
            pushed: 0,
        }
    }

    /// The id that the next ending has: `aaa…` is none, for an id has no vowels.
    fn next_id(&mut self) -> TaskId {
        let letters = b"bcdfghjkmnpqrstvwxyz";
        let (high, low) = (self.pushed / letters.len(), self.pushed % letters.len());
        self.pushed += 1;
        let (third, second) = (high / letters.len(), high % letters.len());
        let end: String = [third, second, low]
            .iter()
            .map(|at| char::from(letters[*at]))
            .collect();
        format!("task222{end}")
            .replace("task", "tksk")
            .parse()
            .unwrap()
    }

    fn push(&mut self, command: &str, ending: Ending, output: impl AsRef<[u8]>) -> TaskId {
        let path = self.folder.path().join(format!("{}.out", self.pushed));
        fs::write(&path, output.as_ref()).unwrap();
        self.push_at(command, None, ending, Some(path))
    }

    fn push_at(
        &mut self,
        command: &str,
        description: Option<&str>,
        mut ending: Ending,
        path: Option<PathBuf>,
    ) -> TaskId {
        let id = self.next_id();
        if let Some(metadata) = path.as_ref().and_then(|path| path.metadata().ok()) {
            ending.output.bytes = metadata.len();
        }
        let mut exit = Exit::new(ending);
        exit.ended_at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_092_345);
        exit.duration = Duration::from_millis(92_345);
        exit.started_at = Some(exit.ended_at - exit.duration);
        let owner = self.world.tools.owner().clone();
        let notification = Notification::ended(id, owner, command, exit)
            .described(description)
            .with_output_path(path);
        self.world.queue.push(notification);
        id
    }

    /// The text with the folder's name taken out.
    fn text(&self, budget: usize) -> String {
        let text = self.world.tools.notifications_within(budget).text;
        text.replace(&self.folder.path().display().to_string(), "/spool")
    }
}

fn code(code: i32) -> Ending {
    Ending::of(ExitStatus::Code(code))
}

#[test]
fn nothing_pending_is_an_empty_text() {
    let drained = World::new().tools.notifications();
    let wire = serde_json::to_value(&drained).unwrap();
    assert_eq!(
        wire,
        json!({"count": 0, "text": "", "items": [], "remaining": 0})
    );
}

#[test]
fn the_text_as_a_model_reads_it() {
    let mut endings = Endings::new();
    endings.push("cargo build", code(0), "");
    let path = endings.folder.path().join("tests.out");
    fs::write(
        &path,
        "\x1b[31mFAIL\x1b[0m src/auth.test.js\r\n\ttoken expired\nTests: 3 failed\n",
    )
    .unwrap();
    endings.push_at("npm test", Some("Run full test suite"), code(1), Some(path));
    endings.push_at(
        "serve",
        None,
        Ending::of(ExitStatus::Signal(15)).ended_by(EndedBy::Timeout),
        None,
    );
    endings.push_at(
        "nmp",
        None,
        Ending::failed_to_start("no such program: nmp", Some(2)),
        None,
    );
    insta::assert_snapshot!(endings.text(20_000));
}

#[test]
fn an_item_on_the_wire_has_exactly_these_fields() {
    let mut endings = Endings::new();
    let path = endings.folder.path().join("out");
    fs::write(&path, "a\tb\x1b[1m!\x07\n").unwrap();
    endings.push_at("npm test", Some("Run"), code(1), Some(path.clone()));
    let drained = endings.world.tools.notifications();
    assert_eq!(
        serde_json::to_value(&drained.items[0]).unwrap(),
        json!({
            "event_id": "tksk222bbb.ended", "task_id": "tksk222bbb",
            "command": "npm test", "description": "Run",
            "status": "failed", "exit_code": 1, "signal": null, "ended_by": "itself",
            "output": "a\tb!\n", "output_path": path, "output_bytes": 10, "dropped_bytes": 0,
            "survivors": 0, "started_at": "2023-11-14T22:13:20.000Z",
            "ended_at": "2023-11-14T22:14:52.345Z", "duration_ms": 92_345,
        })
    );
}

#[test]
fn every_way_to_end_has_its_words() {
    let mut endings = Endings::new();
    let signal = |number| Ending::of(ExitStatus::Signal(number));
    let ways = [
        code(0),
        code(2),
        code(143).ended_by(EndedBy::Timeout),
        code(0).ended_by(EndedBy::Shutdown),
        signal(9),
        signal(64).ended_by(EndedBy::User),
        signal(15).ended_by(EndedBy::Agent),
        signal(9).ended_by(EndedBy::OutputLimit),
        Ending::of(ExitStatus::NeverStarted).ended_by(EndedBy::Agent),
        Ending::failed_to_start("no such\nfolder", None),
        Ending::lost(),
    ];
    for way in ways {
        endings.push_at("x", None, way, None);
    }
    let mut survived = code(0);
    survived.survivors = 1;
    endings.push_at("x", None, survived, None);
    let text = endings.text(20_000);
    let said = text
        .lines()
        .filter_map(|line| line.strip_prefix("[System notification] Background task "));
    insta::assert_snapshot!(said.collect::<Vec<_>>().join("\n"));
}

#[test]
fn failures_come_first_and_otherwise_the_first_to_end() {
    let mut endings = Endings::new();
    let ids = [0, 1, 0, 2].map(|exit| endings.push("x", code(exit), ""));
    let text = endings.text(20_000);
    let mut places: Vec<_> = ids
        .iter()
        .map(|id| (text.find(id.as_str()).unwrap(), id))
        .collect();
    places.sort();
    let order: Vec<_> = places.into_iter().map(|(_, id)| *id).collect();
    assert_eq!(order, [ids[1], ids[3], ids[0], ids[2]]);
    let items = endings.world.tools.notifications().items;
    assert_eq!(
        items.iter().map(|item| item.task_id).collect::<Vec<_>>(),
        ids,
        "items as they ended"
    );
}

#[test]
fn what_is_acknowledged_is_never_told_again_and_what_is_not_comes_back() {
    let mut endings = Endings::new();
    endings.push("a", code(0), "");
    let first = endings.world.tools.notifications();
    assert_eq!(
        endings.world.tools.notifications().count,
        0,
        "it is on lease"
    );
    let event = first.items[0].event_id;
    drop(first);
    let again = endings.world.tools.notifications();
    assert_eq!(again.items[0].event_id, event);
    endings.push("b", code(0), "");
    again.acknowledge();
    let next = endings.world.tools.notifications();
    assert_eq!((next.count, &*next.items[0].command), (1, "b"));
}

#[test]
fn the_budget_holds_and_everything_that_is_acknowledged_is_named() {
    for budget in [0, 1_000, 2_000, 10_000, 20_000] {
        let mut endings = Endings::new();
        let ids: Vec<_> = (0..300)
            .map(|number| {
                endings.push(
                    "command",
                    code(i32::from(number % 7 == 6)),
                    "line\n".repeat(number),
                )
            })
            .collect();
        let mut told = Vec::new();
        loop {
            let drained = endings.world.tools.notifications_within(budget);
            if drained.count == 0 {
                break;
            }
            let length = drained.text.chars().count();
            assert!(
                length <= budget.max(1_000),
                "{length} characters for {budget}"
            );
            assert_eq!(drained.items.len(), drained.count);
            assert_eq!(told.len() + drained.count + drained.remaining, ids.len());
            for item in &drained.items {
                let named = drained.text.matches(item.task_id.as_str()).count();
                assert_eq!(named, 1, "{} in {}", item.task_id, drained.text);
                told.push(item.task_id);
            }
            drained.acknowledge();
        }
        assert_eq!(told, ids);
    }
}

#[test]
fn the_overflow_line_is_honest() {
    let mut endings = Endings::new();
    for number in 0..120 {
        endings.push(
            "command",
            code(i32::from(number >= 118)),
            "output\n".repeat(20),
        );
    }
    insta::assert_snapshot!(endings.text(2_500));
}

#[test]
fn two_hundred_small_endings_are_all_told_at_once() {
    let mut endings = Endings::new();
    for number in 0..200 {
        endings.push(&format!("echo {number}"), code(0), format!("{number}\n"));
    }
    let drained = endings.world.tools.notifications();
    assert_eq!((drained.count, drained.remaining), (200, 0));
    for (number, item) in drained.items.iter().enumerate() {
        assert_eq!(item.output, format!("{number}\n"));
    }
}

#[test]
fn a_long_output_leaves_room_for_the_others_and_shows_head_and_tail() {
    let mut endings = Endings::new();
    let long: String = (0..10_000)
        .map(|number| format!("line {number}\n"))
        .collect();
    endings.push("long", code(1), &long);
    endings.push("short", code(1), "one\ntwo\n");
    let text = endings.text(4_000);
    assert!(text.chars().count() > 3_500, "the room is used");
    for line in ["| line 0", "| line 9999", "| one", "| two"] {
        assert!(text.lines().any(|other| other == line), "{line} in {text}");
    }
    // What it says that it shows is what it shows.
    let (_, rest) = text.split_once("Output (").unwrap();
    let (shown, _) = rest.split_once(" of ").unwrap();
    let (block, _) = rest.split_once("\n\n").unwrap();
    let lines = block.lines().filter_map(|line| line.strip_prefix("| "));
    let bytes: usize = lines.map(|line| line.len() + 1).sum();
    assert_eq!(shown, bytes.to_string());
    assert!(block.contains(&format!(
        "[… {} of {} bytes are left out here …]",
        long.len() - bytes,
        long.len()
    )));
}

#[test]
fn a_dropped_middle_is_not_shown_as_zeros() {
    let mut endings = Endings::new();
    let path = endings.folder.path().join("sparse");
    let mut file = fs::File::create(&path).unwrap();
    file.write_all(&b"head line\n".repeat(500)).unwrap();
    file.seek(SeekFrom::Start(1 << 30)).unwrap();
    file.write_all(&b"tail line\n".repeat(200)).unwrap();
    let mut ending = code(0);
    ending.output.dropped = (1 << 30) - 5_000;
    endings.push_at("huge", None, ending, Some(path));
    let drained = endings.world.tools.notifications();
    let output = &drained.items[0].output;
    let (head, tail) = output.split_once("[…").unwrap();
    assert!(head.lines().all(|line| line == "head line") && !head.is_empty());
    assert!(
        tail.lines().skip(1).all(|line| line == "tail line") && output.ends_with("tail line\n")
    );
    let left_out = (1 << 30) + 2_000 - 10 * output.matches(" line\n").count();
    assert!(output.contains(&format!("[… {left_out} of ")), "{output}");
    assert!(
        drained
            .text
            .contains("1073736824 bytes of the middle were dropped"),
        "{}",
        drained.text
    );
}

#[test]
fn a_program_that_does_not_run_the_tasks_tells_the_same() {
    const BUDGET: usize = Toolbox::NOTIFICATION_BUDGET;
    let mut endings = Endings::new();
    endings.push("npm test", code(1), "3 failed\n");
    endings.push("make", code(0), "");
    let inbox = endings.world.tools.inbox();
    let told = endings.world.tools.notifications();
    let (text, items) = (told.text.clone(), told.items.clone());
    drop(told);

    let pending = inbox.drain().to_vec();
    let shown = Notifications::of(&pending, BUDGET);
    assert_eq!((&shown.text, &shown.items), (&text, &items));
    assert_eq!(Item::read(&pending[0], 8_000), items[0]);
    shown.acknowledge();
    assert_eq!(inbox.pending(), 2, "they were not drained by that");

    let drained = Notifications::from_inbox(&inbox, BUDGET);
    assert_eq!((&drained.text, &drained.items), (&text, &items));
    drop(drained);
    assert_eq!(inbox.pending(), 2, "it was not acknowledged");
    Notifications::from_inbox(&inbox, BUDGET).acknowledge();
    assert_eq!(inbox.pending(), 0);
}

#[test]
fn a_file_that_is_still_written_to_can_be_excerpted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("output");
    assert_eq!(excerpt(&path, 1_000), "", "not there yet");
    let mut file = fs::File::create(&path).unwrap();
    file.write_all(b"\x1b[31mhead line\r\n").unwrap();
    assert_eq!(excerpt(&path, 1_000), "head line\n");
    file.write_all(&b"head line\n".repeat(500)).unwrap();
    file.seek(SeekFrom::Start(1 << 20)).unwrap();
    file.write_all(b"tail line\n").unwrap();
    let shown = excerpt(&path, 1_000);
    assert!(shown.starts_with("head line\n"), "{shown}");
    assert!(shown.ends_with("…]\ntail line\n"), "no zeros: {shown}");
}

#[test]
fn a_missing_file_is_said() {
    let mut endings = Endings::new();
    let mut ending = code(0);
    ending.output.bytes = 12;
    endings.push_at("x", None, ending, Some("/nowhere/at/all".into()));
    let drained = endings.world.tools.notifications();
    assert!(
        drained
            .text
            .contains("Output: 12 bytes, which cannot be read."),
        "{}",
        drained.text
    );
    assert_eq!(drained.count, 1);
}

#[test]
fn output_without_a_file_is_read_from_the_task() {
    let world = World::new();
    world.launch("x");
    let task = world.backend.task("x");
    task.write("from memory\n");
    task.exit(0);
    let drained = world.tools.notifications();
    assert_eq!(drained.items[0].output, "from memory\n");
    assert!(
        drained.text.ends_with("Output (12 bytes):\n| from memory"),
        "{}",
        drained.text
    );
}
