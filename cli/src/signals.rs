//! The signals that ask this program to end.

use std::io;
use std::thread;
use std::time::Duration;

pub(crate) use signal_hook::consts::SIGHUP;
use signal_hook::consts::{SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals as Caught;
use smol::{channel, future};

use crate::error::Error;
use crate::pause::pause;

/// SIGTERM, SIGINT, SIGQUIT and SIGHUP, one after the other.
#[derive(Debug)]
pub(crate) struct Signals(channel::Receiver<i32>);

impl Signals {
    /// From here on they do not end the program by themselves. The thread that waits for them ends with the process.
    ///
    /// A SIGHUP that is ignored stays ignored: that is what `nohup` is for.
    pub(crate) fn catch() -> Result<Self, Error> {
        let failed = |error: io::Error| Error::own("cannot catch signals", error);
        let mut wanted = vec![SIGTERM, SIGINT, SIGQUIT];
        if !is_ignored(SIGHUP) {
            wanted.push(SIGHUP);
        }
        let mut caught = Caught::new(wanted).map_err(failed)?;
        let (sender, receiver) = channel::unbounded();
        let pass_on = move || {
            for signal in caught.forever() {
                if sender.send_blocking(signal).is_err() {
                    break;
                }
            }
        };
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(pass_on)
            .map_err(failed)?;
        Ok(Self(receiver))
    }

    /// Does `work`, unless a signal asks for the end before it is done: then the exit code says which.
    pub(crate) async fn or_end(
        &self,
        work: impl Future<Output = Result<u8, Error>>,
    ) -> Result<u8, Error> {
        future::or(work, async { Ok(exit_code(self.next().await)) }).await
    }

    pub(crate) async fn next(&self) -> i32 {
        match self.0.recv().await {
            Ok(signal) => signal,
            Err(_) => future::pending().await,
        }
    }
}

/// Ends when the last of what is to be said has had its time, after a signal has asked for the end: a reader who does
/// not read must not keep the program alive.
pub(crate) async fn enough_said() {
    pause(Duration::from_secs(5)).await;
}

/// After the shell's custom, 128 + n.
pub(crate) fn exit_code(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(u8::MAX)
}

/// Asks /proc, because the call that tells, sigaction, has no safe form. Where there is no /proc: no.
fn is_ignored(signal: i32) -> bool {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let mask = status
                .lines()
                .find_map(|line| line.strip_prefix("SigIgn:"))?;
            u64::from_str_radix(mask.trim(), 16).ok()
        })
        .is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
