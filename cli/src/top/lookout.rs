//! The thread that looks and acts, so that a slow disk or a large store holds up no key.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use meanwhile_core::{EventListener, Stop, TaskId};
use meanwhile_queue::{StopSent, Store};
use smol::channel::{Receiver, Sender};
use smol::{Timer, future};

use super::look::{Looker, Occasion};
use super::pager::{Pager, Scroll, Window};
use super::rows::{Row, Rows, Scope};
use crate::error::Error;
use crate::ids;

/// How often rates are looked at.
const PERIOD: Duration = Duration::from_secs(1);

/// How often it is looked whether an output has grown that somebody follows.
const FOLLOW: Duration = Duration::from_millis(200);

/// How often the tasks of programs that died are dealt with; whose supervisor is gone would be shown as running.
const RECOVERY: Duration = Duration::from_secs(5);

/// The least time between two looks, however often the store changes.
const BREATH: Duration = Duration::from_millis(50);

/// What is asked of the thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Request {
    Look(Scope),
    /// Show the output of this task in so many lines, and go there first.
    Read(TaskId, usize, Scroll),
    Scroll(Scroll),
    /// The window on the output has so many lines now.
    Resize(usize),
    /// Nobody reads any more.
    Close,
    Stop(TaskId, Stop),
}

/// What it tells.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum News {
    Rows(Rows),
    /// Large, beside the others.
    Output(Box<Page>),
    /// A line for the person.
    Said(String),
}

/// A page of output, with whose it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Page {
    pub(super) task: Row,
    pub(super) window: Window,
}

/// Starts the thread. It ends when nobody asks any more.
pub(super) fn start(
    store: Store,
    scope: Scope,
    requests: Receiver<Request>,
    news: Sender<News>,
) -> io::Result<()> {
    let lookout = Lookout {
        looker: Looker::new(store.clone(), scope),
        changes: store.listen_to_all(),
        store,
        reading: None,
        requests,
        news,
        is_stale: true,
        looked: Instant::now(),
        breath: Duration::ZERO,
        recovered: Instant::now(),
    };
    thread::Builder::new()
        .name("top-lookout".to_owned())
        .spawn(|| smol::block_on(lookout.run()))?;
    Ok(())
}

struct Lookout {
    store: Store,
    looker: Looker,
    reading: Option<(TaskId, Pager)>,
    requests: Receiver<Request>,
    news: Sender<News>,
    changes: EventListener,
    /// Whether there was a change, or another scope, since the last look.
    is_stale: bool,
    looked: Instant,
    /// The least time from that look to the next.
    breath: Duration,
    recovered: Instant,
}

enum Wake {
    Asked(Request),
    Changed,
    Time,
    /// Nobody asks any more.
    Over,
}

impl Lookout {
    async fn run(mut self) {
        loop {
            match self.wake().await {
                Wake::Over => break,
                Wake::Asked(request) => self.act(request),
                Wake::Changed => self.is_stale = true,
                Wake::Time => {
                    self.show_output();
                    if self.next_look() <= Instant::now() {
                        self.look();
                    }
                    self.recover();
                }
            }
        }
    }

    async fn wake(&mut self) -> Wake {
        let time = self.next_time();
        let asked = async {
            let request = self.requests.recv().await;
            request.map_or(Wake::Over, Wake::Asked)
        };
        let changed = async {
            if self.is_stale {
                // Many changes are one look.
                future::pending::<()>().await;
            }
            (&mut self.changes).await;
            Wake::Changed
        };
        let time = async {
            Timer::at(time).await;
            Wake::Time
        };
        // Requests come first: behind them are keys.
        future::or(asked, future::or(changed, time)).await
    }

    fn next_look(&self) -> Instant {
        let pause = if self.is_stale {
            self.breath
        } else {
            PERIOD.max(self.breath)
        };
        self.looked + pause
    }

    /// When there is something to do if nothing happens.
    fn next_time(&self) -> Instant {
        let look = self.next_look();
        match &self.reading {
            Some((_, pager)) if pager.is_following() => look.min(Instant::now() + FOLLOW),
            _ => look,
        }
    }

    fn look(&mut self) {
        let occasion = if self.is_stale {
            // Listening begins before the look, so that no change falls between.
            self.changes = self.store.listen_to_all();
            Occasion::Change
        } else {
            Occasion::Time
        };
        self.is_stale = false;
        self.looked = Instant::now();
        match self.looker.look(occasion) {
            Ok(rows) => self.tell(News::Rows(rows)),
            Err(error) => self.say(error.to_string()),
        }
        // A tenth of one core at most, however large the store is.
        self.breath = BREATH.max(self.looked.elapsed() * 10);
    }

    /// Beside the looks: it may take as long as the grace of what is to be stopped.
    fn recover(&mut self) {
        if self.recovered.elapsed() < RECOVERY {
            return;
        }
        self.recovered = Instant::now();
        let store = self.store.clone();
        // What fails is warned of by the store, and tried again.
        smol::unblock(move || store.recover()).detach();
    }

    fn act(&mut self, request: Request) {
        match request {
            Request::Look(scope) => {
                self.looker.set_scope(scope);
                self.is_stale = true;
                self.breath = Duration::ZERO;
            }
            Request::Read(task, lines, scroll) => {
                match self.open(task, lines) {
                    Ok(pager) => self.reading = Some((task, pager)),
                    Err(error) => {
                        self.reading = None;
                        self.say(error.to_string());
                    }
                }
                self.scroll(scroll);
            }
            Request::Scroll(scroll) => self.scroll(scroll),
            Request::Resize(lines) => {
                if let Some((_, pager)) = &mut self.reading {
                    pager.set_height(lines);
                }
                self.show_output();
            }
            Request::Close => self.reading = None,
            Request::Stop(task, stop) => self.stop(task, stop),
        }
    }

    fn open(&self, task: TaskId, lines: usize) -> Result<Pager, Error> {
        let output = ids::again(&self.store, task)?.stdout;
        let none_yet = || io::Error::from(io::ErrorKind::NotFound);
        let pager = output
            .ok_or_else(none_yet)
            .and_then(|output| Pager::open(&output, lines));
        pager.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::failed(format!("{task} has no output")),
            _ => unreadable(task, error),
        })
    }

    fn scroll(&mut self, scroll: Scroll) {
        if let Some((task, pager)) = &mut self.reading
            && let Err(error) = pager.scroll(scroll)
        {
            let error = unreadable(*task, error);
            self.say(error.to_string());
        }
        self.show_output();
    }

    /// Shows the output that is being read as it stands now, if one is.
    fn show_output(&mut self) {
        match self.page() {
            Ok(Some(page)) => self.tell(News::Output(Box::new(page))),
            Ok(None) => {}
            Err(error) => self.say(error.to_string()),
        }
    }

    fn page(&mut self) -> Result<Option<Page>, Error> {
        let Some((id, pager)) = &mut self.reading else {
            return Ok(None);
        };
        let task = Row::of(&ids::again(&self.store, *id)?);
        let window = pager.window().map_err(|error| unreadable(*id, error))?;
        Ok(Some(Page { task, window }))
    }

    fn stop(&self, task: TaskId, stop: Stop) {
        self.say(match self.store.stop(task, stop) {
            Ok(StopSent::AlreadyEnded) => format!("{task} had ended before"),
            Ok(_) => format!("stop sent to {task}"),
            Err(error) => format!("{task} was not stopped: {error}"),
        });
    }

    fn say(&self, line: String) {
        self.tell(News::Said(line));
    }

    /// Nobody hears it any more only when the program ends.
    fn tell(&self, news: News) {
        let _ = self.news.send_blocking(news);
    }
}

fn unreadable(task: TaskId, error: io::Error) -> Error {
    Error::own(format!("cannot read the output of {task}"), error)
}
