//! Solutions of equations, differentiated by the implicit function theorem.

use super::gmres;
use super::jvp::jvp;
use super::linearize::{linearize, pullback};
use crate::backend::convert::{from_array, to_array};
use crate::declare::{
    Array, Batch, Derivative, Evaluation, Operation, OperationRef, Reads, Reference, Rule, Specs,
    one,
};
use crate::error::{Error, Mismatch};
use crate::graph::{Device, Spec, untracked};
use crate::primitives::Gate;
use crate::tensor::Tensor;
use crate::tree::{Tree, leaves, mapped, rebuilt};
use std::any::Any;
use std::hash::Hasher;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// The solution `x` of `residual(x, parameters) = 0` that `solve` finds, differentiable by the parameters.
///
/// `solve` may be any program: Newton's method, a fixed-point iteration, a table. Its steps are not differentiated. From
/// `residual(x(p), p) = 0` it follows that `dx = -(∂residual/∂x)⁻¹ ∂residual/∂p dp`; the linear equation is solved with
/// products only (GMRES), so no Jacobian is ever formed, and to about 13 digits in f64. Derivatives of any order and in
/// both modes work, because the linear equation is a root again. The residual has the shape of `x`.
///
/// A fixed point `x = g(x, p)` is the root of `g(x, p) - x`.
///
/// ```
/// use chainrule_core::{grad, root, Tensor};
/// // The square root, by Newton's method.
/// let square_root = |p: &Tensor| {
///     root(
///         |x, p: &Tensor| x * x - p,
///         |p| (0..30).fold(p.ones_like(), |x, _| (&x + p / &x) * 0.5),
///         p,
///     )
/// };
/// let slope = grad(square_root)(&Tensor::from(4.0));
/// assert!((slope.item::<f64>() - 0.25).abs() < 1e-12);
/// let curvature = grad(grad(square_root))(&Tensor::from(4.0));
/// assert!((curvature.item::<f64>() + 1.0 / 32.0).abs() < 1e-12);
/// ```
///
/// # Panics
/// When `solve` returns another shape than `residual`; in a derivative, when the linear equation cannot be solved because
/// the residual's derivative by `x` is singular. Under [`vmap`](crate::vmap) a solver that reads values panics: use
/// [`map_each`](crate::map_each).
#[track_caller]
pub fn root<P: Tree + Clone + Send + Sync + 'static>(
    residual: impl Fn(&Tensor, &P) -> Tensor + Send + Sync + 'static,
    solve: impl Fn(&P) -> Tensor + Send + Sync + 'static,
    parameters: &P,
) -> Tensor {
    // The template keeps the structure, not the graph that its tensors came from.
    let template = Arc::new(mapped(parameters, |leaf| Tensor::absent(leaf)));
    let (residual_template, solve_template) = (Arc::clone(&template), template);
    let gate = Implicit {
        residual: Arc::new(move |x, p| residual(x, &rebuilt(&*residual_template, p))),
        solve: Arc::new(move |p| solve(&rebuilt(&*solve_template, p))),
    };
    Tensor::custom(gate, &leaves(parameters))
}

/// The left side of an equation in `x`, from `x` and what it depends on. Its type is erased: derivatives of derivatives
/// nest equations ever deeper.
type Residual = dyn Fn(&Tensor, &[Tensor]) -> Tensor + Send + Sync;
type Solve = dyn Fn(&[Tensor]) -> Tensor + Send + Sync;

/// The solution of an equation as a gate.
struct Implicit {
    residual: Arc<Residual>,
    solve: Arc<Solve>,
}

impl Gate for Implicit {
    fn name(&self) -> &'static str {
        "root"
    }

    fn forward(&self, inputs: &[Tensor]) -> Tensor {
        (self.solve)(inputs)
    }

    fn backward(
        &self,
        inputs: &[Tensor],
        output: &Tensor,
        cotangent: &Tensor,
    ) -> Vec<Option<Tensor>> {
        pulled(&self.residual, inputs, output, cotangent)
    }

    fn forward_tangent(
        &self,
        inputs: &[Tensor],
        output: &Tensor,
        tangents: &[Option<Tensor>],
    ) -> Option<Tensor> {
        pushed(&self.residual, inputs, output, tangents)
    }
}

/// The cotangents of the parameters: `-(∂r/∂p)ᵀ u`, where `(∂r/∂x)ᵀ u` is the cotangent of the root.
fn pulled(
    residual: &Arc<Residual>,
    parameters: &[Tensor],
    x: &Tensor,
    cotangent: &Tensor,
) -> Vec<Option<Tensor>> {
    let inner = Arc::clone(residual);
    let adjoint = move |u: &Tensor, operands: &[Tensor]| {
        let [cotangent, x, parameters @ ..] = operands else {
            unreachable!("the operands are given below")
        };
        let (_, pull) = pullback(|x: &Tensor| inner(x, parameters), x);
        pull(u) - cotangent
    };
    let operands: Vec<&Tensor> = [cotangent, x].into_iter().chain(parameters).collect();
    let u = linear_root(Arc::new(adjoint), &operands);
    let (_, pull) = pullback(|p: &Vec<Tensor>| residual(x, p), &parameters.to_vec());
    let shares = pull(&-u).into_iter();
    shares
        .map(|share| (!share.is_absent()).then_some(share))
        .collect()
}

/// The tangent of the root: `dx` in `∂r/∂x dx = -∂r/∂p dp`.
fn pushed(
    residual: &Arc<Residual>,
    parameters: &[Tensor],
    x: &Tensor,
    tangents: &[Option<Tensor>],
) -> Option<Tensor> {
    if tangents.iter().all(Option::is_none) {
        return None;
    }
    let entries = parameters.iter().zip(tangents);
    let direction: Vec<Tensor> = entries
        .map(|(parameter, tangent)| tangent.clone().unwrap_or_else(|| Tensor::absent(parameter)))
        .collect();
    let by_parameters = |p: &Vec<Tensor>| residual(x, p);
    let (_, moved) = jvp(by_parameters, &parameters.to_vec(), &direction);
    let inner = Arc::clone(residual);
    let equation = move |dx: &Tensor, operands: &[Tensor]| {
        let [moved, x, parameters @ ..] = operands else {
            unreachable!("the operands are given below")
        };
        jvp(|x: &Tensor| inner(x, parameters), x, dx).1 + moved
    };
    let operands: Vec<&Tensor> = [&moved, x].into_iter().chain(parameters).collect();
    Some(linear_root(Arc::new(equation), &operands))
}

/// The root of an equation that is linear in its unknown, which has the shape of the first operand.
fn linear_root(residual: Arc<Residual>, operands: &[&Tensor]) -> Tensor {
    OperationRef::Shared(Arc::new(LinearRoot(AssertUnwindSafe(residual)))).of(operands)
}

/// A linear equation as an operation: solved when its value is computed, so that a batch of right sides runs as a loop.
struct LinearRoot(AssertUnwindSafe<Arc<Residual>>);

impl Operation for LinearRoot {
    fn name(&self) -> &'static str {
        "linear_root"
    }

    fn formula(&self) -> String {
        "r(y, x) = 0, r linear in y".to_owned()
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        one(inputs[0].clone())
    }

    fn evaluation(&self) -> Evaluation<'_> {
        Evaluation::Reference(self)
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
            .downcast_ref::<LinearRoot>()
            .is_some_and(|other| Arc::ptr_eq(&self.0, &other.0))
    }

    fn hash(&self, hasher: &mut dyn Hasher) {
        hasher.write_usize(Arc::as_ptr(&self.0).cast::<u8>() as usize);
    }

    fn declaration(&self) -> &dyn Any {
        self
    }
}

impl Reference for LinearRoot {
    fn value(&self, inputs: &[Array], specs: &[Spec]) -> Result<Vec<Array>, Error> {
        let device = specs[0].device();
        let operands: Vec<Tensor> = inputs
            .iter()
            .map(|array| given(array, device))
            .collect::<Result<_, Error>>()?;
        let solution = untracked(|| {
            let zero = operands[0].zeros_like();
            let (constant, derivative) = linearize(|y: &Tensor| (self.0)(y, &operands), &zero);
            gmres::solve(&derivative, &-constant)
        })?;
        Ok(vec![to_array(&solution.known_value(), solution.spec())?])
    }
}

fn given(array: &Array, device: Device) -> Result<Tensor, Error> {
    let dtype = array.dtype().expect("a solver is run on numbers");
    let spec = Spec::new(array.shape.clone(), dtype).with_device(device);
    Ok(Tensor::constant_of(from_array(array.clone(), &spec)?, spec))
}

impl Rule for LinearRoot {
    fn jvp(
        &self,
        inputs: &[Tensor],
        outputs: &[Tensor],
        tangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        vec![pushed(&self.0, inputs, &outputs[0], tangents)]
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
        pulled(&self.0, inputs, &outputs[0], cotangent)
    }
}
