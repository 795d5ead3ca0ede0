//! Forgetting tasks that are over and told.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, TransactionBehavior, params};

use super::change::path;
use super::clock;
use super::error::StoreError;
use super::shared::Shared;

/// What was removed.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// How many tasks.
    pub tasks: usize,
    /// How many bytes of output, as they stood on the disk.
    pub bytes: u64,
}

/// So many at once: others write in between.
const AT_ONCE: usize = 500;

struct Old {
    seq: i64,
    files: Vec<PathBuf>,
}

impl Shared {
    /// Files first: whatever happens in between, no output is left without its task.
    pub(super) fn forget(&self, age: Duration, spool: &Path) -> Result<Forgotten, StoreError> {
        let limit = match SystemTime::now().checked_sub(age) {
            // All that is over: what ended in the future, because the clock was set back, is too.
            Some(_) if age.is_zero() => i64::MAX,
            Some(limit) => clock::moment(limit),
            None => i64::MIN,
        };
        let mut forgotten = Forgotten::default();
        loop {
            let old = self.with("cannot look for old tasks", |db| ended_before(db, limit))?;
            if old.is_empty() {
                if forgotten.tasks > 0 {
                    self.with("cannot forget old durations", forget_durations)?;
                }
                return Ok(forgotten);
            }
            for file in old.iter().flat_map(|old| &old.files) {
                if is_within(file, spool) {
                    forgotten.bytes += remove(file).map_err(|error| {
                        StoreError::io(format!("cannot remove {}", file.display()), error)
                    })?;
                }
            }
            forgotten.tasks += self.with("cannot forget old tasks", |db| delete(db, &old))?;
        }
    }
}

/// Only what was made here is removed here.
fn is_within(file: &Path, spool: &Path) -> bool {
    let is_name = |part| matches!(part, Component::Normal(_));
    file.strip_prefix(spool)
        .is_ok_and(|below| below.components().all(is_name))
}

fn ended_before(db: &mut Connection, limit: i64) -> rusqlite::Result<Vec<Old>> {
    let mut statement = db.prepare_cached(
        "SELECT seq, stdout, stderr FROM tasks
         WHERE exit IS NOT NULL AND notice <> 1 AND ended_at <= ?1 ORDER BY ended_at LIMIT ?2",
    )?;
    let rows = statement.query_map(params![limit, AT_ONCE], |row| {
        let files: [Option<Vec<u8>>; 2] = [row.get(1)?, row.get(2)?];
        Ok(Old {
            seq: row.get(0)?,
            files: files.into_iter().flatten().map(path).collect(),
        })
    })?;
    rows.collect()
}

/// What a command takes is kept when its tasks are forgotten, of a bounded number of commands.
fn forget_durations(db: &mut Connection) -> rusqlite::Result<()> {
    const KEPT: i64 = 10_000;
    db.prepare_cached("DELETE FROM durations WHERE seq <= (SELECT max(seq) FROM durations) - ?1")?
        .execute([KEPT])
        .map(drop)
}

fn delete(db: &mut Connection, old: &[Old]) -> rusqlite::Result<usize> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut count = 0;
    for task in old {
        count += transaction
            .prepare_cached("DELETE FROM tasks WHERE seq = ?1 AND notice <> 1")?
            .execute([task.seq])?;
    }
    transaction.commit()?;
    Ok(count)
}

fn remove(file: &Path) -> io::Result<u64> {
    use std::os::unix::fs::MetadataExt;
    const BLOCK: u64 = 512;
    let size = fs::metadata(file).map(|meta| meta.blocks() * BLOCK);
    match fs::remove_file(file) {
        Ok(()) => size,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}
