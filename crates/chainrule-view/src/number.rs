//! Numbers and arrays as people read them.

/// Six digits that count, without zeros that do not: `-4`, `0.283662`, `1.5e-9`.
pub fn number_text(number: f64) -> String {
    digits_text(number, 6)
}

/// So many digits that count.
fn digits_text(number: f64, digits: usize) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "∞" } else { "-∞" }.to_owned();
    }
    let after_point = digits - 1;
    let scientific = format!("{number:.after_point$e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-5..=6).contains(&exponent) {
        let decimals = (after_point as i32 - exponent).max(0) as usize;
        return without_zeros(&format!("{number:.decimals$}")).to_owned();
    }
    format!("{}e{exponent}", without_zeros(mantissa))
}

fn without_zeros(text: &str) -> &str {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    }
}

/// Numbers in nested arrays, or the description of many of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// The extents; none for one number.
    pub shape: Vec<usize>,
    /// The elements in row-major order; none where they are elided.
    pub elements: Vec<f64>,
    /// Whether they are truth values, 1 and 0.
    pub truth: bool,
    /// √Σx² of elements that were too many to be listed.
    pub elided: Option<f64>,
}

impl Array {
    /// One number.
    pub fn scalar(number: f64) -> Array {
        Array {
            shape: Vec::new(),
            elements: vec![number],
            truth: false,
            elided: None,
        }
    }

    /// Zeros of a shape.
    pub fn zeros(shape: &[usize]) -> Array {
        Array {
            shape: shape.to_vec(),
            elements: vec![0.0; shape.iter().product()],
            truth: false,
            elided: None,
        }
    }

    /// The element that all are, if they are one.
    pub fn fill(&self) -> Option<f64> {
        let first = *self.elements.first()?;
        let same = self
            .elements
            .iter()
            .all(|element| element.to_bits() == first.to_bits());
        same.then_some(first)
    }

    /// The weighted sum over the first axes, which are those of `weights`.
    pub fn weighted(&self, weights: &Array) -> Array {
        let mut sum = Array::zeros(&self.shape[weights.shape.len()..]);
        let count = sum.elements.len();
        for (part, weight) in self.elements.chunks(count.max(1)).zip(&weights.elements) {
            for (sum, element) in sum.elements.iter_mut().zip(part) {
                *sum += weight * element;
            }
        }
        sum
    }

    /// √Σx².
    pub fn norm(&self) -> f64 {
        let listed = || {
            let elements = self.elements.iter();
            elements.fold(0.0, |norm: f64, x| norm.hypot(*x))
        };
        self.elided.unwrap_or_else(listed)
    }

    /// As text of at most about `width` letters: `-4`, `[1, 2, 3]`, with fewer digits if that helps, or the shape and the
    /// norm.
    pub fn text(&self, width: usize) -> String {
        if self.elided.is_none() && self.elements.len() <= 64 {
            for digits in [6, 3] {
                let element = |number| self.element_text(number, digits);
                let text = nested(&self.shape, &self.elements, &element);
                if self.shape.is_empty() || text.chars().count() <= width {
                    return text;
                }
            }
        }
        if let Some(fill) = self.fill() {
            return format!("{} of {}", self.shape_text(), self.element_text(fill, 6));
        }
        let long = format!("{}, norm {}", self.shape_text(), number_text(self.norm()));
        if long.chars().count() <= width {
            long
        } else {
            self.shape_text()
        }
    }

    fn element_text(&self, number: f64, digits: usize) -> String {
        match (self.truth, number != 0.0) {
            (true, true) => "true".to_owned(),
            (true, false) => "false".to_owned(),
            _ => digits_text(number, digits),
        }
    }

    /// Extents as `2×3`.
    pub fn shape_text(&self) -> String {
        shape_text(&self.shape)
    }
}

/// Extents as `2×3` or `3-vector`; one number is a `number`.
pub fn shape_text(shape: &[usize]) -> String {
    match shape {
        [] => "number".to_owned(),
        [one] => format!("{one}-vector"),
        _ => {
            let extents: Vec<String> = shape.iter().map(usize::to_string).collect();
            extents.join("×")
        }
    }
}

fn nested(shape: &[usize], elements: &[f64], text: &dyn Fn(f64) -> String) -> String {
    match shape {
        [] => elements
            .first()
            .map_or_else(String::new, |&number| text(number)),
        [extent, rest @ ..] => {
            let step = rest.iter().product::<usize>();
            let parts: Vec<String> = (0..*extent)
                .map(|at| nested(rest, &elements[at * step..(at + 1) * step], text))
                .collect();
            format!("[{}]", parts.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_count() {
        for (number, text) in [
            (-4.0, "-4"),
            (0.1 + 0.2, "0.3"),
            (5f64.cos(), "0.283662"),
            (1.5e-9, "1.5e-9"),
            (0.00012, "0.00012"),
            (1_234_567.0, "1234567"),
            (12_345_678.0, "1.23457e7"),
            (999_999.9, "1000000"),
            (-0.0, "0"),
            (f64::INFINITY, "∞"),
        ] {
            assert_eq!(number_text(number), text);
        }
    }

    #[test]
    fn arrays_are_written_whole_or_described() {
        let array = |shape: &[usize]| Array {
            shape: shape.to_vec(),
            elements: (0..shape.iter().product()).map(|x| x as f64).collect(),
            truth: false,
            elided: None,
        };
        assert_eq!(array(&[2, 2]).text(40), "[[0, 1], [2, 3]]");
        assert_eq!(array(&[10, 20]).text(40), "10×20, norm 1626.87");
        assert_eq!(Array::zeros(&[100]).text(40), "100-vector of 0");
        assert_eq!(array(&[2, 0]).text(40), "[[], []]");
        assert_eq!(array(&[2, 2]).json().to_string(), "[[0.0,1.0],[2.0,3.0]]");
        assert_eq!(Array::scalar(f64::NEG_INFINITY).json(), "-Infinity");
        let elided = Array {
            elements: Vec::new(),
            elided: Some(1.5),
            ..array(&[10, 20])
        };
        assert_eq!(elided.text(24), "10×20, norm 1.5");
        assert_eq!(elided.text(12), "10×20");
        assert_eq!(elided.json().to_string(), r#"{"norm":1.5}"#);
    }
}
