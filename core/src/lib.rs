#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod admission;
mod blocking;
mod exit;
mod handle;
mod id;
mod job;
mod launch_error;
mod lifecycle;
mod milestone;
mod notification;
mod orphan;
mod output;
mod queue;
mod record;
mod report;
mod spec;
mod supervision;
mod tasks;

pub use async_trait::async_trait;
pub use event_listener::{Event as WakeUp, EventListener, Listener};

pub use crate::exit::{EndedBy, Ending, Exit, ExitStatus, Outcome, OutputStats, StartFailure};
pub use crate::handle::{Attached, Handle, State};
pub use crate::id::{EventId, Owner, ParseIdError, TaskId};
pub use crate::job::{Cancellation, Job, JobContext, JobError, JobOutput};
pub use crate::launch_error::{LaunchError, LaunchErrorKind};
pub use crate::lifecycle::{Capabilities, Lifecycle, Stop, Task};
pub use crate::milestone::Milestone;
pub use crate::notification::Notification;
pub use crate::orphan::{Orphan, ProcessId};
pub use crate::output::{Chunk, NoOutput, Output, Stream};
pub use crate::queue::{Drained, Inbox, NotificationQueue};
pub use crate::report::Report;
pub use crate::spec::{Notify, OutputFiles, OutputLimit, Spec, SpecError, Stdin, Survivors, Work};
pub use crate::supervision::{Action, Event, Supervision, Sweep, Ticket, Verdict};
pub use crate::tasks::{Remaining, Shutdown, Tasks, TasksBuilder, WeakTasks};
