//! Colour on terminals, and none elsewhere.

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Plain,
    Value,
    Derivative,
    Heading,
    Faint,
}

/// Whether and how to colour, and how wide the terminal is.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub colour: bool,
    pub width: usize,
}

impl Style {
    /// For the standard output as it is: colour on a terminal unless NO_COLOR is set, its width or 100 columns.
    pub fn of_stdout() -> Style {
        use std::io::IsTerminal;
        let terminal = std::io::stdout().is_terminal();
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        let columns = std::env::var("COLUMNS")
            .ok()
            .and_then(|text| text.parse().ok());
        let width = match columns {
            Some(columns) => columns,
            None if terminal => usize::from(console::Term::stdout().size().1),
            None => 100,
        };
        Style {
            colour: terminal && !plain,
            width: width.clamp(40, 400),
        }
    }

    /// `text` in the colour of its role.
    pub fn paint(self, role: Role, text: &str) -> String {
        let code = match role {
            Role::Plain => return text.to_owned(),
            Role::Value => "32",
            Role::Derivative => "31",
            Role::Heading => "1",
            Role::Faint => "2",
        };
        if self.colour && !text.trim().is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}
