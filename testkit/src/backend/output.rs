//! What a task writes.

use std::fs;
use std::os::unix::fs::MetadataExt;

use meanwhile_core::{
    EndedBy, ExitStatus, Handle, Lifecycle, OutputFiles, OutputLimit, OutputStats, Spec, Stop,
    Stream,
};

use crate::folder::HOLD;
use crate::trial::{NOISE, Needs, Trial, not_demanded};
use crate::wait;

/// Both streams in the order in which they were written, and every byte as it was.
pub fn output_is_in_order_byte_for_byte<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::Commands) else {
        return;
    };
    let line = r"i=0
        while [ $i -lt 200 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done
        printf '\000\377\376\r\033[0m\200'";
    let handle = trial.launch(Spec::shell(line));
    trial.end(&handle);
    let mut expected: Vec<u8> = (0..200)
        .flat_map(|i| format!("out {i}\nerr {i}\n").into_bytes())
        .collect();
    expected.extend(b"\0\xff\xfe\r\x1b[0m\x80");
    let read = trial.bytes(&handle, Stream::Stdout);
    assert!(
        read == expected,
        "read in another form: {}",
        read.escape_ascii()
    );
    assert_eq!(
        trial.bytes(&handle, Stream::Stderr),
        b"",
        "stderr is in the same file"
    );
}

/// Each stream in a file of its own, where that is asked for.
pub fn split_output<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::Commands) else {
        return;
    };
    let spec = Spec::shell("echo one; echo two >&2; echo three").output_files(OutputFiles::Split);
    let handle = trial.launch(spec);
    let exit = trial.end(&handle);
    let (out, err) = (trial.text(&handle), trial.bytes(&handle, Stream::Stderr));
    assert_eq!(out, "one\nthree\n", "stdout has no file of its own");
    assert_eq!(err, b"two\n", "stderr has no file of its own");
    assert_eq!(exit.output.bytes, 14, "the bytes of both streams count");
}

/// Output can be read by offset while the task runs, and after it ended.
pub fn output_is_readable_while_it_runs<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::Commands) else {
        return;
    };
    let handle = trial.launch(Spec::shell("printf 0123456789; exec sleep 60"));
    wait::until("the output can be read while the task runs", || {
        handle.exit().is_some() || trial.text(&handle).len() == 10
    });
    assert_eq!(handle.exit(), None, "the task does not run any more");
    let by_offset = |offset, limit| {
        let chunk = handle
            .output(Stream::Stdout, offset, limit)
            .expect("the output can be read");
        (
            chunk.offset,
            String::from_utf8_lossy(&chunk.bytes).into_owned(),
        )
    };
    let read = || (by_offset(3, 4), by_offset(8, 100), by_offset(10, 100));
    let expected = (
        (3, "3456".to_owned()),
        (8, "89".to_owned()),
        (10, String::new()),
    );
    assert_eq!(read(), expected, "while the task runs");
    assert_eq!(
        handle
            .written(Stream::Stdout)
            .expect("the output can be read"),
        10
    );
    handle.stop(Stop::by(EndedBy::Agent));
    trial.end(&handle);
    assert_eq!(read(), expected, "after the task ended");
}

const LIMIT: OutputLimit = OutputLimit::keep(1 << 20);
const WRITTEN: u64 = 32 << 20;
/// Lines of 16 bytes with their numbers in them: each tells at which offset it belongs.
const NUMBERED: &str = r#"awk 'BEGIN { for (i = 0; i < 2097152; i++) printf "%015d\n", i }'"#;
/// File systems give out whole blocks.
const SLACK: u64 = 64 << 10;

/// Of too much output head and tail are kept at their offsets, the middle is dropped and counted, and
/// the task ends as if nothing had been.
pub fn output_is_kept_within_its_limit<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::Commands) else {
        return;
    };
    let handle = trial.launch(Spec::shell(NUMBERED).output_limit(LIMIT));
    let exit = trial.end(&handle);
    assert_eq!(exit.status, ExitStatus::Code(0));
    assert_eq!(
        exit.output.bytes, WRITTEN,
        "what was dropped counts as written"
    );
    let chunks = trial.chunks(&handle, Stream::Stdout);
    let kept: u64 = chunks.iter().map(|chunk| chunk.bytes.len() as u64).sum();
    assert!(kept <= LIMIT.total() + SLACK, "{kept} bytes are kept");
    assert_eq!(
        exit.output.dropped,
        WRITTEN - kept,
        "what was dropped is not counted as it is"
    );
    for chunk in chunks {
        let end = chunk.next_offset();
        let in_head_or_tail =
            end <= LIMIT.head() + SLACK || chunk.offset >= WRITTEN - LIMIT.total();
        assert!(
            in_head_or_tail,
            "kept from the middle: {} to {end}",
            chunk.offset
        );
        assert!(
            chunk.bytes == numbered(chunk.offset, end),
            "wrong bytes at {}",
            chunk.offset
        );
    }
    for (offset, length) in [(0, LIMIT.head()), (WRITTEN - LIMIT.tail(), LIMIT.tail())] {
        let length = usize::try_from(length).expect("a megabyte fits");
        let chunk = handle
            .output(Stream::Stdout, offset, length)
            .expect("it can be read");
        assert_eq!(
            (chunk.offset, chunk.bytes.len()),
            (offset, length),
            "not all was kept"
        );
    }
    if let Some(on_disk) = bytes_on_disk(&handle) {
        assert!(
            on_disk <= LIMIT.total() + SLACK,
            "{on_disk} bytes are on the disk at the end"
        );
    }
}

/// The disk is not filled while the task runs either.
pub fn output_is_bounded_while_it_runs<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let handle = trial.launch(
        trial
            .here(format!("{NUMBERED}\n{HOLD}"))
            .output_limit(LIMIT),
    );
    wait_for_the_middle_to_be_dropped(&handle);
    assert_eq!(
        handle.exit(),
        None,
        "the middle is dropped only after the end"
    );
}

#[track_caller]
fn wait_for_the_middle_to_be_dropped(handle: &Handle) {
    wait::until("the task has written all", || {
        handle
            .written(Stream::Stdout)
            .is_ok_and(|written| written == WRITTEN)
    });
    if bytes_on_disk(handle).is_none() {
        return not_demanded("the output is in no file");
    }
    // Half as much again is left to whoever drops large pieces at a time.
    let bound = LIMIT.total() * 3 / 2;
    wait::until("the middle is dropped while the task runs", || {
        bytes_on_disk(handle).is_some_and(|on_disk| on_disk <= bound)
    });
}

fn bytes_on_disk(handle: &Handle) -> Option<u64> {
    let file = fs::metadata(handle.output_path(Stream::Stdout)?).ok()?;
    Some(file.blocks() * 512)
}

/// What the numbered lines are from one offset to another.
fn numbered(from: u64, to: u64) -> Vec<u8> {
    let lines = (from / 16..to.div_ceil(16)).flat_map(|i| format!("{i:015}\n").into_bytes());
    let length = usize::try_from(to - from).expect("a chunk fits");
    lines.skip((from % 16) as usize).take(length).collect()
}

/// A task that may not write more than its limit is stopped there, and what it wrote is kept.
pub fn stop_after_output_limit<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::Commands) else {
        return;
    };
    let limit = OutputLimit::stop_after(1 << 16);
    let handle = trial.launch(Spec::shell(NOISE).output_limit(limit));
    let exit = trial.end(&handle);
    assert_eq!(exit.ended_by, EndedBy::OutputLimit, "another one ended it");
    assert!(
        exit.output.bytes > limit.total(),
        "it was stopped before its limit"
    );
    assert!(
        trial.text(&handle).starts_with("again and again"),
        "its output was not kept"
    );
}

/// What a task cuts off by itself, as `> /dev/stderr` does with a file, is not counted as something to read.
pub fn output_that_the_task_cuts_off_is_counted<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::Commands) else {
        return;
    };
    let line = "echo first; echo oops > /dev/stderr; echo last";
    let handle = trial.launch(Spec::shell(line));
    assert_eq!(trial.end(&handle).status, ExitStatus::Code(0));
    let text = trial.text(&handle);
    assert!(text.ends_with("last\n"), "the last line is gone: {text:?}");
    assert!(!text.contains('\0'), "nobody wrote that: {text:?}");
    assert_what_is_readable_is_counted(&trial, &handle);
}

/// A cut takes the hole of a dropped middle with it: what is written later does not disappear there.
pub fn what_follows_a_cut_can_be_read<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::LocalProcesses) else {
        return;
    };
    let line = format!("{NUMBERED}\n{HOLD}\n: > /dev/stderr\necho last");
    let handle = trial.launch(trial.here(line).output_limit(LIMIT));
    wait_for_the_middle_to_be_dropped(&handle);
    trial.folder.open("gate");
    assert_eq!(trial.end(&handle).status, ExitStatus::Code(0));
    let text = trial.text(&handle);
    assert!(text.ends_with("last\n"), "the last line is gone");
    assert_what_is_readable_is_counted(&trial, &handle);
}

#[track_caller]
fn assert_what_is_readable_is_counted(trial: &Trial, handle: &Handle) {
    let OutputStats { bytes, dropped } = trial.end(handle).output;
    let readable = trial.bytes(handle, Stream::Stdout).len() as u64;
    assert_eq!(
        bytes.checked_sub(dropped),
        Some(readable),
        "{bytes} bytes were counted, {dropped} of them as dropped, and {readable} can be read"
    );
}

/// A command of any length runs, though no system takes so long an argument.
pub fn a_large_command_runs<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::Commands) else {
        return;
    };
    let word = "x".repeat(300_000);
    let handle = trial.launch(Spec::shell(format!("echo {word}; exit 3")));
    assert_eq!(trial.end(&handle).status, ExitStatus::Code(3));
    assert!(
        trial.text(&handle) == format!("{word}\n"),
        "the command was not run as it was given"
    );
}

/// The shell does not take a line for its options.
pub fn a_line_that_begins_with_a_dash_runs<L: Lifecycle>(make: impl FnOnce() -> L) {
    let Some(trial) = Trial::new(make, Needs::Commands) else {
        return;
    };
    for line in ["-v 2> /dev/null; echo ran", "+v 2> /dev/null; echo ran"] {
        let said = trial.run_for_output(Spec::shell(line));
        assert_eq!(said, "ran\n", "taken for an option: {line}");
    }
}
