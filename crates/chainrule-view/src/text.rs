//! The graph view: boxes and wires from left to right, the value above each node and the adjoint below it, as in the
//! circuits of Karpathy's lectures. What is wider than the terminal continues below.

use crate::canvas::Canvas;
use crate::layout::{Item, Spacing, layers, layout};
use crate::model::{Kind, Model, box_text};
use crate::style::{Role, Style};
use std::collections::HashMap;

/// Larger graphs would fill many screens without being readable.
pub const MOST_NODES: usize = 120;

const SPACING: Spacing = Spacing {
    between: 1,
    track: 2,
    margin: 1,
    flush: false,
};

/// Arrays longer than this are shown by their shape.
const LONGEST: usize = 24;

/// The drawing, in as many parts as the width needs; `None` if there are too many nodes.
pub(crate) fn draw(model: &Model, style: Style) -> Option<Vec<String>> {
    if model.len() > MOST_NODES {
        return None;
    }
    let items: Vec<Item> = (0..model.len())
        .map(|at| Figure::of(model, at).item())
        .collect();
    let layer_of = layers(&items);
    let last = layer_of.iter().copied().max().unwrap_or(0);
    let mut lines = Vec::new();
    let mut first = 0;
    while first <= last {
        let mut part = Part::of(model, &layer_of, (first, first));
        let mut next = first + 1;
        while next <= last {
            let wider = Part::of(model, &layer_of, (first, next));
            if wider.width() > style.width.saturating_sub(2) {
                break;
            }
            part = wider;
            next += 1;
        }
        if first > 0 {
            lines.push(String::new());
        }
        lines.extend(part.lines(style));
        first = next;
    }
    Some(lines)
}

/// One node as it is drawn.
struct Figure {
    /// A box, or a name alone.
    boxed: bool,
    text: String,
    above: String,
    below: String,
    inputs: Vec<usize>,
    near: bool,
}

impl Figure {
    fn of(model: &Model, at: usize) -> Figure {
        let node = &model.nodes[at];
        let value = node.value.text(LONGEST);
        let below = node
            .derivative
            .as_ref()
            .map_or_else(String::new, |d| d.text(LONGEST));
        match node.kind {
            Kind::Operation => Figure {
                boxed: true,
                text: box_text(node).to_owned(),
                above: format!("{} = {value}", node.label),
                below,
                inputs: node.inputs.clone(),
                near: false,
            },
            Kind::Variable => Figure {
                boxed: false,
                text: node.label.clone(),
                above: value,
                below,
                inputs: Vec::new(),
                near: false,
            },
            Kind::Constant => Figure {
                boxed: false,
                text: node.label.clone(),
                above: node.constant_text(LONGEST),
                below: String::new(),
                inputs: Vec::new(),
                near: true,
            },
        }
    }

    /// A value from an earlier part of the drawing.
    fn continued(model: &Model, at: usize) -> Figure {
        Figure {
            boxed: false,
            text: format!("… {}", model.nodes[at].label),
            above: String::new(),
            below: String::new(),
            inputs: Vec::new(),
            near: true,
        }
    }

    /// Half the height of the box.
    fn half(&self) -> i32 {
        1.max(self.inputs.len() as i32 / 2)
    }

    fn ports(&self) -> Vec<i32> {
        match self.inputs.len() as i32 {
            0 => vec![],
            1 => vec![0],
            2 => vec![-1, 1],
            3 => vec![-1, 0, 1],
            count => (0..count).map(|at| at - count / 2).collect(),
        }
    }

    fn item(&self) -> Item {
        let text = self.text.chars().count() + if self.boxed { 4 } else { 1 };
        let width = text
            .max(self.above.chars().count())
            .max(self.below.chars().count());
        let half = if self.boxed { self.half() } else { 0 };
        Item {
            inputs: self.inputs.clone(),
            ports: self.ports(),
            above: half + i32::from(!self.above.is_empty()),
            below: half + i32::from(self.boxed || !self.below.is_empty()),
            width: width as i32,
            near: self.near,
        }
    }

    fn draw(&self, canvas: &mut Canvas, x: i32, y: i32, width: i32) {
        let centred = |text: &str| x + (width - text.chars().count() as i32) / 2;
        let half = if self.boxed { self.half() } else { 0 };
        canvas.text(centred(&self.above), y - half - 1, &self.above, Role::Value);
        canvas.text(
            centred(&self.below),
            y + half + 1,
            &self.below,
            Role::Derivative,
        );
        if !self.boxed {
            canvas.text(
                x + width - 1 - self.text.chars().count() as i32,
                y,
                &self.text,
                Role::Heading,
            );
            return;
        }
        let inner = self.text.chars().count() as i32 + 2;
        let left = x + (width - inner - 2) / 2;
        let right = left + inner + 1;
        let bar = "─".repeat(inner as usize);
        canvas.text(left, y - half, &format!("┌{bar}┐"), Role::Plain);
        canvas.text(left, y + half, &format!("└{bar}┘"), Role::Plain);
        for row in y - half + 1..y + half {
            canvas.text(left, row, "│", Role::Plain);
            canvas.text(right, row, "│", Role::Plain);
        }
        canvas.text(left + 2, y, &self.text, Role::Heading);
        for port in self.ports() {
            let joint = match port {
                port if port == -half => "┬",
                port if port == half => "┴",
                _ => "┤",
            };
            canvas.text(left, y + port, joint, Role::Plain);
            for column in x..left {
                canvas.text(column, y + port, "─", Role::Faint);
            }
        }
    }

    /// The place right of the box, where the output wire begins.
    fn right(&self, x: i32, width: i32) -> i32 {
        if self.boxed {
            let inner = self.text.chars().count() as i32 + 2;
            x + (width - inner - 2) / 2 + inner + 2
        } else {
            x + width - 1
        }
    }
}

/// Some layers of the graph.
struct Part {
    figures: Vec<Figure>,
    items: Vec<Item>,
    /// Whether a later part needs the value.
    leaves: Vec<bool>,
}

impl Part {
    fn of(model: &Model, layer_of: &[usize], (first, last): (usize, usize)) -> Part {
        let mut figures = Vec::new();
        let mut leaves = Vec::new();
        let mut places: HashMap<usize, usize> = HashMap::new();
        let inside = |at: usize| (first..=last).contains(&layer_of[at]);
        let users = model.users();
        for at in (0..model.len()).filter(|&at| inside(at)) {
            let mut figure = Figure::of(model, at);
            for input in &mut figure.inputs {
                let place = *places.entry(*input).or_insert_with(|| {
                    figures.push(Figure::continued(model, *input));
                    leaves.push(false);
                    figures.len() - 1
                });
                *input = place;
            }
            places.insert(at, figures.len());
            figures.push(figure);
            leaves.push(users[at].iter().any(|&user| layer_of[user] > last));
        }
        let items = figures.iter().map(Figure::item).collect();
        Part {
            figures,
            items,
            leaves,
        }
    }

    fn width(&self) -> usize {
        // Two columns more, for wires that leave.
        layout(&self.items, SPACING).width as usize + 2
    }

    fn lines(&self, style: Style) -> Vec<String> {
        let drawn = layout(&self.items, SPACING);
        let mut canvas = Canvas::new(drawn.width as usize + 4, drawn.height as usize);
        for wire in &drawn.wires {
            let bends = |x: i32, y: i32| {
                let mut pieces = wire.vertical.iter();
                pieces.any(|&(track, top, bottom)| track == x && (top..=bottom).contains(&y))
            };
            for &(y, left, right) in &wire.horizontal {
                canvas.horizontal(
                    wire.from,
                    y,
                    (left, right),
                    (bends(left, y), bends(right, y)),
                );
            }
            for &(x, top, bottom) in &wire.vertical {
                canvas.vertical(wire.from, x, (top, bottom));
            }
        }
        for (at, figure) in self.figures.iter().enumerate() {
            let (x, y) = drawn.places[at];
            let width = self.items[at].width;
            figure.draw(&mut canvas, x, y, width);
            let used = !drawn.wires[at].ends.is_empty();
            let (from, to) = (figure.right(x, width), x + width);
            if used {
                for column in from..to {
                    canvas.text(column, y, "─", Role::Faint);
                }
            } else if self.leaves[at] {
                canvas.text(from, y, "─ …", Role::Faint);
            }
            if used && figure.boxed {
                canvas.text(from - 1, y, "├", Role::Plain);
            }
        }
        let mut lines: Vec<String> = canvas
            .lines(style)
            .into_iter()
            .map(|line| format!("  {line}").trim_end().to_owned())
            .collect();
        // Nothing is gained by several empty rows between two wires.
        lines.dedup_by(|line, before| line.is_empty() && before.is_empty());
        while lines.pop_if(|line| line.is_empty()).is_some() {}
        lines
    }
}
