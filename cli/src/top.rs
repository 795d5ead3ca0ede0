//! `meanwhile top`: a live view of the tasks on the whole screen.
//!
//! This thread draws (`view.rs`) and knows what a key does (`model.rs`); another one reads the terminal, and a third
//! (`lookout.rs`) looks at the store, the output files and the process table, and stops tasks.

mod look;
mod lookout;
mod meter;
mod model;
mod pager;
mod rows;
#[cfg(test)]
mod sample;
mod view;

use std::io::{self, IsTerminal};
use std::thread;

use meanwhile_core::Owner;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event};
use smol::channel::{self, Receiver};
use smol::future;

use self::lookout::News;
use self::model::{Model, Step};
use self::rows::Scope;
use self::view::{Palette, View, page_lines};
use crate::args;
use crate::error::Error;
use crate::signals::{self, Signals};
use crate::store;

/// Shows the tasks until the person has seen enough.
pub(crate) fn run(args: &args::Top) -> Result<u8, Error> {
    if !io::stdout().is_terminal() {
        return Err(Error::failed(
            "top: stdout is no terminal; `meanwhile ls` lists tasks, `meanwhile inbox --follow` tells as they end",
        ));
    }
    let scope = Scope {
        session: args.session.as_deref().map(Owner::new),
        ..Scope::default()
    };
    // Bounded: nothing is drawn while the terminal takes nothing, and then nothing is to be looked at either.
    let (tell, news) = channel::bounded(16);
    let (ask, requests) = channel::unbounded();
    // Weak: the news ends when the lookout does.
    let warnings = tell.downgrade();
    let store = store::open_with(move |line| {
        if let Some(tell) = warnings.upgrade() {
            // Where there is no room there is more to read than anybody can.
            let _ = tell.try_send(News::Said(line.to_owned()));
        }
    })?;
    lookout::start(store, scope.clone(), requests, tell)
        .map_err(|error| Error::own("cannot start a thread", error))?;
    let signals = Signals::catch()?;
    let mut screen = Screen::take()?;
    let sources = Sources {
        terminal: read_terminal()?,
        news,
        signals,
    };

    let mut model = Model::new(scope);
    let mut view = View::new(Palette::from_env());
    let mut step = model.resize(page_lines(screen.height()?));
    loop {
        match step {
            Step::Quit => return Ok(0),
            // If the lookout is gone, the end of the news tells.
            Step::Ask(request) => drop(ask.try_send(request)),
            Step::Stay => {}
        }
        screen.draw(|frame| view.draw(frame, &model))?;
        step = match smol::block_on(sources.next())? {
            Wake::Terminal(Event::Key(key)) => model.key(key),
            Wake::Terminal(Event::Resize(_, lines)) => model.resize(page_lines(lines)),
            Wake::Terminal(_) => Step::Stay,
            Wake::News(news) => {
                model.hear(news);
                Step::Stay
            }
            Wake::Signal(signal) => return Ok(signals::exit_code(signal)),
        };
    }
}

/// All that changes what is shown.
struct Sources {
    terminal: Receiver<io::Result<Event>>,
    news: Receiver<News>,
    signals: Signals,
}

enum Wake {
    Terminal(Event),
    News(News),
    Signal(i32),
}

impl Sources {
    /// The next thing that happens; of several, the keys first.
    async fn next(&self) -> Result<Wake, Error> {
        let over = |_| Error::failed("top: a thread of it has failed");
        let terminal = async {
            let event = self.terminal.recv().await.map_err(over)?;
            event
                .map(Wake::Terminal)
                .map_err(|error| Error::own("cannot read the terminal", error))
        };
        let news = async { self.news.recv().await.map(Wake::News).map_err(over) };
        let signal = async { Ok(Wake::Signal(self.signals.next().await)) };
        future::or(terminal, future::or(news, signal)).await
    }
}

/// The thread ends with the first error, or with the process.
fn read_terminal() -> Result<Receiver<io::Result<Event>>, Error> {
    let (sender, events) = channel::unbounded();
    let read = move || {
        loop {
            let event = event::read();
            let failed = event.is_err();
            if sender.send_blocking(event).is_err() || failed {
                break;
            }
        }
    };
    thread::Builder::new()
        .name("top-terminal".to_owned())
        .spawn(read)
        .map_err(|error| Error::own("cannot start a thread", error))?;
    Ok(events)
}

/// The terminal, taken for the whole screen. It is given back as it was: when this is dropped, and by a panic's hook
/// before the panic is told.
struct Screen(DefaultTerminal);

impl Screen {
    fn take() -> Result<Self, Error> {
        ratatui::try_init().map(Self).map_err(|error| {
            give_back();
            Error::own("cannot use the terminal", error)
        })
    }

    fn height(&self) -> Result<u16, Error> {
        let size = self.0.size();
        size.map(|size| size.height)
            .map_err(|error| Error::own("cannot ask for the size of the terminal", error))
    }

    fn draw(&mut self, draw: impl FnOnce(&mut ratatui::Frame<'_>)) -> Result<(), Error> {
        self.0
            .draw(draw)
            .map(drop)
            .map_err(|error| Error::own("cannot write to the terminal", error))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// What cannot be given back is gone: there is nobody to tell.
fn give_back() {
    let _ = ratatui::try_restore();
}
