//! The confusion matrix as a heat map.

use super::escape::escape;
use super::heat::shortened;
use crate::metrics::ConfusionMatrix;
use std::fmt::Write;

/// More classes than this have no room for their counts.
const WITH_COUNTS: usize = 20;

/// The name of a class, its number if it has none.
pub(super) fn class_name(names: &[String], class: usize) -> String {
    names.get(class).cloned().unwrap_or(class.to_string())
}

/// The matrix with counts, what is confused most, and the scores of each class.
pub(super) fn confusion(matrix: &ConfusionMatrix, names: &[String]) -> String {
    if matrix.classes() == 0 || matrix.total() == 0 {
        return String::new();
    }
    format!(
        "<h2>Confusion matrix</h2>\n<div class=\"grid\"><section class=\"card\">{}<p class=\"small quiet\">Each row is a true \
         class; the darker a cell, the larger its share of the row. Right answers are on the diagonal.</p></section>\n<section \
         class=\"card\">{}{}</section></div>\n",
        heat_map(matrix, names),
        most_confused(matrix, names),
        scores(matrix, names)
    )
}

fn heat_map(matrix: &ConfusionMatrix, names: &[String]) -> String {
    let classes = matrix.classes();
    let labels: Vec<String> = (0..classes)
        .map(|class| shortened(&class_name(names, class), 10))
        .collect();
    let longest = labels
        .iter()
        .map(|label| label.chars().count())
        .max()
        .unwrap_or(1);
    let left = 34.0 + 7.0 * longest as f64;
    // Names across are turned where they would touch.
    let cell = ((480.0 - left) / classes as f64).min(64.0);
    let turned = longest as f64 * 7.0 > cell;
    let top = if turned {
        30.0 + 7.0 * longest as f64
    } else {
        44.0
    };
    let (width, height) = (
        left + cell * classes as f64 + 2.0,
        top + cell * classes as f64 + 2.0,
    );
    let mut svg = format!(
        "<svg viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"confusion matrix\" style=\"max-width:{width:.0}px\">"
    );
    let _ = write!(
        svg,
        "<text class=\"strong\" x=\"{:.0}\" y=\"14\" text-anchor=\"middle\">predicted</text><text class=\"strong\" \
         transform=\"translate(14 {:.0}) rotate(-90)\" text-anchor=\"middle\">true</text>",
        left + cell * classes as f64 / 2.0,
        top + cell * classes as f64 / 2.0
    );
    let every = (14.0 / cell).ceil() as usize;
    for (class, label) in labels.iter().enumerate().step_by(every.max(1)) {
        let middle = (class as f64 + 0.5) * cell;
        let label = escape(label);
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            left - 8.0,
            top + middle + 4.0
        );
        let _ = if turned {
            write!(
                svg,
                "<text transform=\"translate({:.1} {:.1}) rotate(-90)\">{label}</text>",
                left + middle + 4.0,
                top - 8.0
            )
        } else {
            write!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
                left + middle,
                top - 8.0
            )
        };
    }
    // Small cells need every dot and a strong colour.
    let (gap, least) = if cell < 10.0 { (0.0, 0.3) } else { (1.0, 0.1) };
    for truth in 0..classes {
        let support = matrix.support(truth).max(1) as f64;
        for predicted in 0..classes {
            let count = matrix.at(truth, predicted);
            if count == 0 && classes > WITH_COUNTS {
                continue;
            }
            let share = count as f64 / support;
            let (x, y) = (left + predicted as f64 * cell, top + truth as f64 * cell);
            // A single mistake among thousands is still to be seen.
            let opacity = if count == 0 {
                0.04
            } else {
                least + (1.0 - least) * share
            };
            let _ = write!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{0:.1}\" height=\"{0:.1}\" rx=\"{1}\" fill=\"var(--accent)\" \
                 fill-opacity=\"{opacity:.2}\"><title>true {2}, predicted {3}: {count}</title></rect>",
                cell - gap,
                2.0 * gap,
                escape(&class_name(names, truth)),
                escape(&class_name(names, predicted)),
            );
            if classes <= WITH_COUNTS {
                let ink = if opacity > 0.55 {
                    "var(--on-accent)"
                } else {
                    "var(--ink)"
                };
                let size = (cell / (0.62 * count.to_string().len().max(2) as f64)).min(13.0);
                let _ = write!(
                    svg,
                    "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" style=\"fill:{ink};font-size:{size:.1}px\">{count}</text>",
                    x + cell / 2.0,
                    y + cell / 2.0 + size * 0.35
                );
            }
        }
    }
    svg.push_str("</svg>");
    svg
}

fn most_confused(matrix: &ConfusionMatrix, names: &[String]) -> String {
    let mut mistakes: Vec<(u64, usize, usize)> = Vec::new();
    for truth in 0..matrix.classes() {
        for predicted in (0..matrix.classes()).filter(|predicted| *predicted != truth) {
            mistakes.push((matrix.at(truth, predicted), truth, predicted));
        }
    }
    mistakes.retain(|(count, ..)| *count > 0);
    mistakes
        .sort_by_key(|(count, truth, predicted)| (std::cmp::Reverse(*count), *truth, *predicted));
    if mistakes.is_empty() {
        return "<p>No example was taken for another class.</p>".to_owned();
    }
    let mut text = "<h3>Most often confused</h3>\n<table><thead><tr><th>true</th><th class=\"left\">taken for</th><th>times</th><th>of \
                    its class</th></tr></thead><tbody>"
        .to_owned();
    for (count, truth, predicted) in mistakes.into_iter().take(8) {
        let _ = write!(
            text,
            "<tr><td>{}</td><td class=\"left\">{}</td><td>{count}</td><td>{:.1} %</td></tr>",
            escape(&shortened(&class_name(names, truth), 24)),
            escape(&shortened(&class_name(names, predicted), 24)),
            100.0 * count as f64 / matrix.support(truth) as f64
        );
    }
    text + "</tbody></table>\n"
}

fn scores(matrix: &ConfusionMatrix, names: &[String]) -> String {
    let open = if matrix.classes() <= 12 { " open" } else { "" };
    let mut text = format!(
        "<details{open} style=\"margin-top:16px\"><summary>Precision, recall and F1 of each class</summary><div \
         class=\"scroll\"><table><thead><tr><th>class</th><th>precision</th><th>recall</th><th>F1</th><th>examples</th></tr></thead><tbody>"
    );
    for (class, scores) in matrix.scores().into_iter().enumerate() {
        let _ = write!(
            text,
            "<tr><td>{}</td><td>{:.3}</td><td>{:.3}</td><td>{:.3}</td><td>{}</td></tr>",
            escape(&shortened(&class_name(names, class), 24)),
            scores.precision,
            scores.recall,
            scores.f1,
            scores.support
        );
    }
    text + "</tbody></table></div></details>"
}
