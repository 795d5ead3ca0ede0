use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;

use tempfile::NamedTempFile;

use super::*;

fn pager(output: &[u8], height: usize) -> (NamedTempFile, Pager) {
    let file = NamedTempFile::new().unwrap();
    fs::write(file.path(), output).unwrap();
    let pager = Pager::open(file.path(), height).unwrap();
    (file, pager)
}

fn numbered(lines: std::ops::Range<usize>) -> String {
    lines.map(|line| format!("line {line}\n")).collect()
}

#[test]
fn a_window_moves_by_lines_and_pages_and_stops_at_both_ends() {
    let (_file, mut pager) = pager(numbered(0..100).as_bytes(), 10);
    let mut after = |scroll: Scroll| {
        pager.scroll(scroll).unwrap();
        let window = pager.window().unwrap();
        assert_eq!(window.lines.len(), 10, "{scroll:?}");
        window.lines[0].clone()
    };
    for (scroll, first) in [
        (Scroll::Down(1), "line 1"),
        (Scroll::PageDown, "line 10"),
        (Scroll::Up(2), "line 8"),
        (Scroll::PageUp, "line 0"),
        (Scroll::Up(1), "line 0"),
        (Scroll::End, "line 90"),
        (Scroll::Down(5), "line 90"),
        (Scroll::PageUp, "line 81"),
        (Scroll::Start, "line 0"),
        (Scroll::Down(1000), "line 90"),
    ] {
        assert_eq!(after(scroll), first, "{scroll:?}");
    }
}

#[test]
fn up_and_down_meet_the_same_lines() {
    let mut output = String::new();
    for line in 0..300 {
        output.push_str(&"x".repeat(line * 67 % 9000));
        output.push_str(["\n", "\r\n", "\r", "\n\n"][line % 4]);
    }
    let (_file, mut pager) = pager(output.as_bytes(), 1);
    let all: Vec<u64> = pager
        .lines(0, u64::MAX, usize::MAX)
        .unwrap()
        .iter()
        .map(|line| line.start)
        .collect();
    assert!(all.len() > 500, "{}", all.len());
    let mut down = vec![pager.top];
    for _ in 1..all.len() {
        pager.scroll(Scroll::Down(1)).unwrap();
        down.push(pager.top);
    }
    assert_eq!(down, all);
    let mut up = vec![pager.top];
    for _ in 1..all.len() {
        pager.scroll(Scroll::Up(1)).unwrap();
        up.push(pager.top);
    }
    up.reverse();
    assert_eq!(up, all);
}

#[test]
fn a_carriage_return_ends_a_line_and_with_a_newline_only_one() {
    let (_file, mut pager) = pager(b"dos\r\n10 %\r20 %\r\n\r\nlast", 9);
    let window = pager.window().unwrap();
    assert_eq!(window.lines, ["dos", "10 %", "20 %", "", "last"]);
}

#[test]
fn a_follower_stays_at_the_end_and_another_stays_where_it_is() {
    let (file, mut pager) = pager(numbered(0..20).as_bytes(), 5);
    pager.scroll(Scroll::Follow).unwrap();
    assert_eq!(pager.window().unwrap().lines[4], "line 19");
    let mut more = OpenOptions::new().append(true).open(file.path()).unwrap();
    more.write_all(b"line 20\nline 21").unwrap();
    let window = pager.window().unwrap();
    assert_eq!(window.lines[4], "line 21");
    assert_eq!(window.end, window.written);
    pager.scroll(Scroll::Up(1)).unwrap();
    more.write_all(b"!\nline 22\n").unwrap();
    let window = pager.window().unwrap();
    assert_eq!(window.lines[4], "line 20");
    assert!(!window.following);
}

#[test]
fn what_was_dropped_is_one_line_from_both_sides() {
    let file = NamedTempFile::new().unwrap();
    let output = File::create(file.path()).unwrap();
    let far = 100 << 20;
    output
        .write_all_at("top\n".repeat(1024).as_bytes(), 0)
        .unwrap();
    output.write_all_at(b"bottom\n", far).unwrap();
    let mut pager = Pager::open(file.path(), 3).unwrap();
    pager.scroll(Scroll::End).unwrap();
    let window = pager.window().unwrap();
    let dropped = format!("[{} bytes were dropped here]", far - 4096);
    assert_eq!(window.lines, ["top", &dropped, "bottom"]);
    pager.scroll(Scroll::Up(1)).unwrap();
    assert_eq!(pager.window().unwrap().lines, ["top", "top", &dropped]);
}

#[test]
fn a_file_that_was_cut_off_is_shown_from_its_end() {
    let (file, mut pager) = pager(numbered(0..50).as_bytes(), 5);
    pager.scroll(Scroll::End).unwrap();
    fs::write(file.path(), "new\n").unwrap();
    assert_eq!(pager.window().unwrap().lines, ["new"]);
}

#[test]
fn an_empty_output_and_an_empty_window_are_no_error() {
    let (_file, mut empty) = pager(b"", 5);
    for scroll in [Scroll::Down(1), Scroll::PageUp, Scroll::End, Scroll::Follow] {
        empty.scroll(scroll).unwrap();
        assert!(empty.window().unwrap().lines.is_empty());
    }
    let (_file, mut flat) = pager(b"a\nb\n", 0);
    for scroll in [Scroll::PageDown, Scroll::PageUp, Scroll::End] {
        flat.scroll(scroll).unwrap();
        assert!(flat.window().unwrap().lines.is_empty());
    }
}
