//! Text from outside, made harmless for the screen.

/// One line of `text`, in which every character stands where it is drawn: nothing in it moves the cursor, reorders what
/// is around it, or takes another width on the terminal than it is counted for.
pub(crate) fn plain(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in console::strip_ansi_codes(text).chars() {
        match c {
            '\t' => line.push_str("    "),
            // Of a command that has several lines.
            '\n' => line.push(' '),
            c if c.is_control() || moves_or_hides(c) => line.push(char::REPLACEMENT_CHARACTER),
            c => line.push(c),
        }
    }
    line
}

/// Line ends that are no control characters, bidirectional controls, and what has no shape of its own. The joiners and
/// selectors are among them: with them, terminals disagree on the width of what they join.
fn moves_or_hides(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_the_cursor_is_left() {
        for (text, shown) in [
            ("a\x1b[2J\x1b[1;1Hb", "ab"),
            ("a\x1b]0;title\x07b", "ab"),
            ("a\rb\x08c\nd", "a�b�c d"),
            ("a\u{9b}2Jb", "ab"),
            ("\x1b", "�"),
            ("a\u{202e}b\u{2028}c\u{200d}d", "a�b�c�d"),
            ("a\tb", "a    b"),
            ("añ字e\u{301}", "añ字e\u{301}"),
        ] {
            assert_eq!(plain(text), shown, "{text:?}");
        }
    }
}
