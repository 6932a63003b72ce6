//! `+ - * / %`, unary minus and their assigning forms on every mix of `Tensor`, `&Tensor`, `f64` and `i32`.

use super::{Like, Tensor};
use std::ops::{
    Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Not, Rem, RemAssign, Sub, SubAssign,
};

macro_rules! operator {
    ($trait:ident, $method:ident, $assign:ident, $assign_method:ident) => {
        impl<R: Like> $trait<R> for Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, right: R) -> Tensor {
                Tensor::$method(&self, right)
            }
        }
        impl<R: Like> $trait<R> for &Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, right: R) -> Tensor {
                Tensor::$method(self, right)
            }
        }
        operator!(@number $trait, $method, f64);
        operator!(@number $trait, $method, i32);
        impl<R: Like> $assign<R> for Tensor {
            /// Rebinds the variable to the result; the tensor it held is unchanged.
            #[track_caller]
            fn $assign_method(&mut self, right: R) {
                *self = Tensor::$method(self, right);
            }
        }
    };
    (@number $trait:ident, $method:ident, $number:ty) => {
        impl $trait<Tensor> for $number {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, right: Tensor) -> Tensor {
                Tensor::$method(&self.like(&right), &right)
            }
        }
        impl $trait<&Tensor> for $number {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, right: &Tensor) -> Tensor {
                Tensor::$method(&self.like(right), right)
            }
        }
    };
}

operator!(Add, add, AddAssign, add_assign);
operator!(Sub, sub, SubAssign, sub_assign);
operator!(Mul, mul, MulAssign, mul_assign);
operator!(Div, div, DivAssign, div_assign);
operator!(Rem, rem, RemAssign, rem_assign);

impl Neg for Tensor {
    type Output = Tensor;
    #[track_caller]
    fn neg(self) -> Tensor {
        Tensor::neg(&self)
    }
}

impl Neg for &Tensor {
    type Output = Tensor;
    #[track_caller]
    fn neg(self) -> Tensor {
        Tensor::neg(self)
    }
}

impl Not for Tensor {
    type Output = Tensor;
    #[track_caller]
    fn not(self) -> Tensor {
        Tensor::logical_not(&self)
    }
}

impl Not for &Tensor {
    type Output = Tensor;
    #[track_caller]
    fn not(self) -> Tensor {
        Tensor::logical_not(self)
    }
}
