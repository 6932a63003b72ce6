//! Borders.

use crate::layers::catalogue::Declared;
use crate::{ArgumentError, Arguments, Layer};
use chainrule_core::error::raise;
use chainrule_core::{Error, ErrorKind, Padding, Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { Pad }

/// Elements added before and after along the last axes: a number, the elements mirrored, the element at the edge, or the
/// elements from the other end. One type for PyTorch's `ZeroPad`, `ConstantPad`, `ReflectionPad`, `ReplicationPad` and
/// `CircularPad` in any number of axes.
///
/// The amounts are (before, after) for each of the last axes, the last pair for the last axis (PyTorch counts from the last
/// axis). A negative amount takes elements away, where the padding is a number.
///
/// ```
/// use chainrule_core::{tensor, Padding};
/// use chainrule_nn::{Layer, Pad};
/// let x = tensor![[1.0, 2.0, 3.0]];
/// let y = Pad::new(Padding::Reflect, &[(1, 2)]).forward(&x);
/// assert_eq!(y.to_vec::<f32>(), [2.0, 1.0, 2.0, 3.0, 2.0, 1.0]);
/// let z = Pad::zeros(&[(1, -1)]).forward(&x);
/// assert_eq!(z.to_vec::<f32>(), [0.0, 1.0, 2.0]);
/// ```
#[derive(Clone, Debug, Module)]
pub struct Pad {
    #[tree(fixed)]
    padding: Padding,
    #[tree(fixed)]
    amounts: Vec<(isize, isize)>,
}

impl Pad {
    /// Pads the last axes by these amounts.
    pub fn new(padding: Padding, amounts: &[(isize, isize)]) -> Pad {
        Pad {
            padding,
            amounts: amounts.to_vec(),
        }
    }

    /// Pads the last axes by zeros.
    pub fn zeros(amounts: &[(isize, isize)]) -> Pad {
        Pad::new(Padding::Constant(0.0), amounts)
    }

    #[track_caller]
    fn refuse(&self, x: &Tensor, reason: &str) -> ! {
        let message = format!(
            "pad: {reason}: {:?} of {:?}, the input has shape {} (from `{}` at {})",
            self.padding,
            self.amounts,
            x.shape(),
            x.operation_name(),
            x.place()
        );
        raise(Error::new(ErrorKind::Shape, message));
    }

    /// Takes away what negative amounts ask for.
    #[track_caller]
    fn cropped(&self, x: &Tensor) -> Tensor {
        if !matches!(self.padding, Padding::Constant(_)) {
            self.refuse(x, "only a number can be padded by negative amounts");
        }
        let first = x.rank() - self.amounts.len();
        let pairs = self.amounts.iter().enumerate();
        pairs.fold(x.clone(), |cropped, (at, &(before, after))| {
            let extent = cropped.shape()[first + at];
            let [start, end] = [before, after].map(|amount| amount.min(0).unsigned_abs());
            if start + end > extent {
                self.refuse(x, "more is taken away than there is");
            }
            cropped.narrow((first + at) as isize, start, extent - start - end)
        })
    }
}

impl Layer for Pad {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        if self.amounts.len() > x.rank() {
            self.refuse(x, "there are more amounts than axes");
        }
        let negative = |&(before, after): &(isize, isize)| before < 0 || after < 0;
        let x = match self.amounts.iter().any(negative) {
            true => self.cropped(x),
            false => x.clone(),
        };
        let added = |amount: isize| amount.max(0) as usize;
        let amounts = self.amounts.iter();
        let amounts: Vec<(usize, usize)> = amounts
            .map(|&(before, after)| (added(before), added(after)))
            .collect();
        x.pad(&amounts, self.padding)
    }
}

/// `amounts`: before and after for each of the last axes, in the axes' order; `mode`: "constant" (if it is not given),
/// "reflect", "replicate" or "circular"; `value` for the first, 0 if it is not given.
impl Declared for Pad {
    const NAME: &'static str = "pad";

    fn declared(arguments: &mut Arguments, _input: &Shape) -> Result<Pad, ArgumentError> {
        let amounts: Vec<isize> = arguments.required("amounts")?;
        let value = arguments.optional("value", 0.0)?;
        let mode: String = arguments.optional("mode", "constant".to_owned())?;
        let padding = match mode.as_str() {
            "constant" => Padding::Constant(value),
            "reflect" => Padding::Reflect,
            "replicate" => Padding::Replicate,
            "circular" => Padding::Circular,
            _ => {
                let message = format!(
                    "`mode` is \"{mode}\"; expected constant, reflect, replicate or circular"
                );
                return Err(arguments.problem("mode", message));
            }
        };
        if !amounts.len().is_multiple_of(2) {
            let message =
                "`amounts` has an odd number of entries; expected before and after for each axis";
            return Err(arguments.problem("amounts", message));
        }
        let pairs: Vec<(isize, isize)> = amounts.chunks(2).map(|pair| (pair[0], pair[1])).collect();
        Ok(Pad::new(padding, &pairs))
    }
}
