//! Endings that are told by a command which was asked for them, and not by a drain.

use meanwhile_agent::{Item, Notifications, Toolbox};
use meanwhile_core::{Notification, NotificationQueue, Owner};
use meanwhile_queue::{Notice, Store, TaskRecord};

use crate::session_name;
use crate::stdio::json_line;

/// The text of all `endings`, however many there are.
pub(crate) fn text(mut endings: &[Notification]) -> String {
    let mut text = String::new();
    while !endings.is_empty() {
        let told = Notifications::of(endings, Toolbox::NOTIFICATION_BUDGET);
        endings = &endings[told.count..];
        text.push_str(&told.text);
        text.push('\n');
    }
    text
}

/// All `endings` as a JSON array, each with an excerpt of its output made from at most `limit` bytes.
pub(crate) fn json(endings: &[Notification], limit: usize) -> Vec<u8> {
    let items: Vec<_> = endings
        .iter()
        .map(|ending| Item::read(ending, limit))
        .collect();
    json_line(&items)
}

/// Notes that whoever reads this program's stdout was told how `tasks` ended. Those of other sessions stay pending
/// there: an agent hears of its tasks also if a person has looked at them.
pub(crate) fn consume(store: &Store, tasks: &[TaskRecord]) {
    if store.is_read_only() {
        return;
    }
    let reader = Owner::new(session_name::resolve(None));
    for task in tasks.iter().filter(|task| task.notice == Notice::Pending) {
        store.consume(&reader, task.id);
    }
}
