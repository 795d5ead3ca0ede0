use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use meanwhile_core::Owner;
use meanwhile_queue::Notice;

use super::*;
use crate::top::lookout::News;
use crate::top::rows::{Row, Scope, State};
use crate::top::sample::{IDS, ended, id, news, page, queued, running};

fn model(rows: Vec<Row>) -> Model {
    let mut model = Model::new(Scope::default());
    model.hear(news(rows));
    model
}

fn press(model: &mut Model, key: char) {
    model.key(KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE));
}

fn buffer(model: &Model, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let mut view = View::new(Palette::Coloured);
    terminal.draw(|frame| view.draw(frame, model)).unwrap();
    terminal.backend().buffer().clone()
}

fn lines(model: &Model, width: u16, height: u16) -> Vec<String> {
    let buffer = buffer(model, width, height);
    let cells = buffer.content.chunks(usize::from(width));
    cells
        .map(|row| row.iter().map(|cell| cell.symbol()).collect())
        .collect()
}

fn find<'a>(lines: &'a [String], words: &str) -> &'a str {
    lines
        .iter()
        .find(|line| line.contains(words))
        .unwrap_or_else(|| panic!("{words}: {lines:#?}"))
}

#[test]
fn a_running_task_says_how_far_it_is_and_what_it_takes() {
    let shown = lines(&model(vec![running(0)]), 80, 24);
    let first = find(&shown, IDS[0]);
    for words in ["▌ ", "npm test", "46.0 s", "usually 92 s", "█████░░░░░"] {
        assert!(first.contains(words), "{words}: {first}");
    }
    let second = find(&shown, "PASS src/auth.test.js");
    for words in ["2.00 KiB/s", "cpu 140%", "64.00 MiB"] {
        assert!(second.contains(words), "{words}: {second}");
    }
}

#[test]
fn unread_endings_are_marked_and_stand_below() {
    let rows = vec![
        running(0),
        ended(1, Notice::Pending),
        ended(2, Notice::Told),
    ];
    let shown = lines(&model(rows), 80, 24);
    let place = |words: &str| shown.iter().position(|line| line.contains(words)).unwrap();
    let heading = place("ended, not told yet");
    assert!(place(IDS[0]) < heading && heading < place(IDS[1]));
    let unread = find(&shown, IDS[1]);
    assert!(
        unread.contains('●') && unread.contains("failed (3)"),
        "{unread}"
    );
    assert!(!find(&shown, IDS[2]).contains('●'));
}

#[test]
fn sessions_are_named_if_there_are_several() {
    let one = lines(&model(vec![running(0), queued(1)]), 80, 24);
    assert!(!find(&one, IDS[0]).contains("coder"));
    let mut other = queued(1);
    other.session = Owner::new("re\x1b[2Jviewer");
    let two = lines(&model(vec![running(0), other]), 80, 24);
    assert!(find(&two, IDS[0]).contains("coder"));
    assert!(find(&two, IDS[1]).contains("reviewer"));
}

#[test]
fn the_selected_task_is_in_sight_however_many_there_are() {
    let mut rows = vec![running(0)];
    rows.extend((0..50).map(|_| {
        let mut row = queued(1);
        row.id = meanwhile_core::TaskId::random();
        row
    }));
    rows.push(ended(2, Notice::Pending));
    let mut model = model(rows);
    for (key, wanted) in [('G', id(2)), ('g', id(0))] {
        press(&mut model, key);
        let shown = lines(&model, 80, 12);
        assert!(find(&shown, "▌").contains(wanted.as_str()), "{shown:#?}");
    }
    let near_the_end = model.rows.rows[50].id;
    model.selected = Some(near_the_end);
    let shown = lines(&model, 80, 12);
    assert!(
        find(&shown, "▌").contains(near_the_end.as_str()),
        "{shown:#?}"
    );
}

#[test]
fn nothing_panics_on_any_size() {
    let mut long = running(0);
    long.title = "字".repeat(300);
    let mut reading = model(vec![long.clone()]);
    press(&mut reading, 'r');
    reading.hear(page(long.clone(), &["一行", "", "x"]));
    let mut shifted = model(vec![long.clone()]);
    press(&mut shifted, 'r');
    shifted.hear(page(long.clone(), &["一行"]));
    shifted.key(KeyEvent::new(KeyCode::Right, KeyModifiers::NONE));
    let mut asking = model(vec![long.clone(), queued(1), ended(2, Notice::Pending)]);
    press(&mut asking, 's');
    let mut helping = model(vec![]);
    press(&mut helping, '?');
    for model in [reading, shifted, asking, helping] {
        for width in [0, 1, 2, 3, 5, 12, 15, 20, 40, 61, 62, 80, 200] {
            for height in (0..8).chain([24, 50]) {
                buffer(&model, width, height);
            }
        }
    }
}

#[test]
fn no_colour_is_used_without_colours() {
    let rows = vec![running(0), queued(1), ended(2, Notice::Pending)];
    let mut asking = model(rows.clone());
    press(&mut asking, 's');
    let mut helping = model(rows);
    press(&mut helping, '?');
    for model in [asking, helping] {
        let is_coloured = |palette| {
            let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
            let mut view = View::new(palette);
            terminal.draw(|frame| view.draw(frame, &model)).unwrap();
            let cells = &terminal.backend().buffer().content;
            cells
                .iter()
                .any(|cell| (cell.fg, cell.bg) != (Color::Reset, Color::Reset))
        };
        assert!(is_coloured(Palette::Coloured));
        assert!(!is_coloured(Palette::Plain));
    }
}

#[test]
fn the_output_is_cut_and_shifted_and_its_place_told() {
    let mut model = model(vec![running(0)]);
    press(&mut model, 'r');
    model.hear(page(running(0), &["0123456789012345678901234567890"]));
    let shown = lines(&model, 70, 10);
    assert!(
        shown[0].contains("npm test") && shown[0].contains("25%"),
        "{}",
        shown[0]
    );
    assert!(shown[1].starts_with("01234"));
    press(&mut model, 'l');
    assert!(lines(&model, 70, 10)[1].starts_with("01234567890 "));
    press(&mut model, 's');
    assert!(find(&lines(&model, 70, 10), "y/n").contains(IDS[0]));
}

#[test]
fn what_is_said_cannot_move_the_cursor() {
    let mut model = model(vec![]);
    model.hear(News::Said("no\x1b[2J room\n".to_owned()));
    assert!(find(&lines(&model, 80, 24), "no room").starts_with("no room"));
}

#[test]
fn a_gauge_is_full_at_the_usual_time() {
    for (passed, bar) in [
        (0, "░░░░░░░░░░"),
        (45, "████░░░░░░"),
        (92, "██████████"),
        (500, "██████████"),
    ] {
        let mut row = running(0);
        row.elapsed = std::time::Duration::from_secs(passed);
        assert!(matches!(row.state, State::Running(_)));
        let shown = lines(&model(vec![row]), 80, 24);
        assert!(find(&shown, IDS[0]).contains(bar), "{passed}: {shown:#?}");
    }
}

#[test]
fn no_room_is_left_empty_while_tasks_are_out_of_sight() {
    let mut model = model((0..3).map(running).collect());
    press(&mut model, 'G');
    let mut terminal = Terminal::new(TestBackend::new(80, 6)).unwrap();
    let mut view = View::new(Palette::Plain);
    terminal.draw(|frame| view.draw(frame, &model)).unwrap();
    let shows_first = |terminal: &Terminal<TestBackend>| {
        let cells = terminal.backend().buffer().content.iter();
        let text: String = cells.map(|cell| cell.symbol()).collect();
        text.contains(IDS[0])
    };
    assert!(!shows_first(&terminal), "there is no room for it");
    terminal.backend_mut().resize(80, 24);
    terminal.draw(|frame| view.draw(frame, &model)).unwrap();
    assert!(shows_first(&terminal));
}

#[test]
fn of_a_task_that_ended_no_output_is_promised() {
    let task = ended(0, Notice::Told);
    let mut reading = model(vec![task.clone()]);
    press(&mut reading, 'r');
    reading.hear(page(task, &[]));
    let shown = lines(&reading, 80, 24);
    assert!(!find(&shown, "no output").contains("yet"), "{shown:#?}");
}
