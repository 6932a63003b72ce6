//! A drawing made of letters: text, boxes, and wires that join, branch and pass over each other.

use crate::style::{Role, Style};

/// Letters with roles in rows and columns; wires are kept apart until it is printed.
pub struct Canvas {
    width: usize,
    letters: Vec<Option<(char, Role)>>,
    wires: Vec<Vec<(usize, u8)>>,
}

const UP: u8 = 1;
const DOWN: u8 = 2;
const LEFT: u8 = 4;
const RIGHT: u8 = 8;

impl Canvas {
    pub fn new(width: usize, height: usize) -> Canvas {
        Canvas {
            width,
            letters: vec![None; width * height],
            wires: vec![Vec::new(); width * height],
        }
    }

    fn cell(&self, x: i32, y: i32) -> Option<usize> {
        let (x, y) = (usize::try_from(x).ok()?, usize::try_from(y).ok()?);
        let at = y * self.width + x;
        (x < self.width && at < self.letters.len()).then_some(at)
    }

    /// Writes text from `x` on.
    pub fn text(&mut self, x: i32, y: i32, text: &str, role: Role) {
        for (at, letter) in text.chars().enumerate() {
            if let Some(cell) = self.cell(x + at as i32, y) {
                self.letters[cell] = Some((letter, role));
            }
        }
    }

    fn wire(&mut self, x: i32, y: i32, of: usize, sides: u8) {
        let Some(cell) = self.cell(x, y) else { return };
        match self.wires[cell].iter_mut().find(|(wire, _)| *wire == of) {
            Some((_, known)) => *known |= sides,
            None => self.wires[cell].push((of, sides)),
        }
    }

    /// A piece of wire from `left` up to `right`; `begins` and `ends` say whether it bends there.
    pub fn horizontal(
        &mut self,
        of: usize,
        y: i32,
        (left, right): (i32, i32),
        bends: (bool, bool),
    ) {
        for x in left..right {
            let sides = if x == left && bends.0 {
                RIGHT
            } else {
                LEFT | RIGHT
            };
            self.wire(x, y, of, sides);
        }
        if bends.1 {
            self.wire(right, y, of, LEFT);
        }
    }

    /// A piece of wire from `top` to `bottom`, both included.
    pub fn vertical(&mut self, of: usize, x: i32, (top, bottom): (i32, i32)) {
        for y in top..=bottom {
            let up = if y > top { UP } else { 0 };
            let down = if y < bottom { DOWN } else { 0 };
            self.wire(x, y, of, up | down);
        }
    }

    /// The drawing as lines.
    pub fn lines(&self, style: Style) -> Vec<String> {
        let rows = self.letters.chunks(self.width.max(1));
        let wires = self.wires.chunks(self.width.max(1));
        rows.zip(wires)
            .map(|(letters, wires)| {
                let cells: Vec<(char, Role)> = letters
                    .iter()
                    .zip(wires)
                    .map(|(letter, wires)| letter.unwrap_or((joint(wires), Role::Faint)))
                    .collect();
                line(&cells, style)
            })
            .collect()
    }
}

/// One row: neighbours of one role are painted together, and nothing follows the last letter.
fn line(cells: &[(char, Role)], style: Style) -> String {
    let used = cells.iter().rposition(|(letter, _)| *letter != ' ');
    let cells = &cells[..used.map_or(0, |last| last + 1)];
    cells
        .chunk_by(|a, b| a.1 == b.1)
        .map(|run| {
            let text: String = run.iter().map(|(letter, _)| letter).collect();
            style.paint(run[0].1, &text)
        })
        .collect()
}

/// The letter of a cell with these wires; where two cross, the vertical one passes over the other.
fn joint(wires: &[(usize, u8)]) -> char {
    let sides = match wires {
        [] => return ' ',
        [(_, sides)] => *sides,
        [_, _, ..] => return '│',
    };
    match sides {
        s if s == LEFT | RIGHT || s == LEFT || s == RIGHT => '─',
        s if s == UP | DOWN || s == UP || s == DOWN => '│',
        s if s == DOWN | RIGHT => '╭',
        s if s == DOWN | LEFT => '╮',
        s if s == UP | RIGHT => '╰',
        s if s == UP | LEFT => '╯',
        s if s == UP | DOWN | RIGHT => '├',
        s if s == UP | DOWN | LEFT => '┤',
        s if s == DOWN | LEFT | RIGHT => '┬',
        s if s == UP | LEFT | RIGHT => '┴',
        0 => ' ',
        _ => '┼',
    }
}
