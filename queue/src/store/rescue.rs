//! What is taken over from a database that was damaged, or removed while it was open.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, TransactionBehavior, params_from_iter};

/// All but `seq`.
const COLUMNS: &str =
    "id, session, owner, command, description, cwd, env, timeout, grace, launched_at, started_at,
    pid, pid_start, stdout, stderr, exit, ended_at, notice, place, holder, leased_until";

/// Copies the tasks that are not over, and those that are not told, as far as they can be read. Those that are there
/// already, because another process was faster, stay as they are.
///
/// Somebody waits to be told of these; the others are history, and stay where they were.
pub(super) fn take_over(from: &Connection, to: &mut Connection) -> rusqlite::Result<usize> {
    let tasks: Vec<_> = open_tasks(from)
        .into_iter()
        .filter_map(|seq| values(from, seq).ok())
        .collect();
    let places = vec!["?"; COLUMNS.split(',').count()].join(", ");
    let insert = format!("INSERT INTO tasks ({COLUMNS}) VALUES ({places}) ON CONFLICT DO NOTHING");
    let transaction = to.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut taken = 0;
    for task in tasks {
        taken += transaction.execute(&insert, params_from_iter(task))?;
    }
    transaction.commit()?;
    Ok(taken)
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
