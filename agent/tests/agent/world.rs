//! A backend that does what a test says, and shorthands for calling tools on it.

use std::fmt::Debug;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use futures_lite::future::{block_on, poll_once};
use meanwhile_agent::{ToolResult, ToolUse, Toolbox};
use meanwhile_core::{
    Capabilities, Chunk, EndedBy, Ending, ExitStatus, Lifecycle, Output, OutputStats, Owner,
    Report, Spec, Stop, Stream, Task, Tasks,
};
use meanwhile_queue::MemoryQueue;
use serde_json::{Value, json};

/// A toolbox over a scripted backend.
pub(crate) struct World {
    pub(crate) backend: Scripted,
    pub(crate) tasks: Tasks,
    pub(crate) queue: Arc<MemoryQueue>,
    pub(crate) tools: Toolbox,
}

impl World {
    pub(crate) fn new() -> Self {
        let backend = Scripted::default();
        let queue = Arc::new(MemoryQueue::new());
        let tasks = Tasks::new(backend.clone(), Arc::clone(&queue));
        let tools = Toolbox::new(tasks.clone(), Owner::new("tester"));
        Self {
            backend,
            tasks,
            queue,
            // No test depends on the machine.
            tools: tools.with_cores(1000.try_into().unwrap()),
        }
    }

    /// Calls a tool that answers at once.
    pub(crate) fn call(&self, name: &str, input: Value) -> ToolResult {
        let mut call = Box::pin(self.tools.call(ToolUse::new(name, input)));
        block_on(poll_once(&mut call)).expect("this call is answered by its first poll")
    }

    /// Calls a tool that has to wait, up to its first wait.
    pub(crate) fn begin(&self, name: &str, input: Value) -> Call {
        let mut call: Call = Box::pin(self.tools.call(ToolUse::new(name, input)));
        let answer = block_on(poll_once(&mut call));
        assert!(answer.is_none(), "answered at once: {answer:?}");
        call
    }

    /// Launches a command in the background and returns its id.
    pub(crate) fn launch(&self, command: &str) -> String {
        let input = json!({"command": command, "run_in_background": true});
        self.call("Bash", input).task.unwrap().id.to_string()
    }
}

pub(crate) type Call = Pin<Box<dyn Future<Output = ToolResult> + Send>>;

/// A backend whose tasks run until the test ends them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scripted(Arc<Mutex<Vec<Arc<Live>>>>);

/// One of its tasks.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) spec: Arc<Spec>,
    pub(crate) stops: Mutex<Vec<Stop>>,
    report: Mutex<Option<Report>>,
    output: Arc<Written>,
}

impl Scripted {
    /// The last task of this command.
    pub(crate) fn task(&self, command: &str) -> Arc<Live> {
        let tasks = self.0.lock().unwrap();
        let task = tasks.iter().rfind(|task| task.spec.command() == command);
        Arc::clone(task.unwrap_or_else(|| panic!("{command} was launched")))
    }

    pub(crate) fn launches(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl Live {
    pub(crate) fn write(&self, bytes: impl AsRef<[u8]>) {
        self.output.bytes.lock().unwrap().extend(bytes.as_ref());
    }

    /// Drops what was written in this range.
    pub(crate) fn drop_middle(&self, range: Range<usize>) {
        *self.output.dropped.lock().unwrap() = range;
    }

    pub(crate) fn exit(&self, code: i32) {
        self.end(Ending::of(ExitStatus::Code(code)));
    }

    pub(crate) fn end(&self, mut ending: Ending) {
        ending.output = OutputStats {
            bytes: self.output.bytes.lock().unwrap().len() as u64,
            dropped: self.output.dropped.lock().unwrap().len() as u64,
        };
        let report = self.report.lock().unwrap().take();
        report.expect("a task ends once").exited(ending);
    }

    pub(crate) fn end_by(&self, status: ExitStatus, by: EndedBy) {
        self.end(Ending::of(status).ended_by(by));
    }
}

impl Lifecycle for Scripted {
    fn launch(&self, spec: Arc<Spec>, report: Report) -> Box<dyn Task> {
        report.started();
        let live = Arc::new(Live {
            spec,
            stops: Mutex::default(),
            output: Arc::new(Written::at(format!("/spool/{}", report.id()))),
            report: Mutex::new(Some(report)),
        });
        self.0.lock().unwrap().push(Arc::clone(&live));
        Box::new(Control(live))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::none().with_commands()
    }
}

#[derive(Debug)]
struct Control(Arc<Live>);

impl Task for Control {
    fn stop(&self, stop: Stop) {
        self.0.stops.lock().unwrap().push(stop);
    }

    fn output(&self) -> Arc<dyn Output> {
        Arc::clone(&self.0.output) as _
    }
}

/// Output in memory.
#[derive(Debug)]
struct Written {
    path: PathBuf,
    bytes: Mutex<Vec<u8>>,
    dropped: Mutex<Range<usize>>,
}

impl Written {
    fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            bytes: Mutex::default(),
            dropped: Mutex::new(0..0),
        }
    }
}

impl Output for Written {
    fn read(&self, _: Stream, offset: u64, limit: usize) -> io::Result<Chunk> {
        let bytes = self.bytes.lock().unwrap();
        let dropped = self.dropped.lock().unwrap().clone();
        let asked = usize::try_from(offset).unwrap().min(bytes.len());
        let from = if dropped.contains(&asked) {
            dropped.end
        } else {
            asked
        };
        let until = if from < dropped.start {
            dropped.start
        } else {
            bytes.len()
        };
        let to = until.min(from.saturating_add(limit));
        Ok(Chunk {
            offset: offset.max(from as u64),
            bytes: bytes[from..to].to_vec(),
        })
    }

    fn written(&self, _: Stream) -> io::Result<u64> {
        Ok(self.bytes.lock().unwrap().len() as u64)
    }

    fn path(&self, _: Stream) -> Option<&Path> {
        Some(&self.path)
    }
}
