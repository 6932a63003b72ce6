//! Printing, in the manner of NumPy.

use super::Tensor;
use crate::backend::Scalar;
use crate::graph::Device;
use chainrule_kernels::DType;
use std::fmt;

/// Tensors with more elements than this are printed in part.
const WHOLE: usize = 1000;
/// So many items are shown at either end of an axis that is printed in part.
const EDGE: usize = 3;
/// Digits after the point unless the format asks for others.
const PRECISION: usize = 4;

impl fmt::Display for Tensor {
    /// The elements in nested brackets with aligned columns, then shape, dtype and, where it is not the CPU, device.
    ///
    /// Evaluates the tensor, except inside `vmap`, where there is no value and the shape alone is printed. More than 1000
    /// elements are printed in part. Numbers that differ widely in size are printed with exponents; the format's
    /// precision is honoured: `{:.2}`. `{:#}` prints the elements alone, to stand inside a sentence.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let x = tensor![[1.0, 2.5], [-3.0, 0.125]];
    /// assert_eq!(x.to_string(), "[[ 1.   ,  2.5  ],\n [-3.   ,  0.125]]  shape [2, 2], f32");
    /// assert_eq!(format!("the sum is {:#.1}", x.sum(..)), "the sum is 0.6");
    /// ```
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.node().is_abstract() {
            return write!(out, "<no value>  {}", footer(self));
        }
        let elided = self.elements() > WHOLE;
        let shown = if elided { self.corners() } else { self.clone() };
        let scalars = shown.scalars();
        let style = Style::of(&scalars, self.dtype(), out.precision());
        let texts: Vec<String> = scalars.iter().map(|&scalar| style.text(scalar)).collect();
        let width = texts.iter().map(String::len).max().unwrap_or(0);
        let printer = Printer {
            texts: &texts,
            width,
            whole: self.shape(),
            shown: shown.shape(),
        };
        let mut body = String::new();
        printer.print(&mut body, 0, 0);
        if out.alternate() {
            return out.write_str(&body);
        }
        write!(out, "{body}  {}", footer(self))
    }
}

impl fmt::Debug for Tensor {
    /// As `Display` where the value is there already; shape, dtype and operation alone where it would have to be
    /// computed: looking at a program with a debugger does not run it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let computed = self.node().value(self.edge().output).is_some();
        if computed {
            return fmt::Display::fmt(self, out);
        }
        write!(out, "<{}>  {}", self.operation_name(), footer(self))
    }
}

fn footer(tensor: &Tensor) -> String {
    let mut text = format!("shape {}, {}", tensor.shape(), tensor.dtype());
    if tensor.device() != Device::CPU {
        text += &format!(", on {}", tensor.device().backend().name());
    }
    text
}

impl Tensor {
    /// The items at both ends of every axis that is longer than they are together.
    fn corners(&self) -> Tensor {
        crate::graph::untracked(|| {
            (0..self.rank()).fold(self.stop_gradient(), |shown, axis| {
                let extent = shown.shape()[axis];
                if extent <= 2 * EDGE {
                    return shown;
                }
                let axis = axis as isize;
                let first = shown.narrow(axis, 0, EDGE);
                let last = shown.narrow(axis, extent - EDGE, EDGE);
                Tensor::concat(&[first, last], axis)
            })
        })
    }
}

/// How all numbers of one tensor are written, so that they line up.
enum Style {
    /// As they are: integers and truth values.
    Plain,
    /// With so many digits after the point; trailing zeros are blanks where `trim` is set.
    Fixed { digits: usize, trim: bool },
    /// With so many digits after the point and an exponent.
    Exponent { digits: usize },
}

impl Style {
    fn of(scalars: &[Scalar], dtype: DType, precision: Option<usize>) -> Style {
        if !dtype.is_floating() {
            return Style::Plain;
        }
        let digits = precision.unwrap_or(PRECISION);
        let finite = || {
            scalars
                .iter()
                .map(|scalar| scalar.to_f64())
                .filter(|x| x.is_finite())
        };
        let sizes = || finite().map(f64::abs).filter(|&x| x > 0.0);
        let greatest = sizes().fold(0.0, f64::max);
        let least = sizes().fold(f64::INFINITY, f64::min);
        // NumPy's limits: too large, too small, or too far apart for a common number of digits.
        let wide = greatest >= 1e8 || least < 1e-4 || greatest / least > 1e3 && greatest >= 1e5;
        if greatest > 0.0 && wide {
            return Style::Exponent { digits };
        }
        if precision.is_some() {
            return Style::Fixed {
                digits,
                trim: false,
            };
        }
        let needed = finite().map(|x| fraction_digits(x, digits)).max();
        Style::Fixed {
            digits: needed.unwrap_or(0),
            trim: true,
        }
    }

    fn text(&self, scalar: Scalar) -> String {
        let number = match scalar {
            Scalar::Integer(integer) => return integer.to_string(),
            Scalar::Truth(truth) => return truth.to_string(),
            Scalar::Float(number) => number,
        };
        if number.is_nan() {
            return "NaN".to_owned();
        }
        if number.is_infinite() {
            return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
        }
        match *self {
            Style::Plain => number.to_string(),
            Style::Exponent { digits } => with_exponent(number, digits),
            Style::Fixed {
                digits,
                trim: false,
            } => format!("{number:.digits$}"),
            Style::Fixed { digits, trim: true } => {
                let text = format!("{number:.digits$}");
                if digits == 0 {
                    return text + ".";
                }
                let kept = text.trim_end_matches('0').len();
                let blanks = text.len() - kept;
                text[..kept].to_owned() + &" ".repeat(blanks)
            }
        }
    }
}

/// The digits after the point that `number` needs, at most `limit`.
fn fraction_digits(number: f64, limit: usize) -> usize {
    let text = format!("{number:.limit$}");
    match text.find('.') {
        Some(point) => text.trim_end_matches('0').len().max(point + 1) - point - 1,
        None => 0,
    }
}

/// `1.5000e-07`: the exponent always has a sign and at least two digits.
fn with_exponent(number: f64, digits: usize) -> String {
    let text = format!("{number:.digits$e}");
    let (mantissa, exponent) = text.split_once('e').expect("the format writes an exponent");
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{exponent:0>2}")
}

/// Writes nested brackets around texts.
struct Printer<'a> {
    texts: &'a [String],
    width: usize,
    /// The shape of the tensor, and of the part of it that is in `texts`.
    whole: &'a [usize],
    shown: &'a [usize],
}

impl Printer<'_> {
    /// Writes the part below `axis` that begins at `start`.
    fn print(&self, body: &mut String, axis: usize, start: usize) {
        if axis == self.shown.len() {
            match self.shown.len() {
                0 => body.push_str(self.texts[start].trim_end()),
                _ => *body += &format!("{:>width$}", self.texts[start], width = self.width),
            }
            return;
        }
        let below = self.shown[axis + 1..].iter().product::<usize>();
        let last = axis + 1 == self.shown.len();
        let separator = if last {
            ", ".to_owned()
        } else {
            // Blank lines set matrices apart.
            format!(
                ",{}{}",
                "\n".repeat(self.shown.len() - axis - 1),
                " ".repeat(axis + 1)
            )
        };
        body.push('[');
        for item in 0..self.shown[axis] {
            if item > 0 {
                *body += &separator;
            }
            if item == EDGE && self.whole[axis] > self.shown[axis] {
                *body += "...";
                *body += &separator;
            }
            self.print(body, axis + 1, start + item * below);
        }
        body.push(']');
    }
}
