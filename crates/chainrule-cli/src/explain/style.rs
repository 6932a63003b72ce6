//! Colour on terminals, and none elsewhere.

use chainrule::view::Style;

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
