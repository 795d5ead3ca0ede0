//! The tables, and how those of an older version become them.

use rusqlite::{Connection, TransactionBehavior};

use super::error::{StoreError, StoreErrorKind};

/// Marks the file as ours: "mnwl".
const APPLICATION_ID: i32 = 0x6d6e_776c;

/// Each step brings a store of the version before it to its own: the first one makes version 1. A step that was
/// released is never changed; what is to be different comes as a further step. So
/// does a word in a JSON column that this version does not know: who has not the step must not read it.
const STEPS: &[&str] = &[
    // A task and its notification are one row, so that neither can be there without the other.
    "
    CREATE TABLE tasks (
        seq          INTEGER PRIMARY KEY,
        id           TEXT    NOT NULL UNIQUE,
        session      TEXT    NOT NULL,
        -- The process that supervises it: the name of a file in owners/.
        owner        TEXT,
        command      TEXT    NOT NULL,
        description  TEXT,
        cwd          BLOB,
        -- The names of variables, never their values. JSON.
        env          TEXT    NOT NULL DEFAULT '[]',
        -- Times are microseconds: spans, and moments since 1970.
        timeout      INTEGER,
        grace        INTEGER NOT NULL DEFAULT 0,
        launched_at  INTEGER NOT NULL,
        started_at   INTEGER,
        pid          INTEGER,
        pid_start    INTEGER,
        stdout       BLOB,
        stderr       BLOB,
        -- How it ended, as JSON; the next column is taken from it.
        exit         TEXT,
        ended_at     INTEGER,
        -- 0: there is no notification. 1: it waits. 2: it was told.
        notice       INTEGER NOT NULL DEFAULT 0,
        -- Its place among those of its session that wait.
        place        INTEGER,
        -- Who drained it, and until when, in microseconds since the start of the machine.
        holder       TEXT,
        leased_until INTEGER
    ) STRICT;
    CREATE INDEX tasks_running ON tasks (owner) WHERE exit IS NULL;
    CREATE INDEX tasks_pending ON tasks (session, place) WHERE notice = 1;
    CREATE INDEX tasks_held ON tasks (holder) WHERE holder IS NOT NULL;
    CREATE INDEX tasks_over ON tasks (ended_at) WHERE exit IS NOT NULL AND notice <> 1;
    ",
    // How long commands took, the last few times each. Apart from the tasks, which are forgotten.
    "
    CREATE TABLE durations (
        seq      INTEGER PRIMARY KEY,
        command  TEXT    NOT NULL,
        cwd      BLOB,
        duration INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX durations_of ON durations (command, cwd, seq);
    ",
];

/// Whether the store has the tables of this version.
///
/// # Errors
///
/// If a newer version wrote it, or if it is no store.
pub(super) fn is_current(connection: &Connection) -> Result<bool, StoreError> {
    let failed = |error| StoreError::sql("cannot read the version of the store", error);
    let version = version(connection).map_err(failed)?;
    let application: i32 = connection
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(failed)?;
    if version > 0 && application != APPLICATION_ID {
        return Err(StoreError::new(
            StoreErrorKind::Corrupt,
            "the store is a database of another program",
        ));
    }
    if version > STEPS.len() {
        return Err(StoreError::new(
            StoreErrorKind::Newer,
            format!(
                "a newer meanwhile wrote the store (version {version}, and this one knows {}): use that one",
                STEPS.len()
            ),
        ));
    }
    Ok(version == STEPS.len())
}

/// Makes the tables, or brings those of an older version up to this one, in one transaction.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version = version(&transaction)?;
    for step in STEPS.iter().skip(version) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", STEPS.len())?;
    transaction.commit()
}

/// Writes what is there already.
pub(super) fn touch(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "application_id", APPLICATION_ID)
}

fn version(connection: &Connection) -> rusqlite::Result<usize> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_version(steps: usize) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        for step in &STEPS[..steps] {
            connection.execute_batch(step).unwrap();
        }
        for (name, value) in [
            ("user_version", steps as i32),
            ("application_id", APPLICATION_ID),
        ] {
            connection.pragma_update(None, name, value).unwrap();
        }
        connection
    }

    #[test]
    fn a_store_of_any_older_version_becomes_current_and_keeps_its_tasks() {
        for steps in 0..STEPS.len() {
            let mut connection = at_version(steps);
            if steps > 0 {
                let insert = "INSERT INTO tasks (id, session, command, launched_at) VALUES ('t', 's', 'make', 0)";
                connection.execute(insert, []).unwrap();
            }
            assert!(!is_current(&connection).unwrap());
            migrate(&mut connection).unwrap();
            assert!(is_current(&connection).unwrap());
            let count = "SELECT count(*) FROM tasks";
            let tasks: usize = connection.query_one(count, [], |row| row.get(0)).unwrap();
            assert_eq!(tasks, usize::from(steps > 0), "from version {steps}");
            let durations = connection.execute("DELETE FROM durations", []);
            assert_eq!(durations, Ok(0), "from version {steps}");
        }
    }

    #[test]
    fn the_database_of_another_program_is_no_store() {
        let connection = at_version(STEPS.len());
        connection.pragma_update(None, "application_id", 7).unwrap();
        let error = is_current(&connection).expect_err("it is somebody else's");
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    }

    #[test]
    fn a_newer_store_is_refused() {
        let connection = at_version(0);
        connection
            .pragma_update(None, "user_version", STEPS.len() + 1)
            .unwrap();
        let error = is_current(&connection).expect_err("it is newer");
        assert_eq!(error.kind(), StoreErrorKind::Newer);
        assert!(error.to_string().contains("newer meanwhile"), "{error}");
    }
}
