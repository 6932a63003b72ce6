//! Layers one after the other.

use crate::{AnyLayer, Layer, Module};
use chainrule_core::Tensor;
use chainrule_core::tree::{Blocks, Part, Path, Tree, each_leaf, kind_of};
use std::any::Any;
use std::ops::Index;

/// Layers one after the other; parameters are named by position, such as `0.weight`.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{Layer, Linear, Module, Sequential};
/// let net = Sequential::new()
///     .then(Linear::new(4, 16))
///     .then_function("relu", Tensor::relu)
///     .then(Linear::new(16, 3));
/// assert_eq!(net.forward(Tensor::ones([2, 4])).shape().to_string(), "[2, 3]");
/// assert_eq!(net.named_parameters()[2].0, "2.weight");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Sequential {
    layers: Vec<AnyLayer>,
}

impl Sequential {
    /// Nothing: the identity.
    pub fn new() -> Sequential {
        Sequential::default()
    }

    /// With `layer` at the end.
    pub fn then(mut self, layer: impl Layer + Clone + Send + Sync + 'static) -> Sequential {
        self.layers.push(AnyLayer::new(layer));
        self
    }

    /// With a function at the end; `name` is what summaries call it.
    pub fn then_function(
        mut self,
        name: &'static str,
        function: impl Fn(&Tensor) -> Tensor + Clone + Send + Sync + 'static,
    ) -> Sequential {
        self.layers.push(AnyLayer::function(name, function));
        self
    }

    /// The layers.
    pub fn layers(&self) -> &[AnyLayer] {
        &self.layers
    }
}

impl FromIterator<AnyLayer> for Sequential {
    fn from_iter<I: IntoIterator<Item = AnyLayer>>(layers: I) -> Sequential {
        Sequential {
            layers: layers.into_iter().collect(),
        }
    }
}

impl Index<usize> for Sequential {
    type Output = AnyLayer;

    fn index(&self, position: usize) -> &AnyLayer {
        &self.layers[position]
    }
}

/// That of its list: the positions are the names.
impl Tree for Sequential {
    fn visit<'a>(&'a self, path: &mut Path, visit: &mut dyn FnMut(&Path, &'a Tensor)) {
        self.layers.visit(path, visit);
    }

    fn map(&self, path: &mut Path, replace: &mut dyn FnMut(&Path, &Tensor) -> Tensor) -> Self {
        Sequential {
            layers: self.layers.map(path, replace),
        }
    }

    fn visit_parts<'a>(&'a self, path: &mut Path, visit: &mut dyn FnMut(&Path, Part<'a>)) {
        let (kind, address) = (kind_of::<Self>(), std::ptr::from_ref(self).cast());
        visit(path, Part::Module { kind, address });
        self.layers.visit_parts(path, visit);
    }

    fn visit_cells(&mut self, path: &mut Path, visit: &mut dyn FnMut(&Path, &mut dyn Any)) {
        self.layers.visit_cells(path, visit);
    }
}

impl Blocks for Sequential {
    type Each<R: Blocks> = Vec<R>;

    fn each<R: Blocks>(&self, make: &mut dyn FnMut(&Tensor) -> R) -> Vec<R> {
        each_leaf(self, make)
    }
}

impl Module for Sequential {}

impl Layer for Sequential {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        let mut x = x.clone();
        for layer in &self.layers {
            x = layer.forward(&x);
        }
        x
    }
}
