//! What waits to be told: in the database, and in memory while nothing can be written.

use std::sync::Arc;
use std::time::Duration;

use meanwhile_core::{EventId, Notification, Owner};
use rusqlite::{Connection, TransactionBehavior, params};

use super::change::Change;
use super::clock;
use super::rows;

/// An item is pending if nobody has it, or not any more.
macro_rules! pending {
    ($select:literal, $rest:literal) => {
        concat!(
            $select,
            " FROM tasks WHERE session = ?1 AND notice = 1 AND (leased_until IS NULL OR leased_until <= ?2) ",
            $rest
        )
    };
}

pub(super) fn count(db: &Connection, session: &Owner) -> rusqlite::Result<usize> {
    db.prepare_cached(pending!("SELECT count(*)", ""))?
        .query_row(params![session.as_str(), clock::now()], |row| row.get(0))
}

/// Takes the first `max` and leases them to the process whose file in `owners/` is called `holder`.
pub(super) fn lease(
    db: &mut Connection,
    session: &Owner,
    max: usize,
    lease: Duration,
    holder: &str,
) -> rusqlite::Result<Vec<Notification>> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // One moment for both statements: a lease that runs out in between would be renewed for nobody.
    let now = clock::now();
    let items = pending_at(&transaction, session, max, now)?;
    if let Some(last) = items.last() {
        transaction
            .prepare_cached(
                "UPDATE tasks SET holder = ?3, leased_until = ?4
                 WHERE session = ?1 AND notice = 1 AND (leased_until IS NULL OR leased_until <= ?2)
                 AND place <= (SELECT place FROM tasks WHERE id = ?5)",
            )?
            .execute(params![
                session.as_str(),
                now,
                holder,
                clock::after(now, lease),
                last.task_id.as_str(),
            ])?;
    }
    transaction.commit()?;
    Ok(items)
}

/// The first `max` that are pending in the database.
pub(super) fn first(
    db: &Connection,
    session: &Owner,
    max: usize,
) -> rusqlite::Result<Vec<Notification>> {
    pending_at(db, session, max, clock::now())
}

fn pending_at(
    db: &Connection,
    session: &Owner,
    max: usize,
    now: i64,
) -> rusqlite::Result<Vec<Notification>> {
    let max = i64::try_from(max).unwrap_or(i64::MAX);
    let mut statement = db.prepare_cached(pending!(
        "SELECT id, session, command, description, exit, stdout",
        "ORDER BY place LIMIT ?3"
    ))?;
    let rows = statement.query_map(params![session.as_str(), now, max], rows::notification)?;
    rows.collect()
}

/// What is pending for `session` if these changes are added to what the database has.
pub(super) fn with_unwritten(
    in_database: Vec<Notification>,
    unwritten: &[Arc<Change>],
    session: &Owner,
) -> Vec<Notification> {
    let mut items: Vec<Item> = in_database.into_iter().map(Item::free).collect();
    let named = |items: &mut Vec<Item>, owner: &Owner, events: &[EventId], until| {
        let is_named =
            |item: &&mut Item| owner == session && events.contains(&item.notification.event_id);
        for item in items.iter_mut().filter(is_named) {
            item.leased_until = until;
        }
    };
    for change in unwritten {
        match &**change {
            // It may have been written since the changes were looked at.
            Change::Pushed(new)
                if new.owner == *session
                    && items
                        .iter()
                        .all(|item| item.notification.event_id != new.event_id) =>
            {
                items.push(Item::free((**new).clone()));
            }
            Change::Leased {
                owner,
                events,
                until,
            } => named(&mut items, owner, events, Some(*until)),
            Change::Released { owner, events } => named(&mut items, owner, events, None),
            Change::Told { owner, events } if owner == session => {
                items.retain(|item| !events.contains(&item.notification.event_id));
            }
            _ => {}
        }
    }
    let now = clock::now();
    items
        .into_iter()
        .filter(|item| item.leased_until.is_none_or(|until| until <= now))
        .map(|item| item.notification)
        .collect()
}

struct Item {
    notification: Notification,
    leased_until: Option<i64>,
}

impl Item {
    fn free(notification: Notification) -> Self {
        Self {
            notification,
            leased_until: None,
        }
    }
}
