use std::io;
use std::process::{ExitStatus, Stdio};

use tokio::process::Command;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Program, Runner};

/// `tokio::process`, and a task on the runtime for each child that waits for it.
#[derive(Debug)]
pub(super) struct TokioProcess {
    runtime: Handle,
    children: JoinSet<io::Result<ExitStatus>>,
    stop: watch::Sender<bool>,
}

impl TokioProcess {
    /// On the runtime of `handle`.
    pub(super) fn on(handle: Handle) -> Self {
        Self {
            runtime: handle,
            children: JoinSet::new(),
            stop: watch::Sender::new(false),
        }
    }

    /// Whether there was one to wait for.
    fn wait(&mut self) -> Option<ExitStatus> {
        let ended = self.runtime.block_on(self.children.join_next())?;
        let status = ended.expect("it does not panic");
        Some(status.expect("nobody else waits for this child"))
    }
}

impl Runner for TokioProcess {
    fn launch(&mut self, program: Program) {
        let _entered = self.runtime.enter();
        let mut child = Command::new(program.path())
            .args(program.args())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program is on every system");
        let mut stop = self.stop.subscribe();
        let wait = async move {
            tokio::select! {
                status = child.wait() => return status,
                _ = stop.wait_for(|stop| *stop) => {}
            }
            child.start_kill()?;
            child.wait().await
        };
        self.children.spawn_on(wait, &self.runtime);
    }

    fn ended(&mut self) -> usize {
        let Some(status) = self.wait() else { return 0 };
        assert!(status.success(), "it must end by itself");
        1
    }

    fn stop_all(&mut self) {
        self.stop.send_replace(true);
        while self.wait().is_some() {}
        self.stop.send_replace(false);
    }
}
