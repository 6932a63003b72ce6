//! A tensor that is learnt.

use chainrule_core::error::raise;
use chainrule_core::graph::place_of;
use chainrule_core::tree::{Blocks, Part, Path, Tree};
use chainrule_core::{Error, ErrorKind, Like, Tensor, untracked};
use std::any::Any;
use std::fmt;
use std::ops::{Add, AddAssign, Deref, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// A tracked tensor that assignments replace: what an optimiser changes.
///
/// It can be used wherever a tensor can. Assigning (`w -= lr * gradient`, [`set`](Parameter::set)) stores a new leaf: the
/// history of the old one ends there, so a training loop needs no `detach` and no `zero_grad`.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::Parameter;
/// let mut w = Parameter::new(Tensor::from(3.0));
/// for _ in 0..50 {
///     let loss = (&w - 1.0).square();
///     w -= loss.backward().of(&w) * 0.1;
/// }
/// assert!((w.item::<f64>() - 1.0).abs() < 1e-4);
/// ```
#[derive(Clone)]
pub struct Parameter {
    tensor: Tensor,
    /// A frozen parameter is no leaf of its tree: whoever walks the leaves learns nothing of it.
    frozen: bool,
}

impl Parameter {
    /// A parameter that starts with the value of `initial`.
    #[track_caller]
    pub fn new(initial: Tensor) -> Parameter {
        Parameter {
            tensor: initial.tracked(),
            frozen: false,
        }
    }

    /// Whether nothing differentiates by this parameter, and no optimiser changes it.
    pub fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// Freezes the parameter, or makes it one that is learnt again. See [`Module::freeze`](crate::Module::freeze).
    pub fn set_frozen(&mut self, frozen: bool) {
        self.frozen = frozen;
        self.tensor = match frozen {
            true => self.tensor.stop_history(),
            false => self.tensor.tracked(),
        };
    }

    /// Replaces the value; history ends here.
    ///
    /// # Panics
    /// When the shape or the dtype differs.
    #[track_caller]
    pub fn set(&mut self, value: Tensor) {
        if value.shape() != self.tensor.shape() || value.dtype() != self.tensor.dtype() {
            let message = format!(
                "parameter: a value of {} {} (from `{}` at {}) does not replace one of {} {}",
                value.shape(),
                value.dtype(),
                value.operation_name(),
                value.place(),
                self.tensor.shape(),
                self.tensor.dtype()
            );
            raise(Error::new(ErrorKind::Shape, message));
        }
        self.tensor = value.tracked();
        if self.frozen {
            self.set_frozen(true);
        }
    }

    /// Replaces the value by what `update` makes of it, computed without tracking.
    #[track_caller]
    fn update(&mut self, update: impl FnOnce(&Tensor) -> Tensor) {
        let value = place_of(|| untracked(|| update(&self.tensor)));
        self.set(value.cast(self.tensor.dtype()));
    }
}

impl Deref for Parameter {
    type Target = Tensor;
    fn deref(&self) -> &Tensor {
        &self.tensor
    }
}

impl AsRef<Tensor> for Parameter {
    fn as_ref(&self) -> &Tensor {
        &self.tensor
    }
}

impl Like for &Parameter {
    fn like(&self, _partner: &Tensor) -> Tensor {
        self.tensor.clone()
    }

    fn as_tensor(&self) -> Option<&Tensor> {
        Some(&self.tensor)
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.tensor, out)
    }
}

impl fmt::Debug for Parameter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.tensor, out)
    }
}

impl Tree for Parameter {
    fn visit<'a>(&'a self, path: &mut Path, visit: &mut dyn FnMut(&Path, &'a Tensor)) {
        if !self.frozen {
            visit(path, &self.tensor);
        }
    }

    /// Holds what it is given, without making it a leaf of its own: inside a transform that is the transform's input.
    fn map(&self, path: &mut Path, replace: &mut dyn FnMut(&Path, &Tensor) -> Tensor) -> Parameter {
        if self.frozen {
            return self.clone();
        }
        Parameter {
            tensor: replace(path, &self.tensor),
            frozen: false,
        }
    }

    fn visit_parts<'a>(&'a self, path: &mut Path, visit: &mut dyn FnMut(&Path, Part<'a>)) {
        visit(path, Part::Cell(self));
    }

    fn visit_cells(&mut self, path: &mut Path, visit: &mut dyn FnMut(&Path, &mut dyn Any)) {
        visit(path, self);
    }
}

impl Blocks for Parameter {
    type Each<R: Blocks> = R;

    fn each<R: Blocks>(&self, make: &mut dyn FnMut(&Tensor) -> R) -> R {
        make(&self.tensor)
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident, $assign:ident $assign_method:ident;)*) => {$(
        impl<R: Like> $trait<R> for &Parameter {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, right: R) -> Tensor {
                Tensor::$method(&self.tensor, right)
            }
        }

        operators!(@number $trait $method f64);
        operators!(@number $trait $method i32);

        impl<R: Like> $assign<R> for Parameter {
            #[track_caller]
            fn $assign_method(&mut self, right: R) {
                self.update(|value| Tensor::$method(value, right));
            }
        }
    )*};
    (@number $trait:ident $method:ident $number:ty) => {
        impl $trait<&Parameter> for $number {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, right: &Parameter) -> Tensor {
                $trait::$method(self, &right.tensor)
            }
        }
    };
}

operators! {
    Add add, AddAssign add_assign;
    Sub sub, SubAssign sub_assign;
    Mul mul, MulAssign mul_assign;
    Div div, DivAssign div_assign;
}

impl Neg for &Parameter {
    type Output = Tensor;
    #[track_caller]
    fn neg(self) -> Tensor {
        -&self.tensor
    }
}
