//! Background tasks for programs that work in turns: the traits and types that everything else in
//! `meanwhile` is made of, with no runtime and no operating system in it.
//!
//! An agent launches a long command and gets an id back at once ([`Tasks::launch`]). A backend, any
//! implementation of [`Lifecycle`], carries the task through its phases. Its end becomes a
//! [`Notification`] in a [`NotificationQueue`], and the agent's next turn drains it
//! ([`Inbox::drain`]), without ever asking.
//!
//! The way of one task, with no way back:
//!
//! ```text
//! Tasks::launch(spec) -> Lifecycle::launch(spec, Report) -> the work runs, its output is captured
//!     -> exit seen -> Report::exited(ending) -> NotificationQueue::push -> drain -> the agent's turn
//! ```
//!
//! - To run tasks, take a backend (`meanwhile-thread`, `meanwhile-tokio`, `meanwhile-smol`) and a queue
//!   (`meanwhile-queue`), and put them into [`Tasks`].
//! - To write a backend, implement [`Lifecycle`] and [`Task`], drive a [`Supervision`], and prove it with
//!   `meanwhile-testkit`.

#![forbid(unsafe_code)]

mod admission;
mod blocking;
mod exit;
mod handle;
mod id;
mod job;
mod launch_error;
mod lifecycle;
mod notification;
mod output;
mod queue;
mod record;
mod report;
mod spec;
mod supervision;
mod tasks;

pub use async_trait::async_trait;
pub use event_listener::{Event as WakeUp, EventListener};

pub use crate::exit::{EndedBy, Ending, Exit, ExitStatus, Outcome, OutputStats, StartFailure};
pub use crate::handle::{Attached, Handle, State};
pub use crate::id::{EventId, Owner, ParseIdError, TaskId};
pub use crate::job::{Cancellation, Job, JobContext, JobError, JobOutput};
pub use crate::launch_error::{LaunchError, LaunchErrorKind};
pub use crate::lifecycle::{Capabilities, Lifecycle, Stop, Task};
pub use crate::notification::Notification;
pub use crate::output::{Chunk, NoOutput, Output, Stream};
pub use crate::queue::{Drained, Inbox, NotificationQueue};
pub use crate::report::Report;
pub use crate::spec::{Notify, OutputFiles, OutputLimit, Spec, SpecError, Stdin, Survivors, Work};
pub use crate::supervision::{Action, Event, Supervision, Sweep, Ticket, Verdict};
pub use crate::tasks::{Remaining, Shutdown, Tasks, TasksBuilder};
