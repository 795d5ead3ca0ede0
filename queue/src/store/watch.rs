//! Listening to other processes that share the store, and recovering those that die meanwhile.

use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use notify::RecommendedWatcher;

use super::bell::Heard;
use super::shared::Shared;
use super::{database, ownership};

impl Shared {
    /// Begins to listen to other processes, once.
    pub(super) fn watch(self: &Arc<Self>) {
        self.watch.get_or_init(|| {
            let watch = start_watch(self)
                .inspect_err(|error| {
                    self.warn(&format!(
                        "cannot hear of what other processes do, and looks every second: {error}"
                    ));
                })
                .ok();
            // Elsewhere nothing is heard of a file that is closed, and so of no death.
            if watch.is_none() || !cfg!(target_os = "linux") {
                self.look();
            }
            watch
        });
    }

    fn look(self: &Arc<Self>) {
        let shared = Arc::downgrade(self);
        let looking = thread::Builder::new()
            .name("meanwhile-look".to_owned())
            .spawn(move || look_every_second(&shared));
        if let Err(error) = looking {
            self.warn(&format!("cannot look for what other processes do: {error}"));
        }
    }
}

fn start_watch(shared: &Arc<Shared>) -> io::Result<RecommendedWatcher> {
    let owners = ownership::folder_in(&shared.folder);
    // Made here, so that it can be watched before anybody is in it.
    if !shared.is_read_only() {
        database::make_folder(&owners)?;
    }
    let (deaths, died) = mpsc::channel();
    // One may have died since the store was opened.
    let _ = deaths.send(());
    let listener = Arc::downgrade(shared);
    let watcher = shared
        .bell
        .watch(&owners, move |heard| hear(heard, &listener, &deaths))
        .map_err(io::Error::other)?;
    let shared = Arc::downgrade(shared);
    thread::Builder::new()
        .name("meanwhile-recover".to_owned())
        .spawn(move || recover_after_deaths(&died, &shared))?;
    Ok(watcher)
}

fn hear(heard: Heard, shared: &Weak<Shared>, deaths: &Sender<()>) {
    match heard {
        Heard::Change => {
            if let Some(shared) = shared.upgrade() {
                shared.changed.notify(usize::MAX);
            }
        }
        // What others do from here on they do in another folder of that name.
        Heard::Removal => {
            if let Some(shared) = shared.upgrade() {
                shared.look();
            }
        }
        // The thread is gone only if the store is.
        Heard::Death => drop(deaths.send(())),
    }
}

/// The thread `meanwhile-recover`: ends with the watcher, when the store is dropped.
fn recover_after_deaths(died: &Receiver<()>, shared: &Weak<Shared>) {
    // The lock of a dead process is freed a moment after its file is seen to be closed.
    let pauses = [1, 20, 200, 2_000].map(Duration::from_millis);
    while died.recv().is_ok() {
        let mut looks = 0;
        while let Some(pause) = pauses.get(looks) {
            match died.recv_timeout(*pause) {
                // Another one, whose lock may not be free yet when the first one's is.
                Ok(()) => looks = 0,
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    let Some(shared) = shared.upgrade() else {
                        return;
                    };
                    // What cannot be done now, on a full disk, is tried after the last pause again and again: there may
                    // be nobody else who opens the store. Who may not be looked at now may not later either.
                    let is_done = shared.settle_estates().is_ok();
                    let is_last = looks + 1 == pauses.len();
                    if is_done || !is_last {
                        looks += 1;
                    }
                }
            }
        }
    }
}

/// The thread `meanwhile-look`, where not everything can be heard of: ends a second after the store is dropped.
fn look_every_second(shared: &Weak<Shared>) {
    loop {
        thread::sleep(Duration::from_secs(1));
        let Some(shared) = shared.upgrade() else {
            return;
        };
        // What cannot be done now is tried in a second.
        let _ = shared.recover();
        shared.changed.notify(usize::MAX);
    }
}
