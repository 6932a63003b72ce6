//! What layers of one tensor share, and layers of any type in one list.

use crate::Module;
use crate::scope::layer_scope;
use chainrule_core::Tensor;
use chainrule_core::graph::{module_scope, place_of};
use chainrule_core::tree::{Blocks, Part, Path, Tree, kind_of};
use std::any::Any;
use std::fmt;

/// A module that makes one tensor of one tensor: what a [`Sequential`](crate::Sequential) is made of.
///
/// Implement [`compute`](Layer::compute); call [`forward`](Layer::forward), which opens the layer's scope around it.
///
/// ```
/// use chainrule::prelude::*;
/// # extern crate chainrule_nn as chainrule;
/// #[derive(Module)]
/// struct Net {
///     hidden: Linear,
///     output: Linear,
/// }
/// impl Layer for Net {
///     fn compute(&self, x: &Tensor) -> Tensor {
///         self.output.forward(self.hidden.forward(x).relu())
///     }
/// }
/// let net = Net { hidden: Linear::new(3, 8), output: Linear::new(8, 2) };
/// assert_eq!(net.forward(Tensor::ones([5, 3])).shape().to_string(), "[5, 2]");
/// ```
pub trait Layer: Module {
    /// The output for `x`, as the layer's author writes it.
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor;

    /// The output for `x`.
    ///
    /// # Panics
    /// When the shape or dtype of `x` does not fit the layer.
    #[track_caller]
    fn forward(&self, x: impl AsRef<Tensor>) -> Tensor
    where
        Self: Sized,
    {
        layer_scope(self, || self.compute(x.as_ref()))
    }
}

/// A layer of any type.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{AnyLayer, Layer, Linear};
/// let layers = [AnyLayer::new(Linear::new(3, 4)), AnyLayer::function("relu", Tensor::relu)];
/// let y = layers[1].forward(layers[0].forward(Tensor::ones([1, 3])));
/// assert_eq!(y.shape().to_string(), "[1, 4]");
/// ```
pub struct AnyLayer(Box<dyn Erased>);

impl AnyLayer {
    /// `layer` without its type.
    pub fn new(layer: impl Layer + Clone + Send + Sync + 'static) -> AnyLayer {
        AnyLayer(Box::new(layer))
    }

    /// A function as a layer without parameters; `name` is what summaries call it.
    pub fn function(
        name: &'static str,
        function: impl Fn(&Tensor) -> Tensor + Clone + Send + Sync + 'static,
    ) -> AnyLayer {
        AnyLayer(Box::new(Function { name, function }))
    }

    /// The name of the layer's type, or of the function.
    pub fn kind(&self) -> &'static str {
        self.0.kind()
    }

    /// The layer, if it is an `L`.
    pub fn downcast_ref<L: 'static>(&self) -> Option<&L> {
        self.0.as_any().downcast_ref()
    }
}

/// [`Layer`] in a form that a pointer can have.
trait Erased: Send + Sync {
    fn kind(&self) -> &'static str;
    #[track_caller]
    fn call(&self, x: &Tensor) -> Tensor;
    fn duplicate(&self) -> Box<dyn Erased>;
    fn as_any(&self) -> &dyn Any;
    fn leaves<'a>(&'a self, path: &mut Path, visit: &mut dyn FnMut(&Path, &'a Tensor));
    fn with_leaves(
        &self,
        path: &mut Path,
        replace: &mut dyn FnMut(&Path, &Tensor) -> Tensor,
    ) -> Box<dyn Erased>;
    fn parts<'a>(&'a self, path: &mut Path, visit: &mut dyn FnMut(&Path, Part<'a>));
    fn cells(&mut self, path: &mut Path, visit: &mut dyn FnMut(&Path, &mut dyn Any));
}

impl<L: Layer + Clone + Send + Sync + 'static> Erased for L {
    fn kind(&self) -> &'static str {
        kind_of::<L>()
    }

    #[track_caller]
    fn call(&self, x: &Tensor) -> Tensor {
        self.forward(x)
    }

    fn duplicate(&self) -> Box<dyn Erased> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn leaves<'a>(&'a self, path: &mut Path, visit: &mut dyn FnMut(&Path, &'a Tensor)) {
        self.visit(path, visit);
    }

    fn with_leaves(
        &self,
        path: &mut Path,
        replace: &mut dyn FnMut(&Path, &Tensor) -> Tensor,
    ) -> Box<dyn Erased> {
        Box::new(self.map(path, replace))
    }

    fn parts<'a>(&'a self, path: &mut Path, visit: &mut dyn FnMut(&Path, Part<'a>)) {
        self.visit_parts(path, visit);
    }

    fn cells(&mut self, path: &mut Path, visit: &mut dyn FnMut(&Path, &mut dyn Any)) {
        self.visit_cells(path, visit);
    }
}

/// A function as a layer.
#[derive(Clone)]
struct Function<F> {
    name: &'static str,
    function: F,
}

impl<F: Clone> Tree for Function<F> {
    fn visit<'a>(&'a self, _path: &mut Path, _visit: &mut dyn FnMut(&Path, &'a Tensor)) {}

    fn map(&self, _path: &mut Path, _replace: &mut dyn FnMut(&Path, &Tensor) -> Tensor) -> Self {
        self.clone()
    }
}

impl<F: Clone> Module for Function<F> {}

impl<F: Fn(&Tensor) -> Tensor + Clone> Layer for Function<F> {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        (self.function)(x)
    }

    #[track_caller]
    fn forward(&self, x: impl AsRef<Tensor>) -> Tensor {
        module_scope(self.name, || self.compute(x.as_ref()))
    }
}

impl Clone for AnyLayer {
    fn clone(&self) -> AnyLayer {
        AnyLayer(self.0.duplicate())
    }
}

impl fmt::Debug for AnyLayer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.kind())
    }
}

impl Tree for AnyLayer {
    fn visit<'a>(&'a self, path: &mut Path, visit: &mut dyn FnMut(&Path, &'a Tensor)) {
        self.0.leaves(path, visit);
    }

    fn map(&self, path: &mut Path, replace: &mut dyn FnMut(&Path, &Tensor) -> Tensor) -> AnyLayer {
        AnyLayer(self.0.with_leaves(path, replace))
    }

    fn visit_parts<'a>(&'a self, path: &mut Path, visit: &mut dyn FnMut(&Path, Part<'a>)) {
        self.0.parts(path, visit);
    }

    fn visit_cells(&mut self, path: &mut Path, visit: &mut dyn FnMut(&Path, &mut dyn Any)) {
        self.0.cells(path, visit);
    }
}

impl Blocks for AnyLayer {
    type Each<R: Blocks> = Vec<R>;

    fn each<R: Blocks>(&self, make: &mut dyn FnMut(&Tensor) -> R) -> Vec<R> {
        chainrule_core::tree::each_leaf(self, make)
    }
}

impl Module for AnyLayer {}

impl Layer for AnyLayer {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        self.0.call(x)
    }

    /// The layer inside opens its own scope.
    #[track_caller]
    fn forward(&self, x: impl AsRef<Tensor>) -> Tensor {
        place_of(|| self.compute(x.as_ref()))
    }
}
