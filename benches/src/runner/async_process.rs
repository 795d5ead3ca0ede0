use std::io;
use std::process::{ExitStatus, Stdio};

use async_process::Command;
use smol::channel::{Receiver, Sender, unbounded};
use smol::future;

use super::{Program, Runner};

/// `async-process`, and a task on smol's executor for each child that waits for it.
#[derive(Debug)]
pub(super) struct AsyncProcess {
    running: usize,
    ended: (
        Sender<io::Result<ExitStatus>>,
        Receiver<io::Result<ExitStatus>>,
    ),
    /// Closed, it stops all.
    stop: (Sender<()>, Receiver<()>),
}

impl AsyncProcess {
    /// On the global executor.
    pub(super) fn new() -> Self {
        Self {
            running: 0,
            ended: unbounded(),
            stop: unbounded(),
        }
    }

    fn wait(&mut self) -> ExitStatus {
        let status = self.ended.1.recv_blocking();
        self.running -= 1;
        status
            .expect("this holds a sender")
            .expect("nobody else waits for this child")
    }
}

impl Runner for AsyncProcess {
    fn launch(&mut self, program: Program) {
        let mut child = Command::new(program.path())
            .args(program.args())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program is on every system");
        let (stop, ended) = (self.stop.1.clone(), self.ended.0.clone());
        let wait = async move {
            let natural = async { Some(child.status().await) };
            let stopped = async {
                // Nothing is ever sent: it ends when it is closed.
                let _ = stop.recv().await;
                None
            };
            let status = match future::or(natural, stopped).await {
                Some(status) => status,
                None => match child.kill() {
                    Ok(()) => child.status().await,
                    Err(refused) => Err(refused),
                },
            };
            // The receiver lives as long as the runner; without it nobody asks.
            let _ = ended.send(status).await;
        };
        self.running += 1;
        smol::spawn(wait).detach();
    }

    fn ended(&mut self) -> usize {
        assert!(self.wait().success(), "it must end by itself");
        1
    }

    fn stop_all(&mut self) {
        self.stop.0.close();
        while self.running > 0 {
            self.wait();
        }
        self.stop = unbounded();
    }
}
