//! The checks that every backend and queue of meanwhile passes, ours and yours.
//!
//! A backend is an implementation of [`Lifecycle`](meanwhile_core::Lifecycle), a queue one of
//! [`NotificationQueue`](meanwhile_core::NotificationQueue). What they must keep is written on the traits;
//! here each of those promises is a named check, a public function in [`mod@backend`] or [`mod@queue`] that
//! panics if the promise is broken. One line in a test file runs them all, each as a test of its own name:
//!
//! ```
//! # fn my_backend() -> impl meanwhile_core::Lifecycle { unimplemented!() as std::sync::Arc<dyn meanwhile_core::Lifecycle> }
//! # fn my_queue() -> impl meanwhile_core::NotificationQueue { unimplemented!() as std::sync::Arc<dyn meanwhile_core::NotificationQueue> }
//! mod backend {
//! #    use super::*;
//!     meanwhile_testkit::backend!(|| my_backend());
//! }
//! mod queue {
//! #    use super::*;
//!     meanwhile_testkit::queue!(|| my_queue());
//! }
//! ```
//!
//! The closure makes a fresh backend or queue for each check. What a backend's
//! [`Capabilities`](meanwhile_core::Capabilities) do not declare is not demanded of it: such a check prints
//! `not demanded: ...` and passes. The checks that count the descriptors, threads or children of the test
//! process run while no other check does, so all of them may run as threads of one process.

#![forbid(unsafe_code)]

#[cfg(not(unix))]
compile_error!(
    "meanwhile-testkit runs its checks with a POSIX shell, named pipes and signals: Linux and macOS only"
);

pub mod backend;
mod folder;
mod probe;
mod process;
pub mod queue;
mod trial;
mod wait;

pub use crate::wait::{patience, set_patience};

/// Runs every check of [`mod@backend`] against the backend that the closure makes, each as a `#[test]`.
#[macro_export]
macro_rules! backend {
    ($make:expr $(,)?) => {
        $crate::__tests! { backend, $make =>
            // the launch
            launch_returns_before_the_spawn
            launch_returns_while_the_task_runs
            the_leader_is_named
            launch_does_not_wait_for_its_input_to_be_read
            // what becomes of a launch
            every_id_is_told_exactly_once
            what_the_system_refuses_is_an_exit
            what_is_invalid_leaves_no_id
            // the order of what is told
            the_notification_is_there_before_the_exit
            the_end_is_told_after_the_end
            // the end
            exit_code_is_the_leaders_own
            a_signal_is_told_as_a_signal
            who_ended_it_is_told
            start_and_end_and_bytes_are_told
            // who outlives the leader
            exit_does_not_wait_for_held_output
            setsid_survivor_is_counted
            // stopping
            stop_reaches_the_whole_tree
            stop_reaches_what_left_the_group
            stop_grants_the_grace
            a_stop_may_name_its_signal
            grace_zero_kills_at_once
            term_ignorers_are_killed_after_the_grace
            leader_dies_but_member_ignores_term
            stopped_processes_are_reached
            natural_end_leaves_survivors_alone
            survivors_stop_if_the_spec_says_so
            survivors_that_fork_meanwhile_are_stopped
            stop_twice_and_after_the_end
            a_later_stop_may_shorten_the_grace
            stop_at_once_after_launch
            hundreds_of_stops_at_once
            // what a task finds around it
            stdin_is_at_its_end
            stdin_bytes_are_read
            stdin_bytes_may_stay_unread
            no_descriptor_is_inherited
            signals_are_default_and_unblocked
            ignored_signals_are_default_again
            own_process_group
            environment_is_what_was_asked_for
            cwd_is_what_was_asked_for
            a_program_is_looked_up_in_its_own_path
            // output
            output_is_in_order_byte_for_byte
            split_output
            output_is_readable_while_it_runs
            output_is_kept_within_its_limit
            output_is_bounded_while_it_runs
            stop_after_output_limit
            output_that_the_task_cuts_off_is_counted
            what_follows_a_cut_can_be_read
            a_large_command_runs
            a_line_that_begins_with_a_dash_runs
            // deadlines
            timeout_stops_the_tree_and_says_so
            a_timeout_is_told_whatever_the_code
            output_before_the_timeout_is_kept
            // cleaning up
            nothing_is_left_behind
            dropping_handles_changes_nothing
            dropping_tasks_kills
            shutdown_stops_everything_and_is_bounded
            shutdown_may_leave_what_runs
            // scale
            a_thousand_at_once
            a_lack_of_descriptors_passes
            // no more at once than is allowed
            max_running_is_kept
            tasks_start_in_order
            queued_tasks_can_be_stopped
            deadline_counts_from_the_start_of_the_run
            // jobs
            job_runs_and_ends
            job_panic_is_an_end
            a_job_that_panics_when_it_is_dropped_harms_no_other
            an_error_that_panics_when_it_is_shown_harms_no_other
            job_is_cancelled
            job_that_ignores_its_cancellation_is_dropped_after_the_grace
            job_has_a_deadline
        }
    };
}

/// Runs every check of [`mod@queue`] against the queue that the closure makes, each as a `#[test]`.
#[macro_export]
macro_rules! queue {
    ($make:expr $(,)?) => {
        $crate::__tests! { queue, $make =>
            // pushes
            push_makes_it_drainable_before_it_returns
            whoever_sees_the_exit_finds_the_notification
            // order and owners
            fifo_per_owner
            owners_are_apart
            drain_takes_all_or_the_first_n
            // leases
            drained_is_not_drained_again_within_its_lease
            unacknowledged_comes_back_with_the_same_event_id
            unacknowledged_comes_back_at_its_old_place
            acknowledged_never_comes_back
            lease_runs_out
            unknown_events_are_ignored
            // a full queue
            a_full_queue_drops_no_ending_and_blocks_nobody
            // what was read elsewhere
            consumed_is_not_told
            // waiting, and all of it at once
            push_wakes_async_and_blocking_waiters
            release_wakes_waiters
            concurrent_producers_and_drainers_lose_and_double_nothing
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __tests {
    ($module:ident, $make:expr => $($check:ident)*) => {
        $(
            #[test]
            fn $check() {
                $crate::$module::$check($make);
            }
        )*
    };
}
