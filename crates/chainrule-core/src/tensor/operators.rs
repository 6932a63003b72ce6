//! `+ - * / % & | ^`, their assigning forms, unary minus and `!` on every mix of `Tensor`, `&Tensor`, `f64` and `i32`.

use super::{Like, Tensor};
use std::ops::{
    Add, AddAssign, BitAnd, BitAndAssign, BitOr, BitOrAssign, BitXor, BitXorAssign, Div, DivAssign,
    Mul, MulAssign, Neg, Not, Rem, RemAssign, Sub, SubAssign,
};

macro_rules! operator {
    ($trait:ident, $method:ident, $assign:ident, $assign_method:ident) => {
        operator!($trait, $method, $assign, $assign_method, $method);
        operator!(@number $trait, $method, f64);
        operator!(@number $trait, $method, i32);
    };
    ($trait:ident, $method:ident, $assign:ident, $assign_method:ident, $named:ident) => {
        impl<R: Like> $trait<R> for Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, right: R) -> Tensor {
                Tensor::$named(&self, right)
            }
        }
        impl<R: Like> $trait<R> for &Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, right: R) -> Tensor {
                Tensor::$named(self, right)
            }
        }
        impl<R: Like> $assign<R> for Tensor {
            /// Rebinds the variable to the result; the tensor it held is unchanged.
            #[track_caller]
            fn $assign_method(&mut self, right: R) {
                *self = Tensor::$named(self, right);
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
operator!(BitAnd, bitand, BitAndAssign, bitand_assign, bitwise_and);
operator!(BitOr, bitor, BitOrAssign, bitor_assign, bitwise_or);
operator!(BitXor, bitxor, BitXorAssign, bitxor_assign, bitwise_xor);

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
        Tensor::bitwise_not(&self)
    }
}

impl Not for &Tensor {
    type Output = Tensor;
    #[track_caller]
    fn not(self) -> Tensor {
        Tensor::bitwise_not(self)
    }
}
