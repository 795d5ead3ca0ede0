//! What is taken over from a database that was damaged, or removed while it was open.

use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, Row, TransactionBehavior, params_from_iter};

use super::ownership;

/// All but `seq`.
const COLUMNS: &str =
    "id, session, owner, command, description, cwd, env, timeout, grace, launched_at, started_at,
    pid, pid_start, stdout, stderr, exit, ended_at, notice, place, holder, leased_until";

/// Where these are among them.
const OWNER: usize = 2;
const EXIT: usize = 15;

/// Copies the tasks that are not over, and those that are not told, as far as they can be read. Those that are there
/// already, because another process was faster, stay as they are.
///
/// Somebody waits to be told of these; the others are history, and stay where they were. So do tasks that run under a
/// process without a file in `owners`: it may live, removed with the whole folder, and its tasks would be taken for lost.
/// They are recorded again when they end.
pub(super) fn take_over(
    from: &Connection,
    to: &mut Connection,
    owners: &Path,
) -> rusqlite::Result<()> {
    let is_safe = |task: &Vec<Value>| match (&task[OWNER], &task[EXIT]) {
        (Value::Text(owner), Value::Null) => ownership::is_there(owners, owner),
        _ => true,
    };
    let tasks: Vec<_> = open_tasks(from)
        .into_iter()
        .filter_map(|seq| values(from, seq).ok())
        .filter(is_safe)
        .collect();
    let places = vec!["?"; COLUMNS.split(',').count()].join(", ");
    let insert = format!("INSERT INTO tasks ({COLUMNS}) VALUES ({places}) ON CONFLICT DO NOTHING");
    let transaction = to.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for task in tasks {
        match transaction.execute(&insert, params_from_iter(task)) {
            // A row of which damage has left what cannot be: the others are whole.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {}
            other => drop(other?),
        }
    }
    transaction.commit()
}

/// The numbers of these tasks, up to where it is damaged. By two indexes, each of which may be whole.
fn open_tasks(db: &Connection) -> Vec<i64> {
    let mut found = Vec::new();
    for condition in ["exit IS NULL", "notice = 1"] {
        let sql = format!("SELECT seq FROM tasks WHERE {condition}");
        let Ok(mut statement) = db.prepare(&sql) else {
            continue;
        };
        if let Ok(rows) = statement.query_map([], |row| row.get(0)) {
            found.extend(rows.map_while(Result::<i64, _>::ok));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn values(db: &Connection, seq: i64) -> rusqlite::Result<Vec<Value>> {
    let sql = format!("SELECT {COLUMNS} FROM tasks WHERE seq = ?1");
    let all = |row: &Row<'_>| {
        (0..row.as_ref().column_count())
            .map(|at| row.get(at))
            .collect()
    };
    db.prepare_cached(&sql)?.query_row([seq], all)
}
