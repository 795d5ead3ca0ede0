//! From rows to what callers see.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use meanwhile_core::{EndedBy, Ending, Exit, ExitStatus, Notification, Owner, ProcessId, TaskId};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::change::{RUNS_KEPT, path};
use super::{Notice, Selection, TaskRecord, Usual, clock};

const COLUMNS: &str = "id, session, command, description, exit, stdout, stderr, cwd, env, timeout, grace, launched_at,
    started_at, pid, pid_start, notice";

/// Of `id, session, command, description, exit, stdout`.
pub(super) fn notification(row: &Row<'_>) -> rusqlite::Result<Notification> {
    let session = Owner::new(row.get_ref(1)?.as_str()?);
    let exit = exit(row)?.ok_or(rusqlite::Error::InvalidColumnType(
        4,
        "exit".into(),
        Type::Null,
    ))?;
    let notification = Notification::ended(id(row)?, session, row.get_ref(2)?.as_str()?, exit);
    let stdout: Option<Vec<u8>> = row.get(5)?;
    Ok(notification
        .described(row.get_ref(3)?.as_str_or_null()?)
        .with_output_path(stdout.map(path)))
}

pub(super) fn task(db: &Connection, id: TaskId) -> rusqlite::Result<Option<TaskRecord>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM tasks WHERE id = ?1"))?
        .query_row([id.as_str()], record)
        .optional()
}

pub(super) fn tasks(
    db: &Connection,
    selection: Selection,
    session: Option<&Owner>,
) -> rusqlite::Result<Vec<TaskRecord>> {
    // Named, or SQLite reads all tasks to have both halves in order.
    let which = match selection {
        Selection::Open => {
            "seq IN (SELECT seq FROM tasks INDEXED BY tasks_running WHERE exit IS NULL
             UNION SELECT seq FROM tasks INDEXED BY tasks_pending WHERE notice = 1)"
        }
        Selection::All => "TRUE",
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM tasks WHERE {which} AND (?1 IS NULL OR session = ?1) ORDER BY seq"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(params![session.map(Owner::as_str)], record)?;
    rows.collect()
}

/// Those that the process of this name supervises.
pub(super) fn running_under(db: &Connection, process: &str) -> rusqlite::Result<Vec<TaskRecord>> {
    let sql = format!("SELECT {COLUMNS} FROM tasks WHERE owner = ?1 AND exit IS NULL ORDER BY seq");
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map([process], record)?;
    rows.collect()
}

/// The process that supervises a task, or did.
pub(super) fn supervisor(db: &Connection, id: TaskId) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT owner FROM tasks WHERE id = ?1")?
        .query_row([id.as_str()], |row| row.get(0))
        .optional()
        .map(Option::flatten)
}

pub(super) fn usual(
    db: &Connection,
    command: &str,
    cwd: Option<&Path>,
) -> rusqlite::Result<Option<Usual>> {
    use std::os::unix::ffi::OsStrExt;
    let mut statement = db.prepare_cached(
        "SELECT duration FROM durations WHERE command = ?1 AND cwd IS ?2 ORDER BY seq DESC LIMIT ?3",
    )?;
    let cwd = cwd.map(|cwd| cwd.as_os_str().as_bytes());
    let rows = statement.query_map(params![command, cwd, RUNS_KEPT], |row| row.get(0))?;
    let mut durations: Vec<Duration> = rows
        .map(|micros| micros.map(clock::span))
        .collect::<rusqlite::Result<_>>()?;
    durations.sort();
    Ok(durations.get(durations.len() / 2).map(|median| Usual {
        duration: *median,
        runs: durations.len(),
    }))
}

fn record(row: &Row<'_>) -> rusqlite::Result<TaskRecord> {
    let bytes = |column| row.get::<_, Option<Vec<u8>>>(column);
    let leader = match (row.get(13)?, row.get::<_, Option<i64>>(14)?) {
        (Some(pid), Some(start)) => Some(ProcessId {
            pid,
            start: start.cast_unsigned(),
        }),
        _ => None,
    };
    Ok(TaskRecord {
        id: id(row)?,
        session: Owner::new(row.get_ref(1)?.as_str()?),
        command: row.get(2)?,
        description: row.get(3)?,
        exit: exit(row)?,
        stdout: bytes(5)?.map(path),
        stderr: bytes(6)?.map(path),
        cwd: bytes(7)?.map(path),
        env: serde_json::from_str(row.get_ref(8)?.as_str()?).unwrap_or_default(),
        timeout: row.get::<_, Option<i64>>(9)?.map(clock::span),
        grace: clock::span(row.get(10)?),
        launched_at: clock::time(row.get(11)?),
        started_at: row.get::<_, Option<i64>>(12)?.map(clock::time),
        leader,
        notice: match row.get(15)? {
            1 => Notice::Pending,
            2 => Notice::Told,
            _ => Notice::None,
        },
    })
}

fn id(row: &Row<'_>) -> rusqlite::Result<TaskId> {
    TaskId::from_str(row.get_ref(0)?.as_str()?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))
}

/// One that cannot be read, because of damage that SQLite does not see, is an end of which nobody knows more than that it
/// was: a row that could not be read would keep all others from being told.
fn exit(row: &Row<'_>) -> rusqlite::Result<Option<Exit>> {
    let text = row.get_ref(4)?.as_str_or_null()?;
    let unknown = || Exit::new(Ending::of(ExitStatus::Lost).ended_by(EndedBy::Unknown));
    Ok(text.map(|text| serde_json::from_str(text).unwrap_or_else(|_| unknown())))
}
