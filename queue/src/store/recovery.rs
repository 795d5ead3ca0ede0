//! What becomes of the tasks of a process that died.

use std::collections::BTreeSet;
use std::sync::Arc;

use meanwhile_core::{Ending, Exit, Notification, Orphan, TaskId};
use rusqlite::{Connection, TransactionBehavior, params};

use super::change::Change;
use super::error::StoreError;
use super::ownership::{self, Epoch, Estate};
use super::shared::Shared;
use super::{TaskRecord, rows};

impl Shared {
    /// Ends what dead processes left.
    pub(super) fn recover(self: &Arc<Self>) -> Result<Vec<TaskId>, StoreError> {
        let (lost, unseen) = self.settle_estates()?;
        unseen.map_or(Ok(lost), Err)
    }

    /// Settles one estate after the other, and gives the tasks that were lost. Who cannot be looked at, such as a process
    /// of another user's, is in nobody else's way, and the problem is given as well.
    pub(super) fn settle_estates(
        self: &Arc<Self>,
    ) -> Result<(Vec<TaskId>, Option<StoreError>), StoreError> {
        if self.is_read_only() {
            // Nobody is stopped whose end cannot be told.
            return Ok((Vec::new(), None));
        }
        let folder = ownership::folder_in(&self.folder);
        let mut names = self.with("cannot look for dead processes", named)?;
        names.extend(ownership::names(&folder));
        let own = self.own_name();
        let (mut lost, mut unseen) = (Vec::new(), None);
        for name in names.into_iter().filter(|name| Some(name) != own.as_ref()) {
            match Estate::of(&folder, &name) {
                Ok(Some(estate)) => {
                    lost.extend(self.settle_estate(&name, estate.epoch)?);
                    estate.settle();
                }
                Ok(None) => {}
                Err(error) => {
                    let action = format!("cannot see whether the process {name} lives");
                    unseen = Some(StoreError::io(action, error));
                }
            }
        }
        Ok((lost, unseen))
    }

    /// Stops what is left, then tells. If this process dies in between, the next one does it again.
    fn settle_estate(&self, name: &str, epoch: Epoch) -> Result<Vec<TaskId>, StoreError> {
        let tasks = self.with("cannot read the tasks of a dead process", |db| {
            rows::running_under(db, name)
        })?;
        let orphans: Vec<_> = match epoch {
            Epoch::EarlierBoot => Vec::new(),
            Epoch::ThisBoot | Epoch::Unknown => {
                tasks.iter().map(|task| orphan(task, epoch)).collect()
            }
        };
        let survivors = if orphans.is_empty() {
            Vec::new()
        } else {
            // That takes a while, and others wait for what comes of it: they hear if this process dies meanwhile.
            // Without a name they do not, and the next who opens the store finds it.
            drop(self.ownership());
            (self.stop_orphans)(&orphans)
        };
        let survivors = survivors.into_iter().chain(std::iter::repeat(0));
        let endings: Vec<_> = tasks
            .iter()
            .zip(survivors)
            .map(|(task, survivors)| Change::Pushed(Box::new(lost(task, survivors))))
            .collect();
        self.with("cannot end the tasks of a dead process", |db| {
            let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for ending in &endings {
                ending.write(&transaction, name)?;
            }
            // What it had drained and not acknowledged goes back.
            transaction
                .prepare_cached(
                    "UPDATE tasks SET holder = NULL, leased_until = NULL WHERE holder = ?1",
                )?
                .execute([name])?;
            transaction.commit()
        })?;
        self.announce();
        Ok(tasks.iter().map(|task| task.id).collect())
    }
}

/// The processes of which there is anything in the database.
fn named(db: &mut Connection) -> rusqlite::Result<BTreeSet<String>> {
    let mut statement = db.prepare_cached(
        "SELECT owner FROM tasks WHERE exit IS NULL AND owner IS NOT NULL
         UNION SELECT holder FROM tasks WHERE holder IS NOT NULL",
    )?;
    let names = statement.query_map(params![], |row| row.get(0))?;
    names.collect()
}

fn orphan(task: &TaskRecord, epoch: Epoch) -> Orphan {
    Orphan {
        task: task.id,
        // By the id of a process alone, one of another boot could be taken for it. Its mark is never another's.
        leader: task.leader.filter(|_| epoch == Epoch::ThisBoot),
        grace: task.grace,
    }
}

/// Nobody can say how it ended: neither when, so that it ended now, nor with which status.
fn lost(task: &TaskRecord, survivors: u32) -> Notification {
    let mut ending = Ending::lost();
    ending.survivors = survivors;
    ending.output.bytes = task.written();
    let mut exit = Exit::new(ending);
    exit.started_at = task.started_at;
    exit.duration = task.elapsed();
    task.ended_with(exit)
}
