//! What is wrong with an expression, and where: a message with a caret under the place.

pub use chainrule::view::Span;
use std::fmt;

/// A mistake in what the user gave: the expression, the values of the variables, or an option.
#[derive(Clone, Debug)]
pub struct Problem {
    message: String,
    span: Option<Span>,
    /// The text that `span` is part of; filled in by whoever knows it.
    text: Option<String>,
    /// Lines below the caret: shapes of the operands, what to do.
    notes: Vec<String>,
}

impl Problem {
    /// A problem at a place of the text that is being read.
    pub fn at(span: Span, message: impl Into<String>) -> Problem {
        Problem {
            span: Some(span),
            ..Problem::new(message)
        }
    }

    /// A problem without a place.
    pub fn new(message: impl Into<String>) -> Problem {
        Problem {
            message: message.into(),
            span: None,
            text: None,
            notes: Vec::new(),
        }
    }

    /// Adds a line below the caret.
    pub fn note(mut self, note: impl Into<String>) -> Problem {
        self.notes.push(note.into());
        self
    }

    /// Adds what to do about it.
    pub fn help(self, help: impl fmt::Display) -> Problem {
        self.note(format!("help: {help}"))
    }

    /// Says which text the place belongs to, unless that is known.
    pub fn within(mut self, text: &str) -> Problem {
        self.text.get_or_insert_with(|| text.to_owned());
        self
    }
}

/// Characters of the text that are shown on either side of the caret.
const AROUND: usize = 48;

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.message)?;
        if let (Some(span), Some(text)) = (self.span, &self.text) {
            let (line, carets) = underlined(text, span);
            write!(out, "\n    {line}\n    {carets}")?;
        }
        for note in &self.notes {
            write!(out, "\n    {note}")?;
        }
        Ok(())
    }
}

/// The line that holds `span`, shortened to what is around it, and a line of carets below it.
fn underlined(text: &str, span: Span) -> (String, String) {
    let start = floor(text, span.start);
    let end = floor(text, span.end).max(start);
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let before: Vec<char> = text[line_start..start].chars().collect();
    let inside: Vec<char> = text[start..end.min(line_end)].chars().collect();
    let after: Vec<char> = text[end.min(line_end).max(start)..line_end]
        .chars()
        .collect();

    let mut line = String::new();
    let skipped = before.len().saturating_sub(AROUND);
    if skipped > 0 {
        line.push('…');
    }
    line.extend(before[skipped..].iter().map(printable));
    let indent = line.chars().count();
    let shown = inside.len().min(2 * AROUND);
    line.extend(inside[..shown].iter().map(printable));
    let room = AROUND.min(2 * AROUND - shown).min(after.len());
    line.extend(after[..room].iter().map(printable));
    if shown < inside.len() || room < after.len() {
        line.push('…');
    }
    (
        line,
        format!("{}{}", " ".repeat(indent), "^".repeat(shown.max(1))),
    )
}

/// Control characters would move the caret, or worse, the user's terminal.
fn printable(character: &char) -> char {
    if character.is_control() {
        ' '
    } else {
        *character
    }
}

/// The nearest character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_place() {
        let problem = Problem::at(Span::new(4, 7), "unknown").within("x + foo * y");
        assert_eq!(problem.to_string(), "unknown\n    x + foo * y\n        ^^^");
    }

    #[test]
    fn letters_of_several_bytes_count_once() {
        let text = "αβ + q";
        let problem = Problem::at(Span::new(7, 8), "unknown").within(text);
        assert_eq!(problem.to_string(), "unknown\n    αβ + q\n         ^");
    }

    #[test]
    fn long_texts_are_shown_in_part() {
        let text = format!("{}!{}", "x+".repeat(5_000), "+x".repeat(5_000));
        let shown = Problem::at(Span::new(10_000, 10_001), "no")
            .within(&text)
            .to_string();
        assert!(
            shown.lines().all(|line| line.chars().count() < 120),
            "{shown}"
        );
        let caret = shown.lines().nth(2).unwrap().find('^').unwrap();
        assert_eq!(shown.lines().nth(1).unwrap().chars().nth(caret), Some('!'));
    }
}
