//! Heat maps of layers over steps: the cells as one small picture, so that 200 layers by 400 steps stay light.

use super::axis::Axis;
use super::escape::escape;
use crate::picture::Picture;
use std::fmt::Write;

const WIDTH: f64 = 980.0;
const BOTTOM: f64 = 40.0;
const TOP: f64 = 6.0;

/// Where no number is: no gradient, or no weight to compare with.
const NOTHING: [u8; 3] = [150, 155, 162];

/// NaN and infinity.
const ODD: [u8; 3] = [230, 0, 126];

/// Ten shades of viridis, which keeps its order for the colour-blind and in grey.
const VIRIDIS: [[u8; 3]; 10] = [
    [68, 1, 84],
    [72, 40, 120],
    [62, 74, 137],
    [49, 104, 142],
    [38, 130, 142],
    [31, 158, 137],
    [53, 183, 121],
    [110, 206, 88],
    [181, 222, 43],
    [253, 231, 37],
];

/// Blue below, light in the middle, red-brown above: told apart by the colour-blind.
const DIVERGING: [[u8; 3]; 9] = [
    [5, 48, 97],
    [33, 102, 172],
    [67, 147, 195],
    [146, 197, 222],
    [247, 247, 247],
    [253, 219, 199],
    [244, 165, 130],
    [178, 60, 30],
    [103, 0, 31],
];

/// How many orders of magnitude colours can still tell apart.
const ORDERS: f64 = 12.0;

/// Colours for numbers on a logarithmic scale.
pub(super) struct Scale {
    /// Logarithms to base ten of the ends.
    least: f64,
    most: f64,
    /// Whether there are smaller numbers than the scale shows.
    cut: bool,
    shades: &'static [[u8; 3]],
}

impl Scale {
    /// From the least to the largest positive number, but not over more than [`ORDERS`] of magnitude.
    pub(super) fn of(numbers: impl Iterator<Item = f64>) -> Scale {
        let logarithms = numbers
            .filter(|number| *number > 0.0 && number.is_finite())
            .map(f64::log10);
        let (least, most) = logarithms.fold(
            (f64::INFINITY, f64::NEG_INFINITY),
            |(least, most), number| (least.min(number), most.max(number)),
        );
        let (least, most) = if least > most {
            (-1.0, 1.0)
        } else {
            (least, most)
        };
        let cut = most - least > ORDERS;
        let least = least.max(most - ORDERS);
        // At least two orders, so that a calm run looks calm.
        let room = ((2.0 - (most - least)) / 2.0).max(0.0);
        Scale {
            least: least - room,
            most: most + room,
            cut,
            shades: &VIRIDIS,
        }
    }

    /// Around a healthy number, `orders` of magnitude to each side.
    pub(super) fn around(healthy: f64, orders: f64) -> Scale {
        Scale {
            least: healthy.log10() - orders,
            most: healthy.log10() + orders,
            cut: false,
            shades: &DIVERGING,
        }
    }

    fn colour(&self, number: Option<f64>) -> [u8; 3] {
        match number {
            None => NOTHING,
            Some(number) if !number.is_finite() => ODD,
            Some(number) => self.shade((number.log10() - self.least) / (self.most - self.least)),
        }
    }

    fn shade(&self, share: f64) -> [u8; 3] {
        let last = self.shades.len() - 1;
        let position = share.clamp(0.0, 1.0) * last as f64;
        let lower = (position as usize).min(last - 1);
        let between = position - lower as f64;
        std::array::from_fn(|channel| {
            let [from, to] =
                [self.shades[lower][channel], self.shades[lower + 1][channel]].map(f64::from);
            (from + between * (to - from)).round() as u8
        })
    }

    /// A bar of the colours with its powers of ten and what grey and pink mean.
    pub(super) fn legend(&self, caption: &str, nothing: Option<&str>, odd: bool) -> String {
        const BAR: f64 = 260.0;
        let pixels = (0..64)
            .flat_map(|pixel| self.shade(f64::from(pixel) / 63.0))
            .collect();
        let image = Picture::of_bytes(64, 1, 3, pixels).to_data_address();
        let mut svg = format!(
            "<svg viewBox=\"0 0 300 34\" style=\"max-width:300px\" role=\"img\" aria-label=\"colours: {0}\"><image x=\"20\" y=\"2\" \
             width=\"{BAR}\" height=\"12\" preserveAspectRatio=\"none\" href=\"{image}\"/>",
            escape(caption)
        );
        let ends = [10f64.powf(self.least), 10f64.powf(self.most)];
        let axis = Axis::over(ends.into_iter(), true, false).between(20.0, 20.0 + BAR);
        for (value, text) in axis.ticks(4.0, 0.0) {
            if let Some(at) = axis.place(value) {
                let _ = write!(
                    svg,
                    "<text x=\"{at:.1}\" y=\"28\" text-anchor=\"middle\">{text}</text>"
                );
            }
        }
        svg.push_str("</svg>");
        let mut legend = format!("{svg}<p class=\"small quiet\">{}", escape(caption));
        if self.cut {
            legend.push_str(" The darkest colour also stands for everything smaller.");
        }
        if let Some(nothing) = nothing {
            let _ = write!(legend, " Grey: {}.", escape(nothing));
        }
        if odd {
            legend.push_str(" Pink: NaN or infinite.");
        }
        legend + "</p>"
    }
}

/// Rows of numbers over steps.
pub(super) struct HeatMap<'a> {
    /// The names of the rows, the first on top.
    pub(super) rows: &'a [String],
    pub(super) steps: &'a [u64],
    /// Row by row, a number for each step.
    pub(super) cells: &'a [Vec<Option<f64>>],
    pub(super) scale: &'a Scale,
    pub(super) label: &'a str,
}

impl HeatMap<'_> {
    /// The heat map with the names of its rows and its steps.
    pub(super) fn draw(&self) -> String {
        let rows = self.rows.len();
        let row = (560.0 / rows as f64).clamp(3.0, 26.0);
        let labels: Vec<String> = self.rows.iter().map(|name| shortened(name, 26)).collect();
        let longest = labels
            .iter()
            .map(|label| label.chars().count())
            .max()
            .unwrap_or(1);
        let left = 20.0 + 7.2 * longest as f64;
        let (right, bottom) = (WIDTH - 16.0, TOP + row * rows as f64);
        let mut svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\" aria-label=\"{}\">",
            bottom + BOTTOM,
            escape(self.label)
        );
        let _ = write!(
            svg,
            "<image x=\"{left:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\" preserveAspectRatio=\"none\" href=\"{}\"/>",
            right - left,
            bottom - TOP,
            self.picture().to_data_address()
        );
        // As many names as there is room for; the whole name when pointed at.
        let every = (15.0 / row).ceil() as usize;
        for (number, label) in labels.iter().enumerate().step_by(every) {
            let _ = write!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}<title>{}</title></text>",
                left - 8.0,
                TOP + (number as f64 + 0.5) * row + 4.0,
                escape(label),
                escape(&self.rows[number])
            );
        }
        self.steps_below(&mut svg, left, right, bottom);
        svg.push_str("</svg>");
        svg
    }

    fn picture(&self) -> Picture {
        let colours = self
            .cells
            .iter()
            .flatten()
            .flat_map(|cell| self.scale.colour(*cell));
        Picture::of_bytes(self.steps.len(), self.rows.len(), 3, colours.collect())
    }

    /// Columns are the observed steps, evenly spaced: about six of them get their number.
    fn steps_below(&self, svg: &mut String, left: f64, right: f64, bottom: f64) {
        let width = (right - left) / self.steps.len() as f64;
        let every = self.steps.len().div_ceil(6);
        for (column, step) in self.steps.iter().enumerate().step_by(every.max(1)) {
            let at = left + (column as f64 + 0.5) * width;
            let _ = write!(
                svg,
                "<path class=\"axis-line\" d=\"M{at:.1} {bottom:.1}v4\"/><text x=\"{at:.1}\" y=\"{:.1}\" \
                 text-anchor=\"middle\">{step}</text>",
                bottom + 17.0
            );
        }
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">step</text>",
            (left + right) / 2.0,
            bottom + 34.0
        );
    }
}

/// A name of at most `most` characters: the end says more than the beginning.
pub(super) fn shortened(name: &str, most: usize) -> String {
    let count = name.chars().count();
    if count <= most {
        return name.to_owned();
    }
    let end: String = name.chars().skip(count - most + 1).collect();
    format!("…{end}")
}
