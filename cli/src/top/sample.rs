//! Tasks to test with.

use std::time::Duration;

use meanwhile_core::{EndedBy, Ending, Exit, ExitStatus, Owner, TaskId};
use meanwhile_queue::Notice;

use super::lookout::{News, Page};
use super::pager::Window;
use super::rows::{Ended, Load, Row, Rows, Running, State};

/// Three ids that are in no order.
pub(super) const IDS: [&str; 3] = ["t7k2m9xq4z", "b4xw9rk2tq", "m2m2m2m2m2"];

pub(super) fn id(number: usize) -> TaskId {
    IDS[number].parse().expect("it is well-formed")
}

pub(super) fn running(number: usize) -> Row {
    Row {
        id: id(number),
        session: Owner::new("coder"),
        title: "npm test".to_owned(),
        elapsed: Duration::from_secs(46),
        state: State::Running(Running {
            usual: Some(Duration::from_secs(92)),
            load: Load {
                rate: Some(2048),
                cpu: Some(140),
                memory: Some(64 << 20),
            },
            last_line: "PASS src/auth.test.js".to_owned(),
        }),
    }
}

pub(super) fn queued(number: usize) -> Row {
    Row {
        state: State::Queued,
        ..running(number)
    }
}

pub(super) fn ended(number: usize, notice: Notice) -> Row {
    let ending = Ending::of(ExitStatus::Code(3)).ended_by(EndedBy::Itself);
    let state = State::Ended(Ended {
        exit: Exit::new(ending),
        notice,
    });
    Row {
        state,
        ..running(number)
    }
}

pub(super) fn news(rows: Vec<Row>) -> News {
    News::Rows(Rows {
        rows,
        ..Rows::default()
    })
}

pub(super) fn page(task: Row, lines: &[&str]) -> News {
    let window = Window {
        lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        end: 50,
        written: 200,
        following: false,
    };
    News::Output(Box::new(Page { task, window }))
}
