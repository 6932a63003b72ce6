//! Matrices as pictures.

use chainrule::Tensor;
use std::fmt::Write;

/// The side of a cell.
const CELL: usize = 6;
const MARGIN: usize = 12;
const TITLE: usize = 22;

/// SVG with one picture a matrix, below one another: values from 0 (pale) to 1 (dark), the first axis downwards.
pub fn svg(matrices: &[(&str, Tensor)]) -> String {
    let extents = |matrix: &Tensor| (matrix.shape()[0], matrix.shape()[1]);
    let widest = matrices
        .iter()
        .map(|(_, matrix)| extents(matrix).1)
        .max()
        .unwrap_or(0);
    let width = 2 * MARGIN + (widest * CELL).max(360);
    let height: usize = matrices
        .iter()
        .map(|(_, matrix)| TITLE + extents(matrix).0 * CELL + MARGIN)
        .sum::<usize>()
        + MARGIN;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    let mut top = MARGIN;
    for (title, matrix) in matrices {
        let (rows, columns) = extents(matrix);
        let _ = writeln!(
            text,
            "<text x=\"{MARGIN}\" y=\"{}\" fill=\"#222222\">{title}</text>",
            top + 12
        );
        top += TITLE;
        let values = matrix.cast(chainrule::DType::F64).to_vec::<f64>();
        for (index, value) in values.iter().enumerate() {
            let (row, column) = (index / columns, index % columns);
            let _ = writeln!(
                text,
                "<rect x=\"{}\" y=\"{}\" width=\"{CELL}\" height=\"{CELL}\" fill=\"{}\"/>",
                MARGIN + column * CELL,
                top + row * CELL,
                shade(*value)
            );
        }
        top += rows * CELL + MARGIN;
    }
    text + "</svg>\n"
}

/// From a pale to a dark blue.
fn shade(value: f64) -> String {
    let share = value.clamp(0.0, 1.0);
    let mix = |pale: f64, dark: f64| (pale + (dark - pale) * share).round() as u8;
    format!(
        "#{:02x}{:02x}{:02x}",
        mix(238.0, 8.0),
        mix(243.0, 48.0),
        mix(250.0, 107.0)
    )
}
