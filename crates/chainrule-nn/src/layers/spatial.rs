//! What layers over spatial axes share: numbers for each axis, the check of the input, the words for it.

use super::{ArgumentError, Arguments, FromValue, Value};
use chainrule_core::error::raise;
use chainrule_core::{Error, ErrorKind, Shape, Tensor};

/// One number for all of `AXES` spatial axes, or an array with one for each.
///
/// ```
/// use chainrule_nn::EachAxis;
/// assert_eq!(EachAxis::<2>::each(3), [3, 3]);
/// assert_eq!(EachAxis::<2>::each([3, 1]), [3, 1]);
/// ```
pub trait EachAxis<const AXES: usize> {
    /// The number for each axis.
    fn each(self) -> [usize; AXES];
}

impl<const AXES: usize> EachAxis<AXES> for usize {
    fn each(self) -> [usize; AXES] {
        [self; AXES]
    }
}

impl<const AXES: usize> EachAxis<AXES> for [usize; AXES] {
    fn each(self) -> [usize; AXES] {
        self
    }
}

/// `name` with the number of axes behind it, such as `conv2d`; found when the program is compiled.
pub(crate) const fn numbered<const AXES: usize>(names: [&'static str; 3]) -> &'static str {
    assert!(
        1 <= AXES && AXES <= 3,
        "there are layers for 1, 2 and 3 spatial axes"
    );
    names[AXES - 1]
}

/// Refuses `x` in the layer's words, which say more than those of the operation inside.
#[track_caller]
pub(crate) fn refuse(layer: &str, problem: &str, x: &Tensor) -> ! {
    let message = format!(
        "{layer}: {problem}, the input has shape {} (from `{}` at {})",
        x.shape(),
        x.operation_name(),
        x.place()
    );
    raise(Error::new(ErrorKind::Shape, message))
}

/// Refuses what is not `[batch, channels, spatial..]` with `AXES` spatial axes, or the same without batch; `channels` where
/// the layer takes a certain number.
#[track_caller]
pub(crate) fn check_spatial<const AXES: usize>(layer: &str, x: &Tensor, channels: Option<usize>) {
    let fits = (AXES + 1..=AXES + 2).contains(&x.rank())
        && channels.is_none_or(|channels| x.shape()[x.rank() - AXES - 1] == channels);
    if !fits {
        let spatial = ["length", "height, width", "depth, height, width"][AXES - 1];
        let number = channels.map_or(String::new(), |channels| {
            format!(" with {channels} channels")
        });
        let problem = format!(
            "the layer takes [batch, channels, {spatial}] or [channels, {spatial}]{number}"
        );
        refuse(layer, &problem, x);
    }
}

/// The channels of a declared layer's input `[batch, channels, spatial..]`.
pub(crate) fn channels_of<const AXES: usize>(
    arguments: &Arguments,
    input: &Shape,
) -> Result<usize, ArgumentError> {
    if input.len() == AXES + 2 {
        return Ok(input[1]);
    }
    let message =
        format!("its input has shape {input}; it takes [batch, channels, and {AXES} spatial axes]");
    Err(arguments.problem("type", message))
}

/// How much stands around the spatial axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Around<const AXES: usize> {
    /// So many before and after each axis.
    Sides([(usize, usize); AXES]),
    /// As many as keep the extents, the odd one after.
    Same,
}

impl<const AXES: usize> Around<AXES> {
    pub(crate) fn both(padding: [usize; AXES]) -> Around<AXES> {
        Around::Sides(padding.map(|padding| (padding, padding)))
    }

    /// Before and after each axis, for a window of these numbers of taps.
    pub(crate) fn sides(&self, kernel: &[usize], dilation: &[usize]) -> [(usize, usize); AXES] {
        match self {
            Around::Sides(sides) => *sides,
            Around::Same => std::array::from_fn(|axis| {
                let total = dilation[axis] * kernel[axis].saturating_sub(1);
                (total / 2, total - total / 2)
            }),
        }
    }
}

/// `"same"`, `"valid"`, a number, one for each axis, or (before, after) for each.
impl<const AXES: usize> FromValue for Around<AXES> {
    fn from_value(value: &Value) -> Option<Around<AXES>> {
        match value {
            Value::Text(text) if text == "same" => Some(Around::Same),
            Value::Text(text) if text == "valid" => Some(Around::both([0; AXES])),
            Value::Text(_) => None,
            _ => <[usize; AXES]>::from_value(value)
                .map(Around::both)
                .or_else(|| {
                    let pairs = Vec::<Vec<usize>>::from_value(value)?;
                    let pairs: Option<Vec<(usize, usize)>> = pairs
                        .iter()
                        .map(|pair| match pair[..] {
                            [before, after] => Some((before, after)),
                            _ => None,
                        })
                        .collect();
                    pairs?.try_into().ok().map(Around::Sides)
                }),
        }
    }

    fn expected() -> String {
        format!(
            "\"same\", \"valid\", a whole number, or a list of {AXES} of them or of {AXES} pairs [before, after]"
        )
    }
}
