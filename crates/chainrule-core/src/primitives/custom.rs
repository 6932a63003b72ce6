//! A user's own gate: an operation whose derivative is written by hand.

use crate::declare::{
    Batch, Derivative, Evaluation, Operation, OperationRef, Reads, Rule, Specs, Viewing, one,
};
use crate::error::{Error, ErrorKind, Mismatch, raise};
use crate::graph::Spec;
use crate::shape::Layout;
use crate::tensor::Tensor;
use std::any::Any;
use std::hash::Hasher;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// An operation with a derivative of the user's own making; recorded by [`Tensor::custom`].
///
/// ```
/// use chainrule_core::{Gate, Tensor, grad};
/// struct MultiplyGate;
/// impl Gate for MultiplyGate {
///     fn name(&self) -> &'static str { "multiply_gate" }
///     fn forward(&self, inputs: &[Tensor]) -> Tensor { &inputs[0] * &inputs[1] }
///     fn backward(&self, inputs: &[Tensor], _output: &Tensor, cotangent: &Tensor) -> Vec<Option<Tensor>> {
///         vec![Some(&inputs[1] * cotangent), Some(&inputs[0] * cotangent)]
///     }
/// }
/// let (x, y) = (Tensor::from(3.0), Tensor::from(-4.0));
/// let (dx, dy) = grad(|(x, y): &(Tensor, Tensor)| Tensor::custom(MultiplyGate, &[x, y]))(&(x, y));
/// assert_eq!((dx.item::<f64>(), dy.item::<f64>()), (-4.0, 3.0));
/// ```
pub trait Gate: Send + Sync + 'static {
    /// The name, for messages and graphs.
    fn name(&self) -> &'static str;

    /// The output. Any Rust over tensors, reading of values included; its own derivative by the inputs is not used.
    fn forward(&self, inputs: &[Tensor]) -> Tensor;

    /// The cotangent of each input, of the input's shape, from the cotangent of the output: the vector-Jacobian product.
    /// `None` stands for zero. Written as tensor code it can be differentiated again.
    fn backward(
        &self,
        inputs: &[Tensor],
        output: &Tensor,
        cotangent: &Tensor,
    ) -> Vec<Option<Tensor>>;

    /// The tangent of the output from those of the inputs (`None` stands for zero): the Jacobian-vector product.
    ///
    /// Unless given, it is derived from [`backward`](Gate::backward), which is linear in the cotangent: its transpose is
    /// the derivative of `Σ backward(u)·tangent` by `u`.
    fn forward_tangent(
        &self,
        inputs: &[Tensor],
        output: &Tensor,
        tangents: &[Option<Tensor>],
    ) -> Option<Tensor> {
        if tangents.iter().all(Option::is_none) {
            return None;
        }
        let product = |cotangent: &Tensor| {
            let shares = self.backward(inputs, output, cotangent);
            let terms = shares
                .iter()
                .zip(tangents)
                .filter_map(|(share, tangent)| Some((share.as_ref()? * tangent.as_ref()?).sum(..)));
            terms
                .reduce(|sum, term| sum + term)
                .unwrap_or_else(|| (cotangent * 0.0).sum(..))
        };
        Some(crate::transforms::grad(product)(&output.zeros_like()))
    }
}

/// A gate in a node. Input 0 is the output, computed by `forward` on inputs behind a `stop_gradient`; the others are the
/// gate's inputs. So forward passes are planned like any tensor code, and only derivatives see the gate.
struct Custom(AssertUnwindSafe<Arc<dyn Gate>>);

impl Custom {
    fn gate(&self) -> &dyn Gate {
        &**self.0
    }
}

impl Operation for Custom {
    fn name(&self) -> &'static str {
        self.gate().name()
    }

    fn formula(&self) -> String {
        "y = forward(x)".to_owned()
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        one(inputs[0].clone())
    }

    fn evaluation(&self) -> Evaluation<'_> {
        Evaluation::View(self)
    }

    fn derivative(&self) -> Derivative<'_> {
        Derivative::Rule(self)
    }

    fn batch(&self) -> Batch<'_> {
        Batch::Loop
    }

    fn backward_reads(&self) -> Reads {
        Reads::EVERYTHING
    }

    fn same(&self, other: &dyn Operation) -> bool {
        (other as &dyn Any)
            .downcast_ref::<Custom>()
            .is_some_and(|other| Arc::ptr_eq(&other.0, &self.0))
    }

    fn hash(&self, hasher: &mut dyn Hasher) {
        hasher.write_usize(Arc::as_ptr(&self.0).cast::<u8>() as usize);
    }

    fn declaration(&self) -> &dyn Any {
        self
    }
}

impl Viewing for Custom {
    fn view(&self, input: &Layout, _output: &Spec) -> Option<Layout> {
        Some(input.clone())
    }
}

impl Rule for Custom {
    fn jvp(
        &self,
        inputs: &[Tensor],
        outputs: &[Tensor],
        tangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let own = self
            .gate()
            .forward_tangent(&inputs[1..], &outputs[0], &tangents[1..]);
        if let Some(own) = &own {
            check(self.gate(), "tangent of the output", own, &outputs[0]);
        }
        // What `forward` has captured besides the inputs comes by the computed output.
        vec![match (own, tangents[0].clone()) {
            (Some(own), Some(captured)) => Some(own + captured),
            (own, captured) => own.or(captured),
        }]
    }

    fn vjp(
        &self,
        inputs: &[Tensor],
        outputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let cotangent = cotangents[0]
            .as_ref()
            .expect("the single output has a cotangent");
        let shares = self.gate().backward(&inputs[1..], &outputs[0], cotangent);
        if shares.len() != inputs.len() - 1 {
            let message = format!(
                "{}: backward returned {} cotangents for {} inputs\n    help: give one for each input, `None` where it is zero",
                self.gate().name(),
                shares.len(),
                inputs.len() - 1
            );
            raise(Error::new(ErrorKind::Argument, message));
        }
        for (position, (share, input)) in shares.iter().zip(&inputs[1..]).enumerate() {
            if let Some(share) = share {
                let what = format!("cotangent of input {position}");
                check(self.gate(), &what, share, input);
            }
        }
        std::iter::once(Some(cotangent.clone()))
            .chain(shares)
            .collect()
    }
}

/// Checks that what a gate returned has the shape it must have.
fn check(gate: &dyn Gate, what: &str, returned: &Tensor, wanted: &Tensor) {
    if returned.shape() != wanted.shape() {
        let message = format!(
            "{}: the {what} has shape {}, not {}\n    help: sum over the axes that broadcasting has added",
            gate.name(),
            returned.shape(),
            wanted.shape()
        );
        raise(Error::new(ErrorKind::Shape, message));
    }
}

impl Tensor {
    /// Records a user's own [`Gate`] on `inputs`.
    ///
    /// Gradients of gradients, forward mode and mixtures of them work as far as the gate's `backward` is tensor code.
    /// Under [`vmap`](crate::vmap) the gate runs once for each example.
    ///
    /// # Panics
    /// When the gate does; in a backward pass also when it returns cotangents of other number or shape than its inputs.
    #[track_caller]
    pub fn custom(gate: impl Gate, inputs: &[&Tensor]) -> Tensor {
        let hidden: Vec<Tensor> = inputs.iter().map(|input| input.stop_gradient()).collect();
        let output = gate.forward(&hidden);
        let edges: Vec<&Tensor> = std::iter::once(&output)
            .chain(inputs.iter().copied())
            .collect();
        OperationRef::Shared(Arc::new(Custom(AssertUnwindSafe(Arc::new(gate))))).of(&edges)
    }
}
