//! Dropout.

use crate::error::{Mismatch, raise};
use crate::tensor::{Generator, Tensor};

impl Tensor {
    /// Each element zeroed with probability `p`, the others divided by `1 - p` so that the mean stays; draws come from
    /// the thread's default generator (Srivastava and others 2014).
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.0, 2.0].dropout(0.0).to_vec::<f32>(), [1.0, 2.0]);
    /// assert_eq!(tensor![1.0, 2.0].dropout(1.0).to_vec::<f32>(), [0.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// When `p` is not a probability.
    #[track_caller]
    pub fn dropout(&self, p: f64) -> Tensor {
        self.dropped(p, |kept, tensor| Tensor::bernoulli(tensor.shape(), kept))
    }

    /// [`dropout`](Tensor::dropout) with draws from a generator of one's own.
    ///
    /// # Panics
    /// When `p` is not a probability.
    #[track_caller]
    pub fn dropout_from(&self, p: f64, generator: &Generator) -> Tensor {
        self.dropped(p, |kept, tensor| generator.bernoulli(tensor.shape(), kept))
    }

    #[track_caller]
    fn dropped(&self, p: f64, draw: impl FnOnce(f64, &Tensor) -> Tensor) -> Tensor {
        if !(0.0..=1.0).contains(&p) {
            let mismatch = Mismatch::argument(format!("{p} is not a probability"));
            raise(mismatch.into_error("dropout", &[self.as_operand()]));
        }
        if p == 0.0 {
            return self.clone();
        }
        if p == 1.0 {
            return self * 0.0;
        }
        let kept = draw(1.0 - p, self).cast(self.dtype());
        self * kept * (1.0 / (1.0 - p))
    }
}
