//! How changes get into the database: at once, or by the one thread that writes them in batches.

use std::iter;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use rusqlite::TransactionBehavior;

use super::backlog::Settled;
use super::change::Change;
use super::database::{self, Patience};
use super::error::StoreError;
use super::shared::{Shared, lock};

impl Shared {
    /// Writes `changes` in one transaction.
    fn write<'a>(
        &self,
        patience: Patience,
        changes: impl Iterator<Item = &'a Change> + Clone,
    ) -> Result<(), StoreError> {
        let process = self.ownership()?;
        self.with_patience(patience, "cannot write to the store", |db| {
            let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for change in changes.clone() {
                change.write(&transaction, process.name())?;
            }
            transaction.commit()
        })?;
        self.is_unsynced.store(true, Ordering::Release);
        self.announce();
        Ok(())
    }

    /// Puts `change` in the line of the writer, who is started for the first one.
    pub(super) fn submit(self: &Arc<Self>, change: Change) {
        self.backlog.submit(change);
        self.start_writer();
    }

    /// Starts the writer, unless it was.
    pub(super) fn start_writer(self: &Arc<Self>) {
        let mut writer = lock(&self.writer);
        if writer.is_some() {
            return;
        }
        let shared = Arc::clone(self);
        let started = thread::Builder::new()
            .name("meanwhile-store".to_owned())
            .spawn(move || shared.write_all());
        match started {
            Ok(handle) => *writer = Some(handle),
            // Tried again when somebody looks; until then all waits in memory like on a full disk.
            Err(error) => {
                let problem = format!("cannot start the store's writer: {error}");
                if !self.backlog.is_held() {
                    self.warn(&problem);
                }
                self.backlog.mark_held(problem, Duration::ZERO);
            }
        }
    }

    /// Writes `change` now if that is possible at once, and else in its turn.
    pub(super) fn write_or_submit(self: &Arc<Self>, change: Change) {
        if !self.backlog.is_empty() || self.write(Patience::Short, iter::once(&change)).is_err() {
            self.submit(change);
            self.backlog.settle();
        }
    }

    /// Likewise, past whatever waits: nothing of it concerns the same task.
    pub(super) fn write_ahead_or_submit(self: &Arc<Self>, change: Change) {
        if self.backlog.is_held() || self.write(Patience::Short, iter::once(&change)).is_err() {
            self.submit(change);
        }
    }

    pub(super) fn settle(self: &Arc<Self>) -> Settled {
        if self.backlog.is_held() {
            self.start_writer();
        }
        self.backlog.settle()
    }

    /// The thread `meanwhile-store`: ends when the store is closed, with nothing left that can be written.
    pub(super) fn write_all(&self) {
        const FIRST_PAUSE: Duration = Duration::from_millis(20);
        const LONGEST_PAUSE: Duration = Duration::from_secs(1);
        let (mut pause, mut said) = (FIRST_PAUSE, None);
        // How long to wait for more before what is written already, and could not be synced, is synced.
        let mut unsynced = None;
        while let Some(batch) = self.backlog.next_batch(unsynced) {
            // When it is closed it is tried once more: the last failure may be a second ago.
            let is_last = self.backlog.is_closed();
            let written = if batch.is_empty() {
                Ok(())
            } else {
                self.write(Patience::Again, batch.iter().map(|change| &**change))
            };
            match written {
                Ok(()) => {
                    self.backlog.mark_written();
                    let is_due =
                        unsynced.is_some() || batch.iter().any(|change| change.is_ending());
                    match if is_due { self.sync_log() } else { Ok(()) } {
                        Ok(()) => {
                            unsynced = None;
                            self.backlog.mark_durable();
                        }
                        Err(error) => {
                            if unsynced.replace(LONGEST_PAUSE).is_none() {
                                self.warn(&error.to_string());
                            }
                        }
                    }
                    if said.take().is_some() {
                        self.warn("the store takes writes again, and nothing was lost");
                    }
                    pause = FIRST_PAUSE;
                }
                Err(error) => {
                    let problem = error.to_string();
                    if said.as_ref() != Some(&problem) {
                        self.warn(&format!(
                            "{problem}; what ends now is kept in memory until the store takes writes again"
                        ));
                        said = Some(problem.clone());
                    }
                    if is_last {
                        return;
                    }
                    self.backlog.mark_held(problem, pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Makes what was committed safe from a power cut.
    pub(super) fn sync_log(&self) -> Result<(), StoreError> {
        let _one_at_a_time = lock(&self.syncing);
        if !self.is_unsynced.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let log = lock(&self.database).log();
        let synced = log.and_then(|log| log.map(|log| log.sync_data().map(|()| log)).transpose());
        let log = synced.map_err(|error| {
            self.is_unsynced.store(true, Ordering::Release);
            StoreError::io("cannot sync the store", error)
        })?;
        if let Some(log) = log
            && let Err(error) = database::shorten_log(&self.folder, &log)
        {
            self.warn(&error.to_string());
        }
        Ok(())
    }
}
