//! Other extents.

use crate::layers::catalogue::Declared;
use crate::{ArgumentError, Arguments, Layer};
use chainrule_core::{Interpolation, Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { Upsample }

/// The last axes at other extents, by interpolation: `[batch, channels, spatial..]` to `[batch, channels, extents..]`, of
/// given extents or each a factor times as large (rounded down).
///
/// ```
/// use chainrule_core::{tensor, Interpolation};
/// use chainrule_nn::{Layer, Upsample};
/// let x = tensor![[[0.0, 1.0]]];
/// assert_eq!(Upsample::by(&[2.0]).forward(&x).to_vec::<f32>(), [0.0, 0.0, 1.0, 1.0]);
/// let linear = Interpolation::Linear { align_corners: true };
/// assert_eq!(Upsample::to(&[3]).interpolation(linear).forward(&x).to_vec::<f32>(), [0.0, 0.5, 1.0]);
/// ```
#[derive(Clone, Debug, Module)]
pub struct Upsample {
    extents: Vec<usize>,
    factors: Vec<f64>,
    recomputed: bool,
    #[tree(fixed)]
    interpolation: Interpolation,
}

impl Upsample {
    /// The last axes at these extents, with the nearest elements.
    pub fn to(extents: &[usize]) -> Upsample {
        Upsample {
            extents: extents.to_vec(),
            factors: Vec::new(),
            recomputed: false,
            interpolation: Interpolation::Nearest,
        }
    }

    /// The last axes times these factors, with the nearest elements.
    pub fn by(factors: &[f64]) -> Upsample {
        Upsample {
            extents: Vec::new(),
            factors: factors.to_vec(),
            recomputed: false,
            interpolation: Interpolation::Nearest,
        }
    }

    /// How elements between places are made.
    pub fn interpolation(self, interpolation: Interpolation) -> Upsample {
        Upsample {
            interpolation,
            ..self
        }
    }

    /// Places lie by the ratio of the rounded extents, not by the factor itself (PyTorch's `recompute_scale_factor`).
    pub fn recomputed(self) -> Upsample {
        Upsample {
            recomputed: true,
            ..self
        }
    }
}

impl Layer for Upsample {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        if self.factors.is_empty() {
            return x.resize(&self.extents, self.interpolation);
        }
        if !self.recomputed || self.factors.len() > x.rank() {
            return x.resize_by(&self.factors, self.interpolation);
        }
        let last = &x.shape()[x.rank() - self.factors.len()..];
        let extents = last.iter().zip(&self.factors);
        let extents: Vec<usize> = extents
            .map(|(&extent, factor)| (extent as f64 * factor) as usize)
            .collect();
        x.resize(&extents, self.interpolation)
    }
}

/// `factor` or `extents`: one for all spatial axes or one for each; `mode`: "nearest" (if it is not given), "linear" or
/// "cubic"; `align_corners`.
impl Declared for Upsample {
    const NAME: &'static str = "upsample";

    fn declared(arguments: &mut Arguments, input: &Shape) -> Result<Upsample, ArgumentError> {
        let axes = input.len().saturating_sub(2);
        let one: Option<f64> = arguments.given("factor").unwrap_or(None);
        let factors = match one {
            Some(factor) => Some(vec![factor; axes]),
            None => arguments.given::<Vec<f64>>("factor")?,
        };
        let extents = super::unfold::per_axis(arguments, "extents", axes)?;
        let layer = match (extents, factors) {
            (Some(extents), None) => Upsample::to(&extents),
            (None, Some(factors)) => Upsample::by(&factors),
            _ => {
                let message = "either `factor` or `extents` must be given";
                return Err(arguments.problem("factor", message));
            }
        };
        let align_corners = arguments.optional("align_corners", false)?;
        let mode: String = arguments.optional("mode", "nearest".to_owned())?;
        Ok(layer.interpolation(match mode.as_str() {
            "nearest" => Interpolation::Nearest,
            "linear" => Interpolation::Linear { align_corners },
            "cubic" => Interpolation::Cubic { align_corners },
            _ => {
                let message = format!("`mode` is \"{mode}\"; expected nearest, linear or cubic");
                return Err(arguments.problem("mode", message));
            }
        }))
    }
}
