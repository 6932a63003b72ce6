//! The PyTorch habit: `loss.backward()`, then ask for any gradient.

use super::grad::check_scalar;
use super::reverse::pull_all;
use super::side::{Row, Side};
use crate::error::{Error, ErrorKind, or_raise, raise};
use crate::graph::walk::{Walk, above_leaves};
use crate::graph::without_evaluation;
use crate::tensor::Tensor;

/// The gradients of one backward pass: of every tracked leaf and every intermediate result.
///
/// They are ordinary tensors, computed when somebody looks, and can be differentiated again.
pub struct Gradients {
    walk: Walk,
    rows: Vec<Row>,
}

impl Drop for Gradients {
    fn drop(&mut self) {
        self.entries().for_each(|gradient| gradient.node().unlist());
    }
}

impl Gradients {
    /// The gradient by `tensor`: zeros, marked [absent](Tensor::is_absent), if the result does not depend on it.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// let x = Tensor::from(2.0).tracked();
    /// let a = &x * 3.0;
    /// let y = &a * &a;
    /// let gradients = y.backward();
    /// assert_eq!(gradients.of(&a).item::<f64>(), 12.0);
    /// assert_eq!(gradients.of(&x).item::<f64>(), 36.0);
    /// ```
    #[track_caller]
    pub fn of(&self, tensor: impl AsRef<Tensor>) -> Tensor {
        let tensor = tensor.as_ref();
        match self.find(tensor) {
            Some(gradient) => gradient.clone(),
            None => Tensor::absent(tensor),
        }
    }

    fn entries(&self) -> impl Iterator<Item = &Tensor> {
        self.rows.iter().flat_map(|row| row.iter().flatten())
    }

    fn find(&self, tensor: &Tensor) -> Option<&Tensor> {
        let row = &self.rows[self.walk.row(tensor)?];
        row.get(tensor.edge().output as usize)?.as_ref()
    }
}

impl Tensor {
    /// The gradients of this number by everything it depends on that is tracked.
    ///
    /// May be called any number of times; nothing accumulates, nothing needs to be zeroed.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// let w = Tensor::from(3.0).tracked();
    /// let loss = (&w - 1.0).square();
    /// assert_eq!(loss.backward().of(&w).item::<f64>(), 4.0);
    /// ```
    ///
    /// # Panics
    /// When this is not a single floating-point number, or nothing it depends on is tracked.
    #[track_caller]
    pub fn backward(&self) -> Gradients {
        or_raise(check_scalar(self, "backward: the tensor must be"));
        self.backward_with(self.ones_like())
    }

    /// The gradients of the inner product of this tensor with `cotangent`, which has its shape.
    ///
    /// # Panics
    /// When the shapes differ, or nothing this tensor depends on is tracked.
    #[track_caller]
    pub fn backward_with(&self, cotangent: impl AsRef<Tensor>) -> Gradients {
        let cotangent = cotangent.as_ref();
        if cotangent.shape() != self.shape() {
            let message = format!(
                "backward: the cotangent has shape {}, the tensor has {}",
                cotangent.shape(),
                self.shape()
            );
            raise(Error::new(ErrorKind::Shape, message));
        }
        if !self.is_tracked() {
            let message = format!(
                "backward: nothing that `{}` at {} depends on is tracked\n    help: mark what to differentiate by: \
                 `let x = x.tracked();`, before computing with it",
                self.operation_name(),
                self.place()
            );
            raise(Error::new(ErrorKind::Derivative, message));
        }
        without_evaluation(|| self.pull_from(cotangent))
    }

    fn pull_from(&self, cotangent: &Tensor) -> Gradients {
        let mut walk = above_leaves(std::slice::from_ref(self));
        let mut table = Side::over(&walk);
        table.accumulate(self, cotangent.cast(self.dtype()));
        pull_all(&walk, &mut table);
        let rows = table.into_rows();
        // The table does not keep what was differentiated, nor does it ask for the value of any gradient.
        walk.steps = Vec::new();
        let gradients = Gradients { walk, rows };
        gradients
            .entries()
            .for_each(|gradient| gradient.node().list());
        gradients
    }
}
