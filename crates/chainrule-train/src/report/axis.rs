//! Axes of plots: round numbers for ticks, positions on the page.

/// Where numbers lie along an axis of a plot.
pub(super) struct Axis {
    least: f64,
    most: f64,
    logarithmic: bool,
    /// Where `least` and `most` are drawn.
    from: f64,
    to: f64,
}

impl Axis {
    /// An axis that takes in all finite numbers given, widened to round ones if `round`. A logarithmic one takes in the
    /// positive numbers.
    pub(super) fn over(numbers: impl Iterator<Item = f64>, logarithmic: bool, round: bool) -> Axis {
        let scaled = |number: f64| if logarithmic { number.log10() } else { number };
        let finite = numbers.map(scaled).filter(|number| number.is_finite());
        let (mut least, mut most) = finite.fold(
            (f64::INFINITY, f64::NEG_INFINITY),
            |(least, most), number| (least.min(number), most.max(number)),
        );
        if least > most {
            (least, most) = (0.0, 1.0);
        }
        if most - least <= 1e-9 * most.abs().max(1e-300) {
            // One number alone lies in the middle.
            let room = if logarithmic {
                1.0
            } else {
                (least.abs() * 0.5).max(1e-12)
            };
            (least, most) = (least - room, most + room);
        }
        if round {
            let step = step(least, most, 5.0, logarithmic);
            // An end that is round but for its last digits stays.
            least = (least / step + 1e-9).floor() * step;
            most = (most / step - 1e-9).ceil() * step;
        }
        Axis {
            least,
            most,
            logarithmic,
            from: 0.0,
            to: 1.0,
        }
    }

    /// The axis drawn between two positions on the page.
    pub(super) fn between(self, from: f64, to: f64) -> Axis {
        Axis { from, to, ..self }
    }

    /// Where a number is drawn; none if it is not finite or, on a logarithmic axis, not positive.
    pub(super) fn place(&self, number: f64) -> Option<f64> {
        let number = if self.logarithmic {
            number.log10()
        } else {
            number
        };
        let share = (number - self.least) / (self.most - self.least);
        let place = self.from + share * (self.to - self.from);
        share.is_finite().then_some(place)
    }

    /// About `wanted` round numbers along the axis, at least `apart` from each other, each with its text.
    pub(super) fn ticks(&self, wanted: f64, apart: f64) -> Vec<(f64, String)> {
        let step = step(self.least, self.most, wanted, self.logarithmic).max(apart);
        let first = (self.least / step - 1e-9).ceil();
        let last = (self.most / step + 1e-9).floor();
        let count = (last - first).clamp(0.0, 50.0) as usize;
        (0..=count)
            .map(|number| {
                let tick = (first + number as f64) * step;
                if self.logarithmic {
                    (10f64.powf(tick), power(tick))
                } else {
                    (tick, decimal(tick, step))
                }
            })
            .collect()
    }
}

/// The step of 1, 2 or 5 times a power of ten that gives about `wanted` ticks; whole powers of ten on a logarithmic axis,
/// unless it spans less than two of them.
fn step(least: f64, most: f64, wanted: f64, logarithmic: bool) -> f64 {
    let rough = (most - least) / wanted;
    if logarithmic {
        return rough.ceil().max(1.0);
    }
    let power = 10f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|factor| factor * power >= rough * 0.999);
    factor.unwrap_or(10.0) * power
}

/// `10⁻³`; between whole powers the number itself.
fn power(exponent: f64) -> String {
    if exponent == 0.0 {
        return "1".to_owned();
    }
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let sign = if exponent < 0.0 { "⁻" } else { "" };
    let digits = (exponent.abs().round() as u32).to_string();
    let raised: String = digits
        .bytes()
        .map(|digit| DIGITS[usize::from(digit - b'0')])
        .collect();
    format!("10{sign}{raised}")
}

/// The number with as many decimals as the step has, large ones with k and M.
fn decimal(number: f64, step: f64) -> String {
    let number = if number.abs() < step * 1e-6 {
        0.0
    } else {
        number
    };
    let (unit, suffix) = match number.abs().max(step) {
        size if size >= 1e15 => return format!("{number:.0e}"),
        size if size >= 1e6 && step >= 1e4 => (1e6, "M"),
        size if size >= 1e4 && step >= 1e2 => (1e3, "k"),
        _ => (1.0, ""),
    };
    if step / unit < 1e-5 {
        return format!("{number:.1e}");
    }
    let digits = (-(step / unit * 1.0001).log10().floor()).max(0.0) as usize;
    if number == 0.0 {
        return "0".to_owned();
    }
    format!("{:.digits$}{suffix}", number / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(numbers: &[f64], logarithmic: bool) -> Vec<String> {
        let axis = Axis::over(numbers.iter().copied(), logarithmic, true);
        axis.ticks(5.0, 0.0)
            .into_iter()
            .map(|(_, text)| text)
            .collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(
            texts(&[0.0, 1.0], false),
            ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(
            texts(&[0.13, 2.31], false),
            ["0", "0.5", "1.0", "1.5", "2.0", "2.5"]
        );
        assert_eq!(
            texts(&[0.0, 48_000.0], false),
            ["0", "10k", "20k", "30k", "40k", "50k"]
        );
        assert_eq!(texts(&[0.0012, 0.0015], false)[0], "0.0012");
        assert_eq!(
            texts(&[1e-5, 0.3], true),
            ["10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²", "10⁻¹", "1"]
        );
    }

    #[test]
    fn odd_numbers_do_no_harm() {
        assert!(!texts(&[], false).is_empty());
        assert!(!texts(&[f64::NAN, f64::INFINITY], false).is_empty());
        assert!(texts(&[3.0], false).len() > 2);
        assert!(texts(&[0.0], true).len() < 60);
        assert!(texts(&[1e-300, 1e300], true).len() < 60);
        assert!(texts(&[-1e308, 1e308], false).len() < 60);
        let axis = Axis::over([1.0, 10.0].into_iter(), true, false).between(0.0, 100.0);
        assert_eq!(axis.place(-1.0), None);
        assert_eq!(axis.place(10.0), Some(100.0));
    }
}
