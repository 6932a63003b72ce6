//! Colour on terminals, and none elsewhere.

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Anything else.
    Plain,
    /// A value of the forward pass: green.
    Value,
    /// A derivative: red.
    Derivative,
    /// What stands out: bold.
    Heading,
    /// What stands back, such as wires.
    Faint,
}

/// Whether and how to colour, and how wide the terminal is.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Whether roles are painted with ANSI sequences.
    pub colour: bool,
    /// How many columns there are.
    pub width: usize,
}

impl Style {
    /// Without colour, this many columns wide.
    pub fn plain(width: usize) -> Style {
        Style {
            colour: false,
            width,
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
