//! A check that cannot fail is worth nothing: each is shown a backend or queue that breaks its promise, and
//! must say so, in its own words; and the same one without the flaw, which must pass.
//!
//! The naive backend looks into `/proc`, so this is for Linux; the checks are not.

#![cfg(target_os = "linux")]

mod broken;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use meanwhile_testkit::set_patience;

/// For each flaw, the checks that catch it and a piece of what they say.
macro_rules! rejects {
    ($kind:ident, $make:expr => $($flaw:ident { $($check:ident: $said:literal)* })*) => {
        mod $kind {
            $(
                #[expect(non_snake_case, reason = "it is the name of the flaw")]
                mod $flaw {
                    use meanwhile_testkit::$kind;
                    use tempfile::tempdir;

                    use crate::broken::$kind::*;
                    use crate::rejected;
                    $(
                        #[test]
                        fn $check() {
                            let home = tempdir().unwrap();
                            $kind::$check(|| $make(Flaw::None, home.path()));
                            rejected($said, || $kind::$check(|| $make(Flaw::$flaw, home.path())));
                        }
                    )*
                }
            )*
        }
    };
}

rejects! { backend, Naive::new =>
    SpawnsInLaunch { launch_returns_before_the_spawn: "spawned the process itself" }
    WaitsInLaunch { launch_returns_while_the_task_runs: "waited for the end" }
    FeedsInputInLaunch { launch_does_not_wait_for_its_input_to_be_read: "to read its input" }
    ForgetsTheReport { every_id_is_told_exactly_once: "no end was told" }
    CallsAFailedStartACode { what_the_system_refuses_is_an_exit: "not as failed to start" }
    TellsBeforeTheEnd {
        the_end_is_told_after_the_end: "while the leader lives"
        max_running_is_kept: "more run than may"
    }
    CallsEveryCodeOne { exit_code_is_the_leaders_own: "not the leader's" }
    CallsASignalCodeZero { a_signal_is_told_as_a_signal: "not told as it was" }
    SaysThatAllEndThemselves { who_ended_it_is_told: "who ended it is not told" }
    CountsNoBytes {
        start_and_end_and_bytes_are_told: "it wrote 5 and 3 bytes"
        output_that_the_task_cuts_off_is_counted: "0 bytes were counted"
    }
    SaysNoStart { start_and_end_and_bytes_are_told: "has a start" }
    WaitsForHeldOutput { exit_does_not_wait_for_held_output: "no end was told" }
    NamesNoLeader { the_leader_is_named: "its leader is named" }
    NamesItselfForLeader { the_leader_is_named: "another process was named" }
    SeesTheGroupOnly {
        setsid_survivor_is_counted: "left the group was not counted"
        stop_reaches_what_left_the_group: "alive after the end"
    }
    SeesTheLeaderOnly {
        exit_does_not_wait_for_held_output: "was not counted"
        stop_reaches_the_whole_tree: "alive after the end"
        timeout_stops_the_tree_and_says_so: "alive after the end"
    }
    StopsWithTheLeader { leader_dies_but_member_ignores_term: "alive after the end" }
    KillsAtOnce {
        stop_grants_the_grace: "no time to end politely"
        term_ignorers_are_killed_after_the_grace: "before the grace was over"
    }
    SendsTheUsualSignal { a_stop_may_name_its_signal: "another signal came" }
    KillsNever { term_ignorers_are_killed_after_the_grace: "no end was told" }
    TakesTheGraceOfTheSpecOnly { grace_zero_kills_at_once: "not killed at once" }
    WakesNobody { stopped_processes_are_reached: "no end was told" }
    KillsSurvivors { natural_end_leaves_survivors_alone: "to be released" }
    LeavesSurvivors {
        survivors_stop_if_the_spec_says_so: "alive after the end"
        survivors_that_fork_meanwhile_are_stopped: "alive after the end"
    }
    BelievesTheLastStop { stop_twice_and_after_the_end: "took the place of the first" }
    HearsOneStop { a_later_stop_may_shorten_the_grace: "no end was told" }
    HearsNoStopBeforeTheStart { stop_at_once_after_launch: "no end was told" }
    HearsFewStops { hundreds_of_stops_at_once: "no end was told" }
    HearsNoShutdown {
        dropping_tasks_kills: "the task is told"
        shutdown_stops_everything_and_is_bounded: "not over in time"
    }
    InheritsStdin { stdin_is_at_its_end: "no end was told" }
    GivesNoInput { stdin_bytes_are_read: "bytes were given" }
    WantsItsInputRead { stdin_bytes_may_stay_unread: "FailedToStart" }
    SharesOurGroup { own_process_group: "does not lead a group" }
    ForgetsTheEnvironment { environment_is_what_was_asked_for: "what was added is not there" }
    ForgetsTheFolder { cwd_is_what_was_asked_for: "runs elsewhere" }
    LooksUpInOurPath { a_program_is_looked_up_in_its_own_path: "was not found" }
    LosesTheOrder { output_is_in_order_byte_for_byte: "in another form" }
    ManglesBytes { output_is_in_order_byte_for_byte: "in another form" }
    MergesAlways { split_output: "no file of its own" }
    ShowsOutputAtTheEnd { output_is_readable_while_it_runs: "while the task runs" }
    CallsTheOutputLimitAnEnd { stop_after_output_limit: "another one ended it" }
    PassesEveryLineAsArgument { a_large_command_runs: "FailedToStart" }
    TakesALineForOptions { a_line_that_begins_with_a_dash_runs: "taken for an option" }
    WritesWithoutAppending { output_that_the_task_cuts_off_is_counted: "nobody wrote that" }
    ForgetsTheTimeout {
        timeout_stops_the_tree_and_says_so: "no end was told"
        job_has_a_deadline: "no end was told"
    }
    CutsTheTimeout { deadline_counts_from_the_start_of_the_run: "it had only" }
    CallsATimeoutWithCodeAnEnd { a_timeout_is_told_whatever_the_code: "a timeout was told as" }
    ClearsOutputOnStop { output_before_the_timeout_is_kept: "is gone" }
    LeaksADescriptor { nothing_is_left_behind: "no descriptor is left behind" }
    GivesUpWithoutDescriptors { a_lack_of_descriptors_passes: "the start was given up" }
    LeavesAZombie { nothing_is_left_behind: "no zombie is left behind" }
    CallsAJobErrorSuccess { job_runs_and_ends: "Code(0)" }
    DiesOfAPanic { job_panic_is_an_end: "Lost" }
    DiesOfADrop { a_job_that_panics_when_it_is_dropped_harms_no_other: "Lost" }
    DiesOfAnError { an_error_that_panics_when_it_is_shown_harms_no_other: "Lost" }
    AsksNoJob { job_is_cancelled: "no end was told" }
    LeavesJobsRunning {
        job_that_ignores_its_cancellation_is_dropped_after_the_grace: "left running"
    }
}

/// What the naive backend cannot do, flaw or none.
mod naive {
    use meanwhile_testkit::backend;
    use tempfile::tempdir;

    use crate::broken::backend::{Flaw, Naive};
    use crate::rejected;

    macro_rules! cannot {
        ($($check:ident: $said:literal)*) => {
            $(
                #[test]
                fn $check() {
                    let home = tempdir().unwrap();
                    rejected($said, || backend::$check(|| Naive::new(Flaw::None, home.path())));
                }
            )*
        };
    }

    cannot! {
        // `std::process::Command` closes nothing and leaves signals as they are.
        no_descriptor_is_inherited: "descriptors"
        signals_are_default_and_unblocked: "blocked or ignored"
        // Its files grow without end.
        output_is_kept_within_its_limit: "bytes are kept"
        output_is_bounded_while_it_runs: "the middle is dropped"
        what_follows_a_cut_can_be_read: "the middle is dropped"
        // It has a thread for each task.
        a_thousand_at_once: "threads were added"
    }

    /// This check runs its test once more, by the name of the thread. In that run it has to fail.
    #[test]
    fn ignored_signals_are_default_again() {
        let again = std::thread::Builder::new().name("naive::under_ignored_signals".to_owned());
        let check = || rejected("blocked or ignored", check_ignored_signals);
        again.spawn(check).unwrap().join().unwrap();
    }

    #[test]
    fn under_ignored_signals() {
        if std::env::var_os("MEANWHILE_TESTKIT_SIGNALS_ARE_IGNORED").is_some() {
            check_ignored_signals();
        }
    }

    fn check_ignored_signals() {
        let home = tempdir().expect("a folder for temporary files can be made");
        backend::ignored_signals_are_default_again(|| Naive::new(Flaw::None, home.path()));
    }
}

/// What `Tasks` sees to, so that no backend can break it: these pass.
mod kept_by_tasks {
    use meanwhile_testkit::backend;
    use tempfile::tempdir;

    use crate::broken::backend::{Flaw, Naive};

    macro_rules! accepts {
        ($($check:ident)*) => {
            $(
                #[test]
                fn $check() {
                    let home = tempdir().unwrap();
                    backend::$check(|| Naive::new(Flaw::None, home.path()));
                }
            )*
        };
    }

    accepts! {
        what_is_invalid_leaves_no_id
        the_notification_is_there_before_the_exit
        dropping_handles_changes_nothing
        shutdown_may_leave_what_runs
        tasks_start_in_order
        queued_tasks_can_be_stopped
    }
}

rejects! { queue, |flaw, _| NaiveQueue::new(flaw) =>
    ShowsAPushWithTheNext {
        push_makes_it_drainable_before_it_returns: "is not pending"
        whoever_sees_the_exit_finds_the_notification: "before its notification"
    }
    LastInFirstOut { fifo_per_owner: "not in the order" }
    MixesOwners { owners_are_apart: "another's items" }
    BelievesEveryOwner { owners_are_apart: "another owner's word" }
    TakesTooMany { drain_takes_all_or_the_first_n: "none was asked for" }
    LosesOnLease {
        unacknowledged_comes_back_with_the_same_event_id: "is not pending"
        concurrent_producers_and_drainers_lose_and_double_nothing: "endings were told"
    }
    LeasesNothing { drained_is_not_drained_again_within_its_lease: "drained twice" }
    ChangesTheEventId { unacknowledged_comes_back_with_the_same_event_id: "as it was" }
    PutsBackAtTheEnd { unacknowledged_comes_back_at_its_old_place: "old place" }
    TakesAcknowledgedForReleased {
        acknowledged_never_comes_back: "came back"
        concurrent_producers_and_drainers_lose_and_double_nothing: "told twice"
    }
    KeepsLeasesForever { lease_runs_out: "lease of zero" }
    ForgetsAllOnUnknownEvents { unknown_events_are_ignored: "what is pending" }
    DropsWhenFull { a_full_queue_drops_no_ending_and_blocks_nobody: "endings were told" }
    BlocksWhenFull { a_full_queue_drops_no_ending_and_blocks_nobody: "blocks when the queue is full" }
    TellsWhatWasConsumed { consumed_is_not_told: "read elsewhere" }
    WakesNobody { push_wakes_async_and_blocking_waiters: "async code" }
    WakesOne { push_wakes_async_and_blocking_waiters: "async code" }
    WakesNobodyOnRelease { release_wakes_waiters: "given back" }
}

/// Nothing is demanded of a backend that declares nothing: it is never called.
mod declares_nothing {
    use std::sync::Arc;

    use meanwhile_core::{Capabilities, Lifecycle, Report, Spec, Task};

    #[derive(Debug)]
    struct DeclaresNothing;

    impl Lifecycle for DeclaresNothing {
        fn launch(&self, _: Arc<Spec>, _: Report) -> Box<dyn Task> {
            panic!("this backend can do nothing");
        }

        fn capabilities(&self) -> Capabilities {
            Capabilities::none()
        }
    }

    meanwhile_testkit::backend!(|| DeclaresNothing);
}

/// Demands that the check fails, and says this.
fn rejected(said: &str, check: impl FnOnce()) {
    set_patience(Duration::from_secs(6));
    let failed = catch_unwind(AssertUnwindSafe(check));
    let panic = failed.expect_err("the check let what is broken pass");
    let message = match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => panic.downcast_ref::<&str>().unwrap_or(&"").to_string(),
    };
    assert!(
        message.contains(said),
        "the check failed for another reason: {message}"
    );
}
