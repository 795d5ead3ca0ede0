//! What is written into the database, and how.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use meanwhile_core::{
    EndedBy, EventId, Exit, ExitStatus, Milestone, Notification, Owner, ProcessId, Spec, TaskId,
};
use rusqlite::{Connection, OptionalExtension, params};

use super::clock;

/// One thing to write. Changes are made in the order in which they came.
#[derive(Debug)]
pub(super) enum Change {
    Launched(Box<Launched>),
    Accepted {
        task: TaskId,
        stdout: Option<PathBuf>,
        stderr: Option<PathBuf>,
    },
    Started {
        task: TaskId,
        at: SystemTime,
        leader: Option<ProcessId>,
    },
    /// Ended, and told by somebody else.
    Ended {
        task: TaskId,
        exit: Exit,
    },
    /// Ended, and to be told from here.
    Pushed(Box<Notification>),
    /// Handed out, when that could not be written at once.
    Leased {
        owner: Owner,
        events: Vec<EventId>,
        until: i64,
    },
    Released {
        owner: Owner,
        events: Vec<EventId>,
    },
    /// Not to be told any more.
    Told {
        owner: Owner,
        events: Vec<EventId>,
    },
}

#[derive(Debug)]
pub(super) struct Launched {
    task: TaskId,
    session: Owner,
    command: String,
    description: Option<String>,
    cwd: Option<PathBuf>,
    env: Vec<String>,
    timeout: Option<Duration>,
    grace: Duration,
    at: SystemTime,
}

/// Behind all that waits for the session of the second parameter.
macro_rules! last_place {
    () => {
        "(SELECT ifnull(max(place), 0) + 1 FROM tasks WHERE session = ?2 AND notice = 1)"
    };
}

/// History is kept of commands up to this length, in bytes.
const LONGEST_WITH_HISTORY: usize = 4096;

/// Of how many runs.
pub(super) const RUNS_KEPT: usize = 5;

impl Change {
    pub(super) fn of(task: TaskId, milestone: Milestone<'_>) -> Option<Self> {
        Some(match milestone {
            Milestone::Launched { spec, command, at } => {
                Self::Launched(Box::new(Launched::of(task, spec, command, at)))
            }
            Milestone::Accepted { stdout, stderr } => Self::Accepted {
                task,
                stdout: stdout.map(ToOwned::to_owned),
                stderr: stderr.map(ToOwned::to_owned),
            },
            Milestone::Started { at, leader } => Self::Started { task, at, leader },
            Milestone::Ended(exit) => Self::Ended {
                task,
                exit: exit.clone(),
            },
            _ => return None,
        })
    }

    /// Whether it is to survive a power cut.
    pub(super) fn is_ending(&self) -> bool {
        matches!(self, Self::Ended { .. } | Self::Pushed(_))
    }

    /// Writes it, for the process whose file in `owners/` has this name.
    pub(super) fn write(&self, db: &Connection, process: &str) -> rusqlite::Result<()> {
        match self {
            Self::Launched(launched) => launched.write(db, process),
            Self::Accepted {
                task,
                stdout,
                stderr,
            } => update(
                db,
                "UPDATE tasks SET stdout = ?2, stderr = ?3 WHERE id = ?1",
                params![task.as_str(), bytes(stdout), bytes(stderr)],
            ),
            Self::Started { task, at, leader } => update(
                db,
                "UPDATE tasks SET started_at = ?2, pid = ?3, pid_start = ?4 WHERE id = ?1",
                params![
                    task.as_str(),
                    clock::moment(*at),
                    leader.map(|leader| leader.pid),
                    leader.map(|leader| leader.start.cast_signed()),
                ],
            ),
            Self::Ended { task, exit } => end(db, *task, exit),
            Self::Pushed(notification) => push(db, notification),
            Self::Leased {
                owner,
                events,
                until,
            } => each(events, |id| {
                update(
                    db,
                    "UPDATE tasks SET holder = ?3, leased_until = ?4 WHERE id = ?1 AND session = ?2 AND notice = 1",
                    params![id, owner.as_str(), process, until],
                )
            }),
            Self::Released { owner, events } => each(events, |id| {
                update(
                    db,
                    "UPDATE tasks SET holder = NULL, leased_until = NULL
                     WHERE id = ?1 AND session = ?2 AND notice = 1 AND holder = ?3",
                    params![id, owner.as_str(), process],
                )
            }),
            Self::Told { owner, events } => each(events, |id| {
                update(
                    db,
                    "UPDATE tasks SET notice = 2, place = NULL, holder = NULL, leased_until = NULL
                     WHERE id = ?1 AND session = ?2 AND notice = 1",
                    params![id, owner.as_str()],
                )
            }),
        }
    }
}

impl Launched {
    pub(super) fn of(task: TaskId, spec: &Spec, command: &str, at: SystemTime) -> Self {
        Self {
            task,
            session: spec.get_owner().clone(),
            command: command.to_owned(),
            description: spec.get_description().map(ToOwned::to_owned),
            cwd: spec.get_cwd().map(ToOwned::to_owned),
            env: spec
                .get_env()
                .map(|(name, _)| name.to_string_lossy().into_owned())
                .collect(),
            timeout: spec.get_timeout(),
            grace: spec.get_grace(),
            at,
        }
    }

    pub(super) fn write(&self, db: &Connection, process: &str) -> rusqlite::Result<()> {
        update(
            db,
            "INSERT INTO tasks (id, session, owner, command, description, cwd, env, timeout, grace, launched_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING",
            params![
                self.task.as_str(),
                self.session.as_str(),
                process,
                self.command,
                self.description,
                bytes(&self.cwd),
                serde_json::to_string(&self.env).expect("a list of strings goes into memory"),
                self.timeout.map(clock::micros),
                clock::micros(self.grace),
                clock::moment(self.at),
            ],
        )
    }
}

/// Notes an end. A task ends once: whoever comes second, such as a program that was taken for dead, changes nothing.
fn end(db: &Connection, task: TaskId, exit: &Exit) -> rusqlite::Result<()> {
    let changed = db
        .prepare_cached(
            "UPDATE tasks SET exit = ?2, ended_at = ?3, started_at = ?4 WHERE id = ?1 AND exit IS NULL",
        )?
        .execute(params![
            task.as_str(),
            json(exit),
            clock::moment(exit.ended_at),
            exit.started_at.map(clock::moment),
        ])?;
    if changed > 0 {
        remember_duration(db, task, exit)?;
    }
    Ok(())
}

/// Notes an end and makes it pending, unless it is or was.
fn push(db: &Connection, notification: &Notification) -> rusqlite::Result<()> {
    let (task, exit) = (notification.task_id, &notification.exit);
    let mut recorded = db.prepare_cached("SELECT exit IS NULL, notice FROM tasks WHERE id = ?1")?;
    let recorded: Option<(bool, i64)> = recorded
        .query_row([task.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    // All in one statement, so that each index is changed once.
    match recorded {
        Some((true, 0)) => {
            update(
                db,
                concat!(
                    "UPDATE tasks SET exit = ?3, ended_at = ?4, started_at = ?5, notice = 1, place = ",
                    last_place!(),
                    " WHERE id = ?1"
                ),
                params![
                    task.as_str(),
                    notification.owner.as_str(),
                    json(exit),
                    clock::moment(exit.ended_at),
                    exit.started_at.map(clock::moment),
                ],
            )?;
            remember_duration(db, task, exit)
        }
        // Its holder did not tell it after all.
        Some((false, 0)) => update(
            db,
            concat!(
                "UPDATE tasks SET notice = 1, place = ",
                last_place!(),
                " WHERE id = ?1"
            ),
            params![task.as_str(), notification.owner.as_str()],
        ),
        Some(_) => Ok(()),
        // Its launch was recorded elsewhere: in a store that was set aside, or nowhere.
        None => update(
            db,
            concat!(
                "INSERT INTO tasks (id, session, command, description, launched_at, stdout, exit, ended_at, started_at,
                     notice, place)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1, ",
                last_place!(),
                ")"
            ),
            params![
                task.as_str(),
                notification.owner.as_str(),
                notification.command,
                notification.description,
                clock::moment(exit.started_at.unwrap_or(exit.ended_at)),
                bytes(&notification.output_path),
                json(exit),
                clock::moment(exit.ended_at),
                exit.started_at.map(clock::moment),
            ],
        ),
    }
}

/// Only what ended by itself says how long the command takes.
fn remember_duration(db: &Connection, task: TaskId, exit: &Exit) -> rusqlite::Result<()> {
    if exit.ended_by != EndedBy::Itself || !matches!(exit.status, ExitStatus::Code(_)) {
        return Ok(());
    }
    update(
        db,
        "INSERT INTO durations (command, cwd, duration)
         SELECT command, cwd, ?2 FROM tasks WHERE id = ?1 AND length(CAST(command AS BLOB)) <= ?3",
        params![
            task.as_str(),
            clock::micros(exit.duration),
            LONGEST_WITH_HISTORY
        ],
    )?;
    update(
        db,
        "DELETE FROM durations WHERE seq IN (
             SELECT old.seq FROM tasks JOIN durations old ON old.command = tasks.command AND old.cwd IS tasks.cwd
             WHERE tasks.id = ?1 ORDER BY old.seq DESC LIMIT -1 OFFSET ?2)",
        params![task.as_str(), RUNS_KEPT],
    )
}

fn update(db: &Connection, sql: &str, values: &[&dyn rusqlite::ToSql]) -> rusqlite::Result<()> {
    db.prepare_cached(sql)?.execute(values).map(drop)
}

fn each(
    events: &[EventId],
    mut write: impl FnMut(&str) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    events
        .iter()
        .try_for_each(|event| write(event.task().as_str()))
}

fn json(exit: &Exit) -> String {
    serde_json::to_string(exit).unwrap_or_else(|_| {
        // Only a moment before 1970 cannot be written: the clock was wrong, and the rest is true all the same.
        let mut exit = exit.clone();
        exit.ended_at = exit.ended_at.max(UNIX_EPOCH);
        exit.started_at = exit.started_at.map(|at| at.max(UNIX_EPOCH));
        serde_json::to_string(&exit).expect("an exit of our time goes into memory")
    })
}

/// A path as it is: it need not be UTF-8.
fn bytes(path: &Option<PathBuf>) -> Option<&[u8]> {
    path.as_deref().map(Path::as_os_str).map(OsStrExt::as_bytes)
}

pub(super) fn path(bytes: Vec<u8>) -> PathBuf {
    OsString::from_vec(bytes).into()
}
