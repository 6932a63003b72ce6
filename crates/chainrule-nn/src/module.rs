//! What all layers and networks share.

use crate::pattern;
use crate::state::{self, StateMut};
use crate::{Buffer, Mode, Parameter};
use chainrule_core::tree::{Part, Path, Tree, leaves, named_leaves};
use chainrule_core::{DType, Tensor};

/// A tree whose leaves are parameters: a layer or a network. `#[derive(Module)]` implements it; the forward function is
/// the user's own, with whatever arguments it takes ([`Layer`](crate::Layer) is for those with one).
///
/// ```
/// use chainrule_nn::{Linear, Module};
/// let layer = Linear::new(3, 2);
/// assert_eq!(layer.parameter_count(), 8);
/// let names: Vec<String> = layer.named_parameters().into_iter().map(|(name, _)| name).collect();
/// assert_eq!(names, ["weight", "bias"]);
/// ```
pub trait Module: Tree {
    /// The parameters with their paths, such as `hidden.weight`, in the order of the fields. Frozen ones are left out.
    fn named_parameters(&self) -> Vec<(String, &Tensor)> {
        named_leaves(self)
    }

    /// The parameters in the order of the fields. Frozen ones are left out.
    fn parameters(&self) -> Vec<&Tensor> {
        leaves(self)
    }

    /// The number of numbers in all parameters, frozen ones too.
    fn parameter_count(&self) -> usize {
        let count = |tensors: Vec<(String, &Tensor)>| -> usize {
            tensors.iter().map(|(_, tensor)| tensor.elements()).sum()
        };
        count(named_leaves(self)) + count(self.named_frozen())
    }

    /// The frozen parameters with their paths.
    fn named_frozen(&self) -> Vec<(String, &Tensor)> {
        let mut frozen = Vec::new();
        self.visit_parts(&mut Path::new(), &mut |path, part| {
            if let Part::Cell(cell) = part
                && let Some(parameter) = cell.downcast_ref::<Parameter>()
                && parameter.is_frozen()
            {
                frozen.push((path.to_string(), &**parameter));
            }
        });
        frozen
    }

    /// The buffers with their paths, such as `norm.running_mean`.
    fn named_buffers(&self) -> Vec<(String, &Buffer)> {
        let mut buffers = Vec::new();
        self.visit_parts(&mut Path::new(), &mut |path, part| {
            if let Part::Cell(cell) = part
                && let Some(buffer) = cell.downcast_ref::<Buffer>()
            {
                buffers.push((path.to_string(), buffer));
            }
        });
        buffers
    }

    /// Everything a file must hold to restore the module: parameters, frozen ones, buffers.
    fn named_state(&self) -> Vec<(String, Tensor)> {
        state::named_state(self)
    }

    /// Switches all layers to training, which is how they begin.
    fn train(&mut self) {
        set_mode(self, Mode::Train);
    }

    /// Switches all layers to evaluation: dropout drops nothing, batch norm uses its running statistics.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// use chainrule_nn::{BatchNorm, Layer, Module};
    /// let mut norm = BatchNorm::new(2);
    /// norm.eval();
    /// let x = Tensor::ones([4, 2]);
    /// assert!((norm.forward(&x) - &x).abs().max(..).item::<f64>() < 1e-4); // mean 0 and variance 1 so far
    /// ```
    fn eval(&mut self) {
        set_mode(self, Mode::Eval);
    }

    /// Freezes the parameters whose paths match `pattern`, in which `*` stands for any text: nothing differentiates by them
    /// and optimisers leave them alone. Returns how many matched.
    ///
    /// ```
    /// use chainrule_nn::{Linear, Module};
    /// let mut pair = vec![Linear::new(3, 2), Linear::new(2, 1)];
    /// assert_eq!(pair.freeze("0.*"), 2);
    /// assert_eq!(pair.named_parameters()[0].0, "1.weight");
    /// ```
    fn freeze(&mut self, pattern: &str) -> usize {
        set_frozen(self, pattern, true)
    }

    /// Undoes [`freeze`](Module::freeze) for the parameters whose paths match `pattern`. Returns how many matched.
    fn unfreeze(&mut self, pattern: &str) -> usize {
        set_frozen(self, pattern, false)
    }

    /// The module with its floating-point parameters and buffers in another dtype.
    ///
    /// ```
    /// use chainrule_core::DType;
    /// use chainrule_nn::{Linear, Module};
    /// assert_eq!(Linear::new(3, 2).to_dtype(DType::F64).weight.dtype(), DType::F64);
    /// ```
    fn to_dtype(&self, dtype: DType) -> Self {
        state::rebuilt(self, &mut |_, tensor| match tensor.dtype().is_floating() {
            true => tensor.cast(dtype),
            false => tensor.clone(),
        })
    }

    /// A copy that shares nothing with this module: buffers and the graph of what is computed with it are its own.
    fn copied(&self) -> Self {
        state::rebuilt(self, &mut |_, tensor| tensor.stop_history())
    }

    /// Replaces every parameter and buffer by what `replace` gives for its path and value.
    fn set_state(&mut self, replace: &mut dyn FnMut(&str, &Tensor) -> Tensor) {
        *self = state::rebuilt(self, replace);
    }
}

fn set_mode<M: Module>(module: &mut M, mode: Mode) {
    module.visit_cells(&mut Path::new(), &mut |_, cell| {
        if let Some(present) = cell.downcast_mut::<Mode>() {
            *present = mode;
        }
    });
}

fn set_frozen<M: Module>(module: &mut M, pattern: &str, frozen: bool) -> usize {
    let mut matched = 0;
    module.visit_cells(&mut Path::new(), &mut |path, cell| {
        if let StateMut::Parameter(parameter) = StateMut::of(cell)
            && pattern::matches(pattern, &path.to_string())
        {
            parameter.set_frozen(frozen);
            matched += 1;
        }
    });
    matched
}

impl<M: Module> Module for Vec<M> {}
impl<M: Module> Module for Option<M> {}
impl<M: Module> Module for Box<M> {}
impl<M: Module, const N: usize> Module for [M; N] {}
