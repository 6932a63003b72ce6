//! One scalar function: its kernels, its direct entry points and its name in C.
//!
//! The functions themselves stand in [`math`](crate::math), a file a family.

// Lanes are numbered: that is the form the optimiser turns into vector instructions.
#![allow(clippy::needless_range_loop)]

use crate::element::DType;
use crate::lane::{Compute, Lane};
use crate::simd::{BLOCK, Level, Simd, each_level, end_of_block, level};
use std::fmt;

/// One scalar function of one to three operands, compiled for every element type and vector level it supports.
///
/// The same scalar code runs in every lane, in the last partial block and in [`Leaf::call_f32`], so a value never
/// depends on where it stands.
///
/// ```
/// use chainrule_kernels::math::TANH;
/// assert_eq!(TANH.name(), "tanh");
/// assert_eq!(TANH.call_f32(&[0.0]), 0.0);
/// ```
pub struct Leaf {
    name: &'static str,
    arity: u8,
    c: &'static str,
    truth: bool,
    vector: bool,
    kernels: [Option<[Kernel; 3]>; Compute::COUNT],
    direct32: Option<[Direct<f32>; 3]>,
    direct64: Option<[Direct<f64>; 3]>,
    user: User,
}

/// `(destination, first, second, third, count, leaf)`: computes `count` elements.
///
/// # Safety
/// Every pointer that the arity uses is valid for `count` elements of its type; a source is the destination itself or
/// does not overlap it (and is not wider than it if it is the destination). The leaf is the one the kernel was taken
/// from. The machine has the level's instructions.
pub(crate) type Kernel = unsafe fn(*mut u8, *const u8, *const u8, *const u8, usize, *const Leaf);

/// One evaluation; operands beyond the arity are ignored.
type Direct<T> = unsafe fn(T, T, T) -> T;

/// A leaf's function of `f64` operands, found once and called often; see [`Leaf::scalar_call`].
#[derive(Clone, Copy)]
pub struct ScalarCall(Call);

#[derive(Clone, Copy)]
enum Call {
    /// Compiled for a level that the machine has.
    Direct(Direct<f64>),
    One(fn(f64) -> f64),
    Two(fn(f64, f64) -> f64),
}

impl ScalarCall {
    /// The value, bit for bit as [`Leaf::call_f64`]; operands beyond the arity are ignored.
    #[inline(always)]
    pub fn call(self, a: f64, b: f64, c: f64) -> f64 {
        match self.0 {
            // SAFETY: the function was taken for the level of this machine.
            Call::Direct(function) => unsafe { function(a, b, c) },
            Call::One(function) => function(a),
            Call::Two(function) => function(a, b),
        }
    }
}

/// A function given by a user of the library as plain function pointers.
enum User {
    None,
    One(fn(f32) -> f32, fn(f64) -> f64),
    Two(fn(f32, f32) -> f32, fn(f64, f64) -> f64),
}

impl Leaf {
    /// A leaf without kernels, which the `leaf!` macro fills.
    pub(crate) const fn empty(name: &'static str, arity: u8, c: &'static str) -> Leaf {
        Leaf {
            name,
            arity,
            c,
            truth: false,
            vector: true,
            kernels: [None; Compute::COUNT],
            direct32: None,
            direct64: None,
            user: User::None,
        }
    }

    /// A user's function of one floating-point operand, called element by element.
    ///
    /// ```
    /// use chainrule_kernels::Leaf;
    /// static CUBE: Leaf = Leaf::scalar1("cube", |x| x * x * x, |x| x * x * x);
    /// assert_eq!(CUBE.call_f64(&[3.0]), 27.0);
    /// ```
    pub const fn scalar1(name: &'static str, f32: fn(f32) -> f32, f64: fn(f64) -> f64) -> Leaf {
        let mut leaf = Leaf::empty(name, 1, "");
        leaf.vector = false;
        leaf.kernels[Compute::F32 as usize] = Some([user_f32; 3]);
        leaf.kernels[Compute::F64 as usize] = Some([user_f64; 3]);
        leaf.user = User::One(f32, f64);
        leaf
    }

    /// A user's function of two floating-point operands, called element by element.
    pub const fn scalar2(
        name: &'static str,
        f32: fn(f32, f32) -> f32,
        f64: fn(f64, f64) -> f64,
    ) -> Leaf {
        let mut leaf = Leaf::scalar1(name, |_| 0.0, |_| 0.0);
        leaf.arity = 2;
        leaf.user = User::Two(f32, f64);
        leaf
    }

    /// The function's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The number of operands, 1 to 3.
    pub const fn arity(&self) -> usize {
        self.arity as usize
    }

    /// The function as a C++ (CUDA) expression in the operands `a`, `b`, `c`; empty for a user's own function.
    pub const fn c(&self) -> &'static str {
        self.c
    }

    /// Whether there is a kernel for operands of `dtype` (for `select`: the dtype of the two alternatives).
    pub const fn supports(&self, dtype: DType) -> bool {
        self.kernels[Compute::of(dtype) as usize].is_some()
    }

    /// The dtype of the result for operands of `dtype`: the same, or `Bool` for a predicate.
    pub const fn result(&self, dtype: DType) -> DType {
        if self.truth { DType::Bool } else { dtype }
    }

    /// The dtype that operand `index` must have when the leaf is applied at `dtype`.
    pub fn operand(&self, dtype: DType, index: usize) -> DType {
        if self.arity == 3 && index == 0 {
            DType::Bool
        } else {
            dtype
        }
    }

    /// Whether `f32` elements are computed a vector at a time.
    pub const fn has_vector_form(&self) -> bool {
        self.vector
    }

    /// The value for one set of `f32` operands, bit for bit what the kernels compute.
    ///
    /// A predicate gives 1 or 0; the condition of `select` is true where it is not 0.
    ///
    /// # Panics
    /// If the number of operands is wrong or the function is not defined on `f32`.
    pub fn call_f32(&self, operands: &[f32]) -> f32 {
        let [a, b, c] = self.three(operands);
        match self.user {
            User::None => match &self.direct32 {
                // SAFETY: `level` is supported by this machine.
                Some(direct) => unsafe { direct[level() as usize](a, b, c) },
                None => panic!("{} is not defined on f32", self.name),
            },
            User::One(function, _) => function(a),
            User::Two(function, _) => function(a, b),
        }
    }

    /// As [`Leaf::call_f32`], for `f64`.
    ///
    /// # Panics
    /// If the number of operands is wrong or the function is not defined on `f64`.
    pub fn call_f64(&self, operands: &[f64]) -> f64 {
        let [a, b, c] = self.three(operands);
        match self.user {
            User::None => match &self.direct64 {
                // SAFETY: `level` is supported by this machine.
                Some(direct) => unsafe { direct[level() as usize](a, b, c) },
                None => panic!("{} is not defined on f64", self.name),
            },
            User::One(_, function) => function(a),
            User::Two(_, function) => function(a, b),
        }
    }

    /// The function of `f64` operands as something that can be called again and again; `None` if it has none.
    pub fn scalar_call(&self) -> Option<ScalarCall> {
        Some(ScalarCall(match self.user {
            User::None => Call::Direct(self.direct64?[level() as usize]),
            User::One(_, function) => Call::One(function),
            User::Two(_, function) => Call::Two(function),
        }))
    }

    #[inline(always)]
    fn three<T: Copy>(&self, operands: &[T]) -> [T; 3] {
        match (self.arity, operands) {
            (1, &[a]) => [a, a, a],
            (2, &[a, b]) => [a, b, b],
            (3, &[a, b, c]) => [a, b, c],
            _ => panic!(
                "{} takes {} operands, not {}",
                self.name,
                self.arity,
                operands.len()
            ),
        }
    }

    /// The kernel for operands of `dtype`.
    pub(crate) fn kernel(&self, dtype: DType, level: Level) -> Option<Kernel> {
        self.kernels[Compute::of(dtype) as usize].map(|kernels| kernels[level as usize])
    }

    pub(crate) const fn set(&mut self, compute: Compute, kernels: [Kernel; 3]) {
        self.kernels[compute as usize] = Some(kernels);
    }

    pub(crate) const fn set_truth(&mut self) {
        self.truth = true;
    }

    pub(crate) const fn set_element_by_element(&mut self) {
        self.vector = false;
    }

    pub(crate) const fn set_direct32(&mut self, direct: [Direct<f32>; 3]) {
        self.direct32 = Some(direct);
    }

    pub(crate) const fn set_direct64(&mut self, direct: [Direct<f64>; 3]) {
        self.direct64 = Some(direct);
    }
}

impl fmt::Debug for Leaf {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Leaf({})", self.name)
    }
}

/// A function of one operand.
pub(crate) trait Unary<A: Lane> {
    type Out: Lane;
    /// Whether some arguments need [`Unary::exact`].
    const GUARDED: bool = false;
    fn call<S: Simd>(a: A) -> Self::Out;
    /// Whether `call` is wrong here and `exact` must answer.
    #[inline(always)]
    fn outside(_a: A) -> bool {
        false
    }
    /// The slow answer for arguments `outside`.
    fn exact(_a: A) -> Self::Out {
        Self::Out::default()
    }
}

/// A function of two operands.
pub(crate) trait Binary<A: Lane> {
    type Out: Lane;
    fn call<S: Simd>(a: A, b: A) -> Self::Out;
}

/// A function of three operands, the first of its own type.
pub(crate) trait Ternary<A: Lane> {
    type First: Lane;
    fn call<S: Simd>(a: Self::First, b: A, c: A) -> A;
}

/// Calls `block(index, count)` over whole blocks and the rest. The pieces below load a block into an array first, so
/// that the optimiser need not fear that source and destination overlap.
macro_rules! over_blocks {
    ($count:ident, |$index:ident, $length:ident| $block:expr) => {
        let mut $index = 0;
        while $index + BLOCK <= $count {
            let $length = BLOCK;
            $block;
            end_of_block();
            $index += BLOCK;
        }
        if $index < $count {
            let $length = $count - $index;
            $block;
        }
    };
}

/// # Safety
/// `start` is valid for reads of `length` elements, at most [`BLOCK`].
#[inline(always)]
pub(crate) unsafe fn load<T: Lane>(start: *const T, length: usize) -> [T; BLOCK] {
    // SAFETY: the caller vouches for `length` elements; a whole block is read only if there are that many.
    unsafe {
        if length == BLOCK {
            return start.cast::<[T; BLOCK]>().read_unaligned();
        }
        let mut block = [T::default(); BLOCK];
        // Scalars are common, and copying one through a call would cost as much as the kernel.
        if length == 1 {
            block[0] = start.read();
        } else {
            std::ptr::copy_nonoverlapping(start, block.as_mut_ptr(), length);
        }
        block
    }
}

/// # Safety
/// `start` is valid for writes of `length` elements, at most [`BLOCK`].
#[inline(always)]
pub(crate) unsafe fn store<T: Lane>(start: *mut T, block: [T; BLOCK], length: usize) {
    // SAFETY: as in `load`.
    unsafe {
        if length == BLOCK {
            start.cast::<[T; BLOCK]>().write_unaligned(block);
        } else if length == 1 {
            start.write(block[0]);
        } else {
            std::ptr::copy_nonoverlapping(block.as_ptr(), start, length);
        }
    }
}

#[inline(always)]
unsafe fn unary_body<S: Simd, A: Lane, F: Unary<A>>(
    out: *mut u8,
    a: *const u8,
    _b: *const u8,
    _c: *const u8,
    count: usize,
    _leaf: *const Leaf,
) {
    let (out, a) = (out.cast::<F::Out>(), a.cast::<A>());
    over_blocks!(count, |index, length| {
        // SAFETY: `index + length <= count`, for which the caller vouches.
        let x = unsafe { load(a.add(index), length) };
        let mut y = [F::Out::default(); BLOCK];
        for lane in 0..BLOCK {
            y[lane] = F::call::<S>(x[lane]);
        }
        if F::GUARDED {
            let mut outside = false;
            for lane in 0..BLOCK {
                outside |= F::outside(x[lane]);
            }
            if outside {
                replace::<A, F>(&x, &mut y);
            }
        }
        // SAFETY: as above.
        unsafe { store(out.add(index), y, length) };
    });
}

#[cold]
#[inline(never)]
fn replace<A: Lane, F: Unary<A>>(x: &[A; BLOCK], y: &mut [F::Out; BLOCK]) {
    for lane in 0..BLOCK {
        if F::outside(x[lane]) {
            y[lane] = F::exact(x[lane]);
        }
    }
}

#[inline(always)]
unsafe fn binary_body<S: Simd, A: Lane, F: Binary<A>>(
    out: *mut u8,
    a: *const u8,
    b: *const u8,
    _c: *const u8,
    count: usize,
    _leaf: *const Leaf,
) {
    let (out, a, b) = (out.cast::<F::Out>(), a.cast::<A>(), b.cast::<A>());
    over_blocks!(count, |index, length| {
        // SAFETY: `index + length <= count`, for which the caller vouches.
        let (x, y) = unsafe { (load(a.add(index), length), load(b.add(index), length)) };
        let mut z = [F::Out::default(); BLOCK];
        for lane in 0..BLOCK {
            z[lane] = F::call::<S>(x[lane], y[lane]);
        }
        // SAFETY: as above.
        unsafe { store(out.add(index), z, length) };
    });
}

#[inline(always)]
unsafe fn ternary_body<S: Simd, A: Lane, F: Ternary<A>>(
    out: *mut u8,
    a: *const u8,
    b: *const u8,
    c: *const u8,
    count: usize,
    _leaf: *const Leaf,
) {
    let (out, a) = (out.cast::<A>(), a.cast::<F::First>());
    let (b, c) = (b.cast::<A>(), c.cast::<A>());
    over_blocks!(count, |index, length| {
        // SAFETY: `index + length <= count`, for which the caller vouches.
        let (x, y, z) = unsafe {
            (
                load(a.add(index), length),
                load(b.add(index), length),
                load(c.add(index), length),
            )
        };
        let mut w = [A::default(); BLOCK];
        for lane in 0..BLOCK {
            w[lane] = F::call::<S>(x[lane], y[lane], z[lane]);
        }
        // SAFETY: as above.
        unsafe { store(out.add(index), w, length) };
    });
}

each_level! {
    /// The kernels of a function of one operand.
    pub(crate) fn unary<A: Lane, F: Unary<A>>(
        out: *mut u8, a: *const u8, b: *const u8, c: *const u8, count: usize, leaf: *const Leaf
    ) = unary_body
}
each_level! {
    /// The kernels of a function of two operands.
    pub(crate) fn binary<A: Lane, F: Binary<A>>(
        out: *mut u8, a: *const u8, b: *const u8, c: *const u8, count: usize, leaf: *const Leaf
    ) = binary_body
}
each_level! {
    /// The kernels of a function of three operands.
    pub(crate) fn ternary<A: Lane, F: Ternary<A>>(
        out: *mut u8, a: *const u8, b: *const u8, c: *const u8, count: usize, leaf: *const Leaf
    ) = ternary_body
}

/// The direct entry points for `f32` or `f64`: one module a type, as the operands' conversions differ.
macro_rules! direct {
    ($module:ident, $type:ident, $from:ident, $to:ident) => {
        pub(crate) mod $module {
            use super::*;

            #[inline(always)]
            unsafe fn unary_body<S: Simd, F: Unary<$type>>(a: $type, _b: $type, _c: $type) -> $type {
                if F::GUARDED && F::outside(a) {
                    return F::exact(a).$to();
                }
                F::call::<S>(a).$to()
            }
            #[inline(always)]
            unsafe fn binary_body<S: Simd, F: Binary<$type>>(a: $type, b: $type, _c: $type) -> $type {
                F::call::<S>(a, b).$to()
            }
            #[inline(always)]
            unsafe fn ternary_body<S: Simd, F: Ternary<$type>>(a: $type, b: $type, c: $type) -> $type {
                F::call::<S>(F::First::$from(a), b, c)
            }
            each_level! {
                pub(crate) fn unary<F: Unary<$type>>(a: $type, b: $type, c: $type) -> $type = unary_body
            }
            each_level! {
                pub(crate) fn binary<F: Binary<$type>>(a: $type, b: $type, c: $type) -> $type = binary_body
            }
            each_level! {
                pub(crate) fn ternary<F: Ternary<$type>>(a: $type, b: $type, c: $type) -> $type = ternary_body
            }
        }
    };
}
direct!(direct32, f32, from_f32, to_f32);
direct!(direct64, f64, from_f64, to_f64);

macro_rules! user_kernel {
    ($name:ident, $type:ident, $one:pat => $f:ident, $two:pat => $g:ident) => {
        unsafe fn $name(
            out: *mut u8,
            a: *const u8,
            b: *const u8,
            _c: *const u8,
            count: usize,
            leaf: *const Leaf,
        ) {
            let (out, a, b) = (out.cast::<$type>(), a.cast::<$type>(), b.cast::<$type>());
            // SAFETY: the caller passes the leaf of this kernel, and `count` elements behind each pointer used.
            unsafe {
                for index in 0..count {
                    *out.add(index) = match (*leaf).user {
                        $one => $f(*a.add(index)),
                        $two => $g(*a.add(index), *b.add(index)),
                        User::None => unreachable!("only a user's leaf has this kernel"),
                    };
                }
            }
        }
    };
}
user_kernel!(user_f32, f32, User::One(f, _) => f, User::Two(g, _) => g);
user_kernel!(user_f64, f64, User::One(_, f) => f, User::Two(_, g) => g);

/// Declares a leaf: `leaf! { /// doc \n EXP = unary Exp, "exp", "exp(a)", [f32, f64] }`; behind the lanes may follow
/// `truth` (the result is Bool) and `element_by_element` (no vector form).
macro_rules! leaf {
    ($($(#[$meta:meta])* $static:ident = $arity:ident $function:ident, $name:literal, $c:literal,
        [$($lane:ident),*] $(, $flag:ident)*;)*) => {$(
        $(#[$meta])*
        pub static $static: crate::leaf::Leaf = {
            let mut leaf = crate::leaf::Leaf::empty($name, crate::leaf::leaf!(@arity $arity), $c);
            $(
                leaf.set(
                    <$lane as crate::lane::Lane>::COMPUTE,
                    crate::leaf::$arity::<$lane, $function>(),
                );
                crate::leaf::leaf!(@direct leaf $arity $function $lane);
            )*
            $(crate::leaf::leaf!(@flag leaf $flag);)*
            leaf
        };
    )*};
    (@arity unary) => { 1 };
    (@arity binary) => { 2 };
    (@arity ternary) => { 3 };
    (@direct $leaf:ident $arity:ident $function:ident f32) => {
        $leaf.set_direct32(crate::leaf::direct32::$arity::<$function>());
    };
    (@direct $leaf:ident $arity:ident $function:ident f64) => {
        $leaf.set_direct64(crate::leaf::direct64::$arity::<$function>());
    };
    (@direct $leaf:ident $arity:ident $function:ident $other:ident) => {};
    (@flag $leaf:ident truth) => { $leaf.set_truth(); };
    (@flag $leaf:ident element_by_element) => { $leaf.set_element_by_element(); };
}
pub(crate) use leaf;

/// Implements [`Unary`] for lanes: `unary_for!(Neg: f32 => |a| -a; ...)`, optionally with the result's type.
macro_rules! unary_for {
    ($function:ident: $($lane:ident $(-> $out:ident)? => |$a:ident, $simd:ident| $body:expr;)*) => {$(
        impl crate::leaf::Unary<$lane> for $function {
            type Out = crate::leaf::out_or!($lane $(, $out)?);
            #[inline(always)]
            fn call<$simd: crate::simd::Simd>($a: $lane) -> Self::Out {
                $body
            }
        }
    )*};
}
pub(crate) use unary_for;

/// Implements [`Binary`] for lanes.
macro_rules! binary_for {
    ($function:ident: $($lane:ident $(-> $out:ident)? => |$a:ident, $b:ident, $simd:ident| $body:expr;)*) => {$(
        impl crate::leaf::Binary<$lane> for $function {
            type Out = crate::leaf::out_or!($lane $(, $out)?);
            #[inline(always)]
            fn call<$simd: crate::simd::Simd>($a: $lane, $b: $lane) -> Self::Out {
                $body
            }
        }
    )*};
}
pub(crate) use binary_for;

macro_rules! out_or {
    ($lane:ident) => {
        $lane
    };
    ($lane:ident, $out:ident) => {
        $out
    };
}
pub(crate) use out_or;
