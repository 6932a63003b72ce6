//! `--step`: one node at a time, from the values forward to the derivatives, waiting for Enter.

use super::Explained;
use super::recursive_view::{step_lines, steps};
use super::report;
use chainrule::view::{Kind, Model};
use chainrule::view::{Role, Style};
use std::io::{self, BufRead, IsTerminal, Write};

/// Shows the steps; where the input ends, the rest follows without waiting.
pub fn run(explained: &Explained, style: Style) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let mut keys = io::stdin().lock();
    let mut waiting = true;
    for model in &explained.models {
        writeln!(
            out,
            "{}\n",
            style.paint(Role::Heading, &report::shortened(&model.expression))
        )?;
        for lines in pieces(model, style) {
            for line in &lines {
                writeln!(out, "  {line}")?;
            }
            out.flush()?;
            waiting = waiting && pause(&mut keys, style)?;
        }
        writeln!(out)?;
    }
    let summary = report::summary(&explained.models[0], &explained.gradients, style);
    write!(out, "{summary}")
}

/// Waits for the end of a line; false at the end of the input.
fn pause(keys: &mut impl BufRead, style: Style) -> io::Result<bool> {
    if io::stdin().is_terminal() {
        eprint!("{}", style.paint(Role::Faint, "  [Enter]"));
        io::stderr().flush()?;
    }
    let mut line = String::new();
    Ok(keys.read_line(&mut line)? > 0)
}

/// What is shown at a time: each value, then each step of the derivatives.
fn pieces(model: &Model, style: Style) -> Vec<Vec<String>> {
    let values = (0..model.len())
        .filter(|&at| model.nodes[at].kind != Kind::Constant)
        .map(|at| {
            let node = &model.nodes[at];
            let formula = match node.kind {
                Kind::Operation => format!("{} = {}", node.label, model.formula(at)),
                _ => node.label.clone(),
            };
            vec![format!(
                "{formula} = {}",
                style.paint(Role::Value, &node.value.text(40))
            )]
        });
    values
        .chain(steps(model, style).into_iter().map(step_lines))
        .collect()
}
