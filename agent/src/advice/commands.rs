//! The commands of a shell line, as far as advice needs to know them.
//!
//! This is no shell parser: it need not be right about every line, only never slow or in the way.

/// The simple commands of a line, each as its words.
#[derive(Debug)]
pub(super) struct Commands<'a>(Vec<Vec<&'a str>>);

impl<'a> Commands<'a> {
    pub(super) fn of(line: &'a str) -> Self {
        let commands = split(line).into_iter().map(words);
        Self(commands.filter(|words| !words.is_empty()).collect())
    }

    pub(super) fn all_are(&self, patterns: &str) -> bool {
        !self.0.is_empty() && self.0.iter().all(|words| fits_one(words, patterns))
    }

    pub(super) fn any_is(&self, patterns: &str) -> bool {
        self.0.iter().any(|words| fits_one(words, patterns))
    }
}

/// At `;`, `|`, `&`, line ends and brackets, outside of quotes.
fn split(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            // `2>&1` and `&>file` redirect; they end no command.
            (None, '&') if before == '>' || line[at + 1..].starts_with('>') => {}
            (None, ';' | '|' | '&' | '\n' | '(' | ')') => {
                parts.push(&line[start..at]);
                start = at + c.len_utf8();
            }
            (None, _) => {}
        }
        before = c;
    }
    parts.push(&line[start..]);
    parts
}

/// Without what stands before the program's name: assignments, and programs that run another one.
fn words(command: &str) -> Vec<&str> {
    const IN_FRONT: &[&str] = &[
        "sudo", "time", "nice", "nohup", "exec", "command", "!", "then", "do",
    ];
    let is_in_front = |word: &&str| {
        let assigns = word.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        });
        assigns || IN_FRONT.contains(word)
    };
    command.split_whitespace().skip_while(is_in_front).collect()
}

fn fits_one(words: &[&str], patterns: &str) -> bool {
    patterns.split(", ").any(|pattern| fits(words, pattern))
}

fn fits(words: &[&str], pattern: &str) -> bool {
    let program = words.first().and_then(|program| program.rsplit('/').next());
    let rest = words.iter().skip(1).copied();
    let mut plain = program
        .into_iter()
        .chain(rest)
        .filter(|word| !is_flag(word));
    pattern.split_whitespace().all(|wanted| {
        if is_flag(wanted) {
            words.contains(&wanted)
        } else {
            plain.next() == Some(wanted)
        }
    })
}

fn is_flag(word: &str) -> bool {
    word.starts_with('-') || word.starts_with('+')
}
