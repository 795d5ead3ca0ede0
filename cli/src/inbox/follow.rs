//! A line for each ending, as it comes.

use meanwhile_agent::{Item, ending, one_line};
use meanwhile_core::{Inbox, Notification};
use meanwhile_queue::Store;
use smol::future;

use super::EXCERPT;
use crate::args;
use crate::error::Error;
use crate::stdio::{self, Output, ReaderWatch, json_line};
use crate::watch;

/// Goes on until its reader is gone, and gives the program's exit code.
pub(super) async fn follow(store: &Store, inbox: &Inbox, args: &args::Inbox) -> Result<u8, Error> {
    let reader = ReaderWatch::start()?;
    let output = Output::bounded(1)?;
    let tell = async {
        loop {
            let is_pending = || Ok((inbox.pending() > 0).then_some(()));
            watch::until(store, is_pending).await?;
            // One at a time: the lease of one that waits behind a slow reader would run out.
            let drained = inbox.drain_up_to(1);
            let Some(ended) = drained.first() else {
                continue;
            };
            let line = if args.json {
                json_line(&Item::read(ended, EXCERPT))
            } else {
                line(ended).into_bytes()
            };
            if let Err(error) = output.write_through(line).await {
                return stdio::had_enough(error);
            }
            drained.acknowledge();
        }
    };
    let unheard = async { stdio::had_enough(reader.gone().await) };
    future::or(tell, unheard).await.map(|()| 0)
}

fn line(ended: &Notification) -> String {
    let about = ended.description.as_deref().unwrap_or(&ended.command);
    let (id, ending, about) = (ended.task_id, ending(&ended.exit), one_line(about, 300));
    format!("{id} {ending}: {about}\n")
}
