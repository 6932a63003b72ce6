//! Elements dropped one by one.

use crate::layers::catalogue::Declared;
use crate::{ArgumentError, Arguments, Layer, Mode};
use chainrule_core::{Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { Dropout }

/// In training each element becomes 0 with a probability, the others are divided by 1 less that probability, so that the mean
/// stays (Srivastava and others 2014); in evaluation nothing happens. Same shape.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{Dropout, Layer, Module};
/// let mut layer = Dropout::new(0.5);
/// let y = layer.forward(Tensor::ones([100]));
/// assert!(y.to_vec::<f32>().iter().all(|&y| y == 0.0 || y == 2.0));
/// layer.eval();
/// assert_eq!(layer.forward(Tensor::ones([2])).to_vec::<f32>(), [1.0, 1.0]);
/// ```
#[derive(Clone, Debug, Module)]
pub struct Dropout {
    probability: f64,
    mode: Mode,
}

impl Dropout {
    /// Drops with `probability`.
    ///
    /// # Panics
    /// When that is not between 0 and 1.
    #[track_caller]
    pub fn new(probability: f64) -> Dropout {
        super::check_probability("dropout", probability);
        Dropout {
            probability,
            mode: Mode::Train,
        }
    }
}

impl Layer for Dropout {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        match self.mode {
            Mode::Train => x.dropout(self.probability),
            Mode::Eval => x.clone(),
        }
    }
}

/// `probability`, 0.5 if it is not given.
impl Declared for Dropout {
    const NAME: &'static str = "dropout";

    fn declared(arguments: &mut Arguments, _input: &Shape) -> Result<Dropout, ArgumentError> {
        let probability = super::probability(arguments)?;
        Ok(Dropout::new(probability))
    }
}
