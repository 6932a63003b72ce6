//! The graph as a picture: boxes with the primitive's symbol, on each wire the value above it in green and the adjoint
//! below it in red, as the circuits of Stanford's CS231n are drawn.

use crate::layout::{Item, Spacing, Wire, layout};
use crate::model::{Direction, Kind, Model, Node, box_text};
use std::fmt::Write;

const SPACING: Spacing = Spacing {
    between: 14,
    track: 14,
    margin: 14,
    flush: true,
};
const MARGIN: i32 = 28;
const TITLE: i32 = 40;
/// Room for the line below the drawing.
const LEGEND_WIDTH: i32 = 640;
const LEGEND: i32 = 34;
/// Half the height of a box.
const HALF: i32 = 21;
/// Height of a line of numbers.
const LINE: i32 = 17;
/// Width of a letter of the numbers' font, in tenths.
const LETTER: i32 = 79;
const LONGEST: usize = 22;

/// A whole SVG document.
pub(crate) fn draw(model: &Model) -> String {
    let figures: Vec<Figure> = model.nodes.iter().map(Figure::of).collect();
    let items: Vec<Item> = figures.iter().map(Figure::item).collect();
    let drawn = layout(&items, SPACING);
    let legend = legend(model);
    let title: String = shortened(&model.expression, 100);
    let texts = width(&title).max(LEGEND_WIDTH);
    let total = (drawn.width + 2 * MARGIN).max(texts + 2 * MARGIN);
    let height = drawn.height + 2 * MARGIN + TITLE + LEGEND;
    let mut out = String::new();
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{total}\" height=\"{height}\" viewBox=\"0 0 {total} {height}\" \
         role=\"img\">\n<title>{}</title>\n{STYLE}\
         <rect width=\"{total}\" height=\"{height}\" rx=\"10\" fill=\"#ffffff\"/>\n\
         <text class=\"title\" x=\"{MARGIN}\" y=\"36\">{}</text>\n",
        escaped(&title),
        escaped(&title),
    );
    let left = (total - drawn.width) / 2;
    let _ = writeln!(
        out,
        "<g transform=\"translate({left},{})\">",
        MARGIN + TITLE
    );
    for wire in &drawn.wires {
        wire_lines(&mut out, wire);
    }
    for (at, figure) in figures.iter().enumerate() {
        let (x, y) = drawn.places[at];
        let used = !drawn.wires[at].ends.is_empty();
        figure.draw(&mut out, x, y, items[at].width, used);
    }
    let _ = writeln!(
        out,
        "</g>\n<text class=\"legend\" x=\"{MARGIN}\" y=\"{}\">{legend}</text>\n</svg>",
        height - 22
    );
    out
}

const STYLE: &str = "<style>
text { font-family: 'DejaVu Sans Mono', ui-monospace, Menlo, Consolas, monospace; font-size: 13px; fill: #1f2933 }
.title { font-size: 15px; font-weight: bold }
.legend, .label { font-size: 11px; fill: #7b8794 }
.symbol, .name { font-size: 15px; text-anchor: middle; dominant-baseline: central }
.name { font-style: italic; font-weight: bold }
.constant { fill: #52606d; text-anchor: middle; dominant-baseline: central }
.value { fill: #0a7d33; text-anchor: middle }
.derivative { fill: #c81e1e; text-anchor: middle }
.label { text-anchor: middle }
.box { fill: #f0f4f8; stroke: #334e68; stroke-width: 1.5 }
.kept { fill: #fff3c4; stroke: #334e68; stroke-width: 1.5 }
.variable { fill: #ffffff; stroke: #9fb3c8; stroke-width: 1.5 }
.wire { fill: none; stroke: #486581; stroke-width: 1.5; stroke-linecap: round }
.joint { fill: #486581 }
</style>
";

fn legend(model: &Model) -> String {
    let below = match model.direction {
        Direction::Reverse => format!(
            "; <tspan class=\"derivative\" style=\"text-anchor:start\">below</tspan>: the derivative of {} by it",
            escaped(&model.nodes[model.result].label)
        ),
        Direction::Forward { input } => format!(
            "; <tspan class=\"derivative\" style=\"text-anchor:start\">below</tspan>: its derivative by {}",
            escaped(&model.nodes[input].label)
        ),
        Direction::None => String::new(),
    };
    format!(
        "<tspan class=\"value\" style=\"text-anchor:start\">above a wire</tspan>: the value{below}; yellow: kept for the way back"
    )
}

/// One node: a box or a name, and the piece of wire behind it that carries the numbers.
struct Figure {
    kind: Kind,
    symbol: String,
    label: String,
    kept: bool,
    value: String,
    derivative: String,
    inputs: Vec<usize>,
}

impl Figure {
    fn of(node: &Node) -> Figure {
        let constant = node.kind == Kind::Constant;
        Figure {
            kind: node.kind,
            symbol: match node.kind {
                Kind::Operation => box_text(node).to_owned(),
                _ => shortened(&node.label, 14),
            },
            label: match node.kind {
                Kind::Operation => shortened(&node.label, 14),
                _ => String::new(),
            },
            kept: node.kept && !constant,
            value: if constant {
                node.constant_text(LONGEST)
            } else {
                node.value.text(LONGEST)
            },
            derivative: match &node.derivative {
                Some(derivative) if !constant => derivative.text(LONGEST),
                _ => String::new(),
            },
            inputs: node.inputs.clone(),
        }
    }

    fn half(&self) -> i32 {
        match self.kind {
            Kind::Operation => HALF.max(self.inputs.len() as i32 * 7),
            _ => 15,
        }
    }

    fn body(&self) -> i32 {
        (width(&self.symbol) + 24).max(2 * HALF)
    }

    /// The piece of wire that carries the numbers.
    fn stub(&self) -> i32 {
        match width(&self.value).max(width(&self.derivative)) {
            0 => 0,
            text => text + 14,
        }
    }

    fn ports(&self) -> Vec<i32> {
        let count = self.inputs.len() as i32;
        let step = if count <= 2 { 22 } else { 12 };
        (0..count)
            .map(|at| (2 * at - count + 1) * step / 2)
            .collect()
    }

    fn item(&self) -> Item {
        let half = self.half();
        Item {
            inputs: self.inputs.clone(),
            ports: self.ports(),
            above: half.max(LINE + 4) + if self.label.is_empty() { 0 } else { 14 },
            below: half.max(LINE + 4),
            width: self.body() + self.stub(),
            near: self.kind == Kind::Constant,
        }
    }

    fn draw(&self, out: &mut String, x: i32, y: i32, width: i32, used: bool) {
        let (body, half) = (self.body(), self.half());
        let middle = x + body / 2;
        let (shape, text, round) = match (self.kind, self.kept) {
            (Kind::Operation, true) => ("kept", "symbol", 8),
            (Kind::Operation, false) => ("box", "symbol", 8),
            (Kind::Variable, true) => ("kept", "name", half),
            (Kind::Variable, false) => ("variable", "name", half),
            (Kind::Constant, _) => ("", "constant", 0),
        };
        if !shape.is_empty() {
            let _ = writeln!(
                out,
                "<rect class=\"{shape}\" x=\"{x}\" y=\"{}\" width=\"{body}\" height=\"{}\" rx=\"{round}\"/>",
                y - half,
                2 * half
            );
        }
        let _ = writeln!(
            out,
            "<text class=\"{text}\" x=\"{middle}\" y=\"{y}\">{}</text>",
            escaped(&self.symbol)
        );
        if !self.label.is_empty() {
            let _ = writeln!(
                out,
                "<text class=\"label\" x=\"{middle}\" y=\"{}\">{}</text>",
                y - half - 5,
                escaped(&self.label)
            );
        }
        let stub = self.stub();
        if stub > 0 || used {
            // As far as the item reaches, so that the wire that begins there meets it.
            let _ = writeln!(
                out,
                "<path class=\"wire\" d=\"M{} {y}H{}\"/>",
                x + body - if self.kind == Kind::Constant { 8 } else { 0 },
                x + width
            );
        }
        let centre = x + body + stub / 2;
        if !self.value.is_empty() {
            let _ = writeln!(
                out,
                "<text class=\"value\" x=\"{centre}\" y=\"{}\">{}</text>",
                y - 6,
                escaped(&self.value)
            );
        }
        if !self.derivative.is_empty() {
            let _ = writeln!(
                out,
                "<text class=\"derivative\" x=\"{centre}\" y=\"{}\">{}</text>",
                y + LINE,
                escaped(&self.derivative)
            );
        }
    }
}

/// The pieces of a wire, and a dot where it branches.
fn wire_lines(out: &mut String, wire: &Wire) {
    let mut path = String::new();
    for &(y, left, right) in &wire.horizontal {
        let _ = write!(path, "M{left} {y}H{right}");
    }
    for &(x, top, bottom) in &wire.vertical {
        let _ = write!(path, "M{x} {top}V{bottom}");
    }
    if path.is_empty() {
        return;
    }
    let _ = writeln!(out, "<path class=\"wire\" d=\"{path}\"/>");
    for &(x, top, bottom) in &wire.vertical {
        let mut heights: Vec<i32> = wire
            .horizontal
            .iter()
            .filter(|&&(y, left, right)| (left == x || right == x) && (top..=bottom).contains(&y))
            .map(|piece| piece.0)
            .collect();
        heights.sort_unstable();
        for run in heights.chunk_by(|a, b| a == b) {
            let y = run[0];
            let ways = run.len() + usize::from(y > top) + usize::from(y < bottom);
            if ways > 2 {
                let _ = writeln!(
                    out,
                    "<circle class=\"joint\" cx=\"{x}\" cy=\"{y}\" r=\"3\"/>"
                );
            }
        }
    }
}

/// The width of a text in the numbers' font.
fn width(text: &str) -> i32 {
    (text.chars().count() as i32 * LETTER + 5) / 10
}

fn shortened(text: &str, longest: usize) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().count() <= longest {
        return text;
    }
    let mut short: String = text.chars().take(longest - 1).collect();
    short.push('…');
    short
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
