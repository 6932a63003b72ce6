//! Learning curves.

use super::axis::Axis;
use super::escape::escape;
use super::thin::{Stretch, thinned};
use crate::history::History;
use std::fmt::Write;

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 270.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 40.0;

/// Stretches of a curve: about one for every two dots of a wide screen.
const STRETCHES: usize = 300;

/// The series of the learning rate.
const RATE: &str = "learning rate";

/// More epochs than this would be a wall of lines.
const EPOCH_LINES: usize = 30;

/// Series of one quantity, drawn together: `train/loss` and `validation/loss`.
struct Group<'a> {
    quantity: &'a str,
    series: Vec<Series<'a>>,
}

struct Series<'a> {
    label: &'a str,
    /// Its class in the style sheet, which gives colour and dashes.
    class: &'static str,
    points: Vec<(u64, f64)>,
}

/// The part of the run a series belongs to, and what it measures.
pub(super) fn split(name: &str) -> (Option<&str>, &str) {
    match name.split_once('/') {
        Some((part @ ("train" | "epoch" | "validation" | "test"), quantity)) => {
            (Some(part), quantity)
        }
        _ => (None, name),
    }
}

fn groups(history: &History) -> Vec<Group<'_>> {
    let mut groups: Vec<Group> = Vec::new();
    for name in history.names() {
        let (part, quantity) = split(name);
        let class = match part {
            Some("train") => "train",
            // The mean of an epoch of training: beside the values of the steps where there are some.
            Some("epoch") if history.last(&format!("train/{quantity}")).is_none() => "train",
            Some("validation") => "validation",
            Some("test") => "test",
            _ => "other",
        };
        let series = Series {
            label: match part {
                Some("epoch") => "train, mean of the epoch",
                part => part.unwrap_or(quantity),
            },
            class,
            points: history.series(name).collect(),
        };
        match groups.iter_mut().find(|group| group.quantity == quantity) {
            Some(group) => group.series.push(series),
            None => groups.push(Group {
                quantity,
                series: vec![series],
            }),
        }
    }
    // What matters most comes first, the means to it last.
    groups.sort_by_key(|group| importance(group.quantity));
    groups
}

/// The order in which quantities are shown.
pub(super) fn importance(quantity: &str) -> (u8, &str) {
    match quantity {
        "loss" => (0, ""),
        accuracy if accuracy.contains("accuracy") => (1, accuracy),
        RATE => (3, ""),
        other => (2, other),
    }
}

/// All series of a run as plots; empty when there are none.
pub(super) fn curves(history: &History) -> String {
    let epochs: Vec<u64> = history.epochs().collect();
    let cards: String = groups(history)
        .iter()
        .map(|group| group.card(&epochs))
        .collect();
    if cards.is_empty() {
        return String::new();
    }
    format!("<h2>Learning curves</h2>\n<div class=\"grid\">{cards}</div>\n")
}

impl Group<'_> {
    fn card(&self, epochs: &[u64]) -> String {
        let mut card = format!(
            "<section class=\"card\"><h3>{}</h3>\n{}<ul class=\"legend\">",
            escape(self.quantity),
            self.plot(epochs)
        );
        for series in &self.series {
            let _ = write!(
                card,
                "<li class=\"{0}\"><svg viewBox=\"0 0 26 10\" aria-hidden=\"true\"><path class=\"curve {0}\" d=\"M1 5H25\"/></svg>{1}</li>",
                series.class,
                escape(series.label)
            );
        }
        card.push_str("</ul>");
        card.push_str(&self.odd_values());
        card.push_str("</section>\n");
        card
    }

    /// What cannot be drawn is said.
    fn odd_values(&self) -> String {
        let mut text = String::new();
        for series in &self.series {
            let odd: Vec<u64> = series
                .points
                .iter()
                .filter(|(_, value)| !value.is_finite())
                .map(|(step, _)| *step)
                .collect();
            if let [first, ..] = odd[..] {
                let _ = write!(
                    text,
                    "<p class=\"small\">{}: {} of {} values are NaN or infinite, the first at step {first} (marked in red \
                     along the axis).</p>",
                    escape(series.label),
                    odd.len(),
                    series.points.len()
                );
            }
        }
        text
    }

    fn plot(&self, epochs: &[u64]) -> String {
        let thinned: Vec<Vec<Stretch>> = self
            .series
            .iter()
            .map(|series| thinned(&series.points, STRETCHES))
            .collect();
        let values = || {
            thinned
                .iter()
                .flatten()
                .flat_map(|stretch| [stretch.least, stretch.most])
        };
        let (least, most) = values().fold((f64::INFINITY, 0.0_f64), |(least, most), value| {
            (least.min(value), most.max(value))
        });
        // Two orders of magnitude and more are only to be seen on a logarithmic axis. Schedules are known on a plain one.
        let logarithmic = least > 0.0 && most > 100.0 * least && self.quantity != RATE;
        let y = Axis::over(values(), logarithmic, true).between(HEIGHT - BOTTOM, TOP);
        let steps = || {
            self.series
                .iter()
                .flat_map(|series| &series.points)
                .map(|(step, _)| *step as f64)
        };
        let (first, last) = (
            steps().fold(f64::INFINITY, f64::min),
            steps().fold(0.0, f64::max),
        );
        // A run that is shown from its beginning begins at 0.
        let zero = (first < 0.1 * last).then_some(0.0);
        let x = Axis::over(steps().chain(zero), false, false).between(LEFT, WIDTH - RIGHT);
        let mut svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{} over the training steps\">",
            escape(self.quantity)
        );
        frame(&mut svg, &x, &y, epochs);
        for (series, stretches) in self.series.iter().zip(&thinned) {
            draw(&mut svg, series, stretches, &x, &y);
        }
        svg.push_str("</svg>");
        svg
    }
}

fn frame(svg: &mut String, x: &Axis, y: &Axis, epochs: &[u64]) {
    let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
    for (value, text) in y.ticks(5.0, 0.0) {
        if let Some(at) = y.place(value) {
            let _ = write!(
                svg,
                "<path class=\"grid-line\" d=\"M{LEFT} {at:.1}H{right}\"/><text x=\"{}\" y=\"{:.1}\" \
                 text-anchor=\"end\">{text}</text>",
                LEFT - 8.0,
                at + 4.0
            );
        }
    }
    if epochs.len() <= EPOCH_LINES {
        for at in epochs.iter().filter_map(|step| x.place(*step as f64)) {
            if (LEFT..right).contains(&at) {
                let _ = write!(svg, "<path class=\"epoch\" d=\"M{at:.1} {TOP}V{bottom}\"/>");
            }
        }
    }
    let _ = write!(
        svg,
        "<path class=\"axis-line\" d=\"M{LEFT} {bottom}H{right}\"/>"
    );
    for (value, text) in x.ticks(5.0, 1.0) {
        if let Some(at) = x.place(value) {
            let _ = write!(
                svg,
                "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{text}</text>",
                bottom + 17.0
            );
        }
    }
    let _ = write!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">step</text>",
        (LEFT + right) / 2.0,
        HEIGHT - 6.0
    );
}

fn draw(svg: &mut String, series: &Series, stretches: &[Stretch], x: &Axis, y: &Axis) {
    let class = series.class;
    let place = |stretch: &Stretch, value: f64| Some((x.place(stretch.step)?, y.place(value)?));
    let thin = stretches.iter().any(|stretch| stretch.least < stretch.most);
    if thin {
        let upper = stretches
            .iter()
            .filter_map(|stretch| place(stretch, stretch.most));
        let lower = stretches
            .iter()
            .rev()
            .filter_map(|stretch| place(stretch, stretch.least));
        let outline: Vec<String> = upper.chain(lower).map(point).collect();
        let _ = write!(
            svg,
            "<polygon class=\"band {class}\" points=\"{}\"/>",
            outline.join(" ")
        );
    }
    let points: Vec<(f64, f64)> = stretches
        .iter()
        .filter_map(|stretch| place(stretch, stretch.mean))
        .collect();
    let line: Vec<String> = points.iter().copied().map(point).collect();
    let _ = write!(
        svg,
        "<polyline class=\"curve {class}\" points=\"{}\"/>",
        line.join(" ")
    );
    // A few points are to be seen one by one, and one alone makes no line.
    if points.len() <= 12 {
        for (x, y) in points {
            let _ = write!(
                svg,
                "<circle class=\"dot {class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>"
            );
        }
    }
    let odd = series.points.iter().filter(|(_, value)| !value.is_finite());
    let mut last = f64::NEG_INFINITY;
    for at in odd.filter_map(|(step, _)| x.place(*step as f64)) {
        if at - last >= 2.0 {
            let _ = write!(
                svg,
                "<path class=\"odd\" d=\"M{at:.1} {}l3 -6h-6z\"/>",
                HEIGHT - BOTTOM
            );
            last = at;
        }
    }
}

fn point((x, y): (f64, f64)) -> String {
    format!("{x:.1},{y:.1}")
}
