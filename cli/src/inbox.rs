//! `meanwhile inbox`: what ended, handed over.

mod follow;

use std::io::{self, IsTerminal};
use std::sync::Arc;

use meanwhile_agent::{Notifications, Toolbox};
use meanwhile_core::{Inbox, Owner};
use meanwhile_queue::{Selection, Store, TaskRecord};

use crate::args;
use crate::error::Error;
use crate::session_name;
use crate::signals::Signals;
use crate::stdio::{self, Output, print_text};
use crate::store;
use crate::told;

/// How much of each output is excerpted in JSON.
const EXCERPT: usize = 2_000;

/// Tells what ended and gives the program's exit code.
pub(crate) fn run(args: &args::Inbox) -> Result<u8, Error> {
    let owner = Owner::new(session_name::resolve(args.session.as_deref()));
    if args.peek {
        return peek(&store::open()?, &owner, args);
    }
    let store = store::open_to_write("that an ending was told")?;
    let inbox = Inbox::new(Arc::new(store.clone()), owner);
    let signals = Signals::catch()?;
    // Whatever is not acknowledged goes back when it is dropped: at a signal, or if it cannot be written.
    smol::block_on(signals.or_end(async {
        if args.follow {
            follow::follow(&store, &inbox, args).await
        } else {
            take(&store, &inbox, args).await
        }
    }))
}

/// Shows what is pending, in the order in which it ended, without taking it.
fn peek(store: &Store, owner: &Owner, args: &args::Inbox) -> Result<u8, Error> {
    // Of those that are open, the ended ones are those that are pending.
    let open = store.tasks(Selection::Open, Some(owner))?;
    let mut endings: Vec<_> = open.iter().filter_map(TaskRecord::notification).collect();
    endings.sort_by_key(|ended| ended.exit.ended_at);
    if args.json {
        stdio::print(&told::json(&endings, EXCERPT))?;
    } else if endings.is_empty() {
        nothing(store);
    } else {
        stdio::print(told::text(&endings).as_bytes())?;
    }
    Ok(0)
}

/// Hands everything over that is pending, and acknowledges what was written.
async fn take(store: &Store, inbox: &Inbox, args: &args::Inbox) -> Result<u8, Error> {
    let failed = |error| Error::own("cannot write to stdout, what ended stays pending", error);
    let output = Output::bounded(1)?;
    if args.json {
        let drained = inbox.drain();
        let items = told::json(&drained, EXCERPT);
        output.write_through(items).await.map_err(failed)?;
        drained.acknowledge();
        return Ok(0);
    }
    let mut remaining = None;
    while remaining != Some(0) {
        let ended = Notifications::from_inbox(inbox, Toolbox::NOTIFICATION_BUDGET);
        if ended.count == 0 {
            break;
        }
        let text = format!("{}\n", ended.text);
        output
            .write_through(text.into_bytes())
            .await
            .map_err(failed)?;
        remaining = Some(ended.remaining);
        ended.acknowledge();
    }
    if remaining.is_none() {
        nothing(store);
    }
    Ok(0)
}

/// A person may look for what an agent launched.
fn nothing(store: &Store) {
    if !io::stderr().is_terminal() {
        return;
    }
    print_text("Nothing has ended since the last time.");
    // A hint that cannot be had is missed by nobody.
    let open = store.tasks(Selection::Open, None).unwrap_or_default();
    if open.iter().any(|task| task.exit.is_some()) {
        print_text("`meanwhile ls` shows what has ended for others.");
    }
}
