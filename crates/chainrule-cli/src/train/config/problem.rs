//! A mistake in a configuration, shown at its line.

use std::fmt;
use std::ops::Range;

/// A mistake in a configuration: what is wrong, and the line it stands on with a caret below.
#[derive(Debug)]
pub struct Problem {
    pub message: String,
    file: String,
    line: usize,
    column: usize,
    width: usize,
    text: String,
}

impl Problem {
    /// What is wrong with the bytes `span` of the file.
    pub fn at(file: &str, source: &str, span: Range<usize>, message: impl Into<String>) -> Problem {
        let start = span.start.min(source.len());
        let line_start = source[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let text = source[line_start..].lines().next().unwrap_or("");
        let line_end = line_start + text.len();
        let marked = &source[start.min(line_end)..span.end.clamp(start, line_end.max(start))];
        Problem {
            message: message.into(),
            file: file.to_owned(),
            line: source[..start].matches('\n').count() + 1,
            column: source[line_start..start].chars().count() + 1,
            width: marked.trim_end().chars().count().max(1),
            text: text.to_owned(),
        }
    }
}

impl std::error::Error for Problem {}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        // Tabs stay tabs, so that the caret stands below what it means.
        let before: String = self.text.chars().take(self.column - 1).collect();
        let indent: String = before
            .chars()
            .map(|character| if character == '\t' { '\t' } else { ' ' })
            .collect();
        writeln!(out, "{}", self.message)?;
        writeln!(
            out,
            "{margin}--> {}:{}:{}",
            self.file, self.line, self.column
        )?;
        writeln!(out, "{margin} |")?;
        writeln!(out, "{number} | {}", self.text)?;
        write!(out, "{margin} | {indent}{}", "^".repeat(self.width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_below_what_is_wrong() {
        let source = "[run]\n\tepöchs = 3\n";
        let start = source.find("3").unwrap();
        let problem = Problem::at("a.toml", source, start..start + 1, "too few");
        assert_eq!(
            problem.to_string(),
            "too few\n --> a.toml:2:11\n  |\n2 | \tepöchs = 3\n  | \t         ^"
        );
        assert!(
            Problem::at("a.toml", "", 0..0, "empty")
                .to_string()
                .contains("a.toml:1:1")
        );
    }
}
