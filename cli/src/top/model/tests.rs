use meanwhile_core::Owner;
use meanwhile_queue::Notice;

use super::*;
use crate::top::sample::{ended, id, news, page, queued, running};

fn model(rows: Vec<Row>) -> Model {
    let mut model = Model::new(Scope::default());
    assert_eq!(model.resize(10), Step::Stay);
    model.hear(news(rows));
    model
}

fn three() -> Model {
    model(vec![running(0), queued(1), ended(2, Notice::Pending)])
}

fn press(model: &mut Model, code: KeyCode) -> Step {
    model.key(KeyEvent::new(code, KeyModifiers::NONE))
}

fn char(model: &mut Model, key: char) -> Step {
    press(model, KeyCode::Char(key))
}

/// Reads the selected task, with an answer.
fn reading(model: &mut Model) {
    char(model, 'r');
    model.hear(page(running(0), &["one"]));
    assert!(model.output.is_some());
}

#[test]
fn the_selection_moves_and_stops_at_both_ends() {
    let mut model = three();
    assert_eq!(model.selected, Some(id(0)));
    for (key, place) in [
        (KeyCode::Down, 1),
        (KeyCode::Char('j'), 2),
        (KeyCode::Down, 2),
        (KeyCode::Up, 1),
        (KeyCode::Char('k'), 0),
        (KeyCode::Char('k'), 0),
        (KeyCode::PageDown, 2),
        (KeyCode::Home, 0),
        (KeyCode::Char('G'), 2),
    ] {
        assert_eq!(press(&mut model, key), Step::Stay);
        assert_eq!(model.place(), Some(place), "{key:?}");
    }
}

#[test]
fn the_selection_stays_with_its_task_and_else_with_its_place() {
    let mut model = three();
    char(&mut model, 'j');
    model.hear(news(vec![
        running(0),
        ended(2, Notice::Told),
        ended(1, Notice::Told),
    ]));
    assert_eq!(model.selected, Some(id(1)));
    model.hear(news(vec![running(0), running(2)]));
    assert_eq!(model.selected, Some(id(2)));
    model.hear(news(vec![]));
    assert_eq!(model.selected, None);
    for key in ['j', 'k', 'r', 'f', 's', 'K', 'G', 'a', 'o'] {
        char(&mut model, key);
    }
    model.hear(news(vec![running(0)]));
    assert_eq!(model.selected, Some(id(0)));
}

#[test]
fn a_stop_is_asked_about_and_sent_on_yes_alone() {
    let polite = Stop::by(EndedBy::User);
    for (key, stop) in [('s', polite), ('K', polite.grace(Duration::ZERO))] {
        let mut model = three();
        assert_eq!(char(&mut model, key), Step::Stay);
        assert!(model.question.is_some());
        assert_eq!(char(&mut model, 'q'), Step::Stay);
        assert!(model.question.is_none());
        assert!(model.message.contains("goes on"), "{}", model.message);

        char(&mut model, key);
        let sent = Step::Ask(Request::Stop(id(0), stop));
        assert_eq!(char(&mut model, 'y'), sent);
        assert!(model.question.is_none());
    }
}

#[test]
fn what_has_ended_is_not_stopped() {
    let mut model = three();
    char(&mut model, 'G');
    char(&mut model, 's');
    assert!(model.question.is_none());
    assert!(model.message.contains("has ended"), "{}", model.message);
}

#[test]
fn the_task_whose_output_is_read_can_be_stopped() {
    let mut model = three();
    reading(&mut model);
    char(&mut model, 's');
    let question = model.question.as_ref().map(|question| question.task);
    assert_eq!(question, Some(id(0)));
}

#[test]
fn keys_scroll_the_output() {
    let mut model = three();
    let asked = Step::Ask(Request::Read(id(0), 10, Scroll::Start));
    assert_eq!(press(&mut model, KeyCode::Enter), asked);
    model.hear(page(running(0), &["one"]));
    for (key, scroll) in [
        (KeyCode::Down, Scroll::Down(1)),
        (KeyCode::Char('k'), Scroll::Up(1)),
        (KeyCode::PageDown, Scroll::PageDown),
        (KeyCode::PageUp, Scroll::PageUp),
        (KeyCode::Char('g'), Scroll::Start),
        (KeyCode::Char('G'), Scroll::End),
        (KeyCode::Char('f'), Scroll::Follow),
    ] {
        assert_eq!(press(&mut model, key), Step::Ask(Request::Scroll(scroll)));
    }
    assert_eq!(model.resize(4), Step::Ask(Request::Resize(4)));
}

#[test]
fn back_from_the_output_and_quit_are_the_same_key() {
    let mut model = three();
    reading(&mut model);
    assert_eq!(char(&mut model, 'q'), Step::Ask(Request::Close));
    assert!(model.output.is_none());
    assert_eq!(char(&mut model, 'q'), Step::Quit);
}

#[test]
fn a_page_that_comes_late_is_not_shown() {
    let mut model = three();
    reading(&mut model);
    press(&mut model, KeyCode::Esc);
    model.hear(page(running(0), &["late"]));
    assert!(model.output.is_none());
}

#[test]
fn the_scope_is_toggled() {
    let mut model = three();
    let mut scope = Scope::default();
    for (key, ended, session) in [
        ('a', EndedTasks::All, None),
        ('o', EndedTasks::All, Some(Owner::new("coder"))),
        ('a', EndedTasks::Unread, Some(Owner::new("coder"))),
        ('o', EndedTasks::Unread, None),
    ] {
        scope.ended = ended;
        scope.session = session;
        let asked = Step::Ask(Request::Look(scope.clone()));
        assert_eq!(char(&mut model, key), asked);
    }
}

#[test]
fn control_c_quits_from_everywhere() {
    let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    let mut model = three();
    assert_eq!(model.key(control_c), Step::Quit);
    reading(&mut model);
    assert_eq!(model.key(control_c), Step::Quit);
    char(&mut model, 's');
    assert_eq!(model.key(control_c), Step::Quit);
}

#[test]
fn any_key_closes_the_help_and_does_nothing_else() {
    let mut model = three();
    char(&mut model, '?');
    assert_eq!(model.help, Help::Shown);
    assert_eq!(char(&mut model, 'q'), Step::Stay);
    assert_eq!(model.help, Help::Hidden);
}
