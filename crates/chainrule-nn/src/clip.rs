//! Bounds on gradients.

use chainrule_core::tree::{Tree, leaves, mapped};
use chainrule_core::{DType, Gradients, Tensor, untracked};

/// The norm of all floating-point leaves of a tree as one vector; `order` 2 is the usual one, infinity the largest entry.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::clip::total_norm;
/// let gradients = (tensor![3.0, 0.0], tensor![[4.0]]);
/// assert_eq!(total_norm(&gradients, 2.0).item::<f64>(), 5.0);
/// assert_eq!(total_norm(&gradients, f64::INFINITY).item::<f64>(), 4.0);
/// ```
pub fn total_norm<T: Tree>(gradients: &T, order: f64) -> Tensor {
    norm_of(&leaves(gradients), order)
}

/// The norm of the norms, in f32 at least: sums of squares overflow in narrower types.
fn norm_of(leaves: &[&Tensor], order: f64) -> Tensor {
    let norms: Vec<Tensor> = leaves
        .iter()
        .filter(|leaf| leaf.dtype().is_floating() && leaf.elements() > 0)
        .map(|leaf| wide(leaf).norm(order, ..))
        .collect();
    if norms.is_empty() {
        return Tensor::scalar(0.0);
    }
    let widest = norms.iter().fold(DType::F32, |widest, norm| {
        chainrule_core::promote(widest, norm.dtype())
    });
    let norms: Vec<Tensor> = norms.iter().map(|norm| norm.cast(widest)).collect();
    Tensor::stack(&norms, 0).norm(order, ..)
}

fn wide(tensor: &Tensor) -> Tensor {
    match tensor.dtype() {
        DType::F64 => tensor.clone(),
        _ => tensor.cast(DType::F32),
    }
}

/// Scales all gradients so that their norm over everything is at most `most` (Pascanu, Mikolov, Bengio 2013): by
/// `min(1, most / (norm + 1e-6))`, as PyTorch does. Returns the norm before.
///
/// Nothing is read: the norm is a tensor, and a run that does not look at it pays nothing for looking.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::clip::clip_norm;
/// let mut gradients = (tensor![3.0, 0.0], tensor![[4.0]]);
/// assert_eq!(clip_norm(&mut gradients, 1.0, 2.0).item::<f64>(), 5.0);
/// assert!((gradients.0.to_vec::<f64>()[0] - 0.6).abs() < 1e-6);
/// ```
pub fn clip_norm<T: Tree>(gradients: &mut T, most: f64, order: f64) -> Tensor {
    let norm = untracked(|| total_norm(gradients, order));
    let factor = untracked(|| (most / (&norm + 1e-6)).clamp_max(1.0));
    *gradients = changed(gradients, |leaf| leaf * factor.cast(leaf.dtype()));
    norm
}

/// Clips every entry of every gradient to ±`most`.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::clip::clip_value;
/// let mut gradient = tensor![-3.0, 0.5];
/// clip_value(&mut gradient, 1.0);
/// assert_eq!(gradient.to_vec::<f64>(), [-1.0, 0.5]);
/// ```
pub fn clip_value<T: Tree>(gradients: &mut T, most: f64) {
    *gradients = changed(gradients, |leaf| leaf.clamp(-most, most));
}

/// The floating-point leaves changed. A gradient that is absent stays so, or an optimiser would not miss it.
pub(crate) fn changed<T: Tree>(gradients: &T, change: impl Fn(&Tensor) -> Tensor) -> T {
    mapped(gradients, |leaf| {
        match leaf.dtype().is_floating() && !leaf.is_absent() {
            true => untracked(|| change(leaf)),
            false => leaf.clone(),
        }
    })
}

/// The gradients that a backward pass found for the leaves of a model, as a tree of its structure: what [`clip_norm`],
/// [`Accumulation`](crate::Accumulation) and [`Update::update`](crate::Update::update) take.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::clip::{clip_norm, gradient_tree};
/// use chainrule_nn::{Linear, Sgd, Layer};
/// let mut layer = Linear::new(2, 1);
/// let loss = layer.forward(&tensor![[100.0, 0.0]]).square().sum(..);
/// let mut gradients = gradient_tree(&layer, &loss.backward());
/// clip_norm(&mut gradients, 1.0, 2.0);
/// Sgd::new(0.1).update(&mut layer, &gradients)?;
/// # Ok::<(), chainrule_nn::MissingGradients>(())
/// ```
pub fn gradient_tree<T: Tree>(model: &T, gradients: &Gradients) -> T {
    mapped(model, |leaf| gradients.of(leaf))
}
