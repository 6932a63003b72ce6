//! The 16-bit floating types: conversion to and from `f32`, and rounding an `f32` to what they can hold.
//!
//! Branch-free scalar code, so that it vectorises on every level. Rounding is to nearest, ties to even; NaN stays NaN.

use crate::element::DType;
use crate::leaf::{Kernel, Unary, load, store, unary};
use crate::simd::{BLOCK, Level, Simd, each_level, end_of_block};

/// The `f32` that a bf16's bits stand for.
#[inline(always)]
pub(crate) fn bf16_to_f32(bits: u16) -> f32 {
    f32::from_bits((bits as u32) << 16)
}

/// `x` rounded to a bf16, as `f32`.
#[inline(always)]
pub(crate) fn round_bf16(x: f32) -> f32 {
    let bits = x.to_bits();
    let rounded = bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) & 0xffff_0000;
    f32::from_bits(if x.is_nan() {
        (bits | 0x0040_0000) & 0xffff_0000
    } else {
        rounded
    })
}

/// The bits of `x` rounded to a bf16.
#[inline(always)]
pub(crate) fn f32_to_bf16(x: f32) -> u16 {
    (round_bf16(x).to_bits() >> 16) as u16
}

/// The `f32` that an f16's bits stand for.
#[inline(always)]
pub(crate) fn f16_to_f32(bits: u16) -> f32 {
    let sign = ((bits & 0x8000) as u32) << 16;
    let size = (bits & 0x7fff) as u32;
    // The exponent is moved over and its bias corrected by a product, which also makes subnormals normal.
    let finite = f32::from_bits(size << 13) * f32::from_bits((127 + 112) << 23);
    let special = (size << 13) | 0x7f80_0000;
    let value = if size >= 0x7c00 {
        special
    } else {
        finite.to_bits()
    };
    f32::from_bits(value | sign)
}

/// `x` rounded to an f16, as `f32`; from 65520 on, infinity.
#[inline(always)]
pub(crate) fn round_f16(x: f32) -> f32 {
    let size = x.abs();
    let bits = size.to_bits();
    let normal = f32::from_bits(bits.wrapping_add(0x0fff + ((bits >> 13) & 1)) & !0x1fff);
    // Beside 0.5 the last bit of an f32 is worth 2^-24, the smallest f16.
    let subnormal = (size + 0.5) - 0.5;
    let value = if size < 6.103_515_6e-5 {
        subnormal
    } else {
        normal
    };
    let value = if size >= 65520.0 {
        f32::INFINITY
    } else {
        value
    };
    let nan = f32::from_bits((bits | 0x0040_0000) & !0x1fff);
    (if x.is_nan() { nan } else { value }).copysign(x)
}

/// The bits of `x` rounded to an f16.
#[inline(always)]
pub(crate) fn f32_to_f16(x: f32) -> u16 {
    let rounded = round_f16(x);
    let bits = rounded.to_bits();
    let sign = (bits >> 16) as u16 & 0x8000;
    let size = bits & 0x7fff_ffff;
    let special = ((size >> 13) & 0x03ff) | 0x7c00;
    // Exact: the product's subnormal result has the same significant bits, which are at most 11.
    let finite = (f32::from_bits(size) * f32::from_bits((127 - 112) << 23)).to_bits() >> 13;
    (if size >= 0x7f80_0000 { special } else { finite }) as u16 | sign
}

pub(crate) struct RoundBf16;
impl Unary<f32> for RoundBf16 {
    type Out = f32;
    #[inline(always)]
    fn call<S: Simd>(x: f32) -> f32 {
        round_bf16(x)
    }
}
pub(crate) struct RoundF16;
impl Unary<f32> for RoundF16 {
    type Out = f32;
    #[inline(always)]
    fn call<S: Simd>(x: f32) -> f32 {
        round_f16(x)
    }
}

/// The element types in memory whose registers hold something else.
trait Stored {
    fn widen(bits: u16) -> f32;
    fn narrow(x: f32) -> u16;
}
struct Bf16;
impl Stored for Bf16 {
    #[inline(always)]
    fn widen(bits: u16) -> f32 {
        bf16_to_f32(bits)
    }
    #[inline(always)]
    fn narrow(x: f32) -> u16 {
        f32_to_bf16(x)
    }
}
struct F16;
impl Stored for F16 {
    #[inline(always)]
    fn widen(bits: u16) -> f32 {
        f16_to_f32(bits)
    }
    #[inline(always)]
    fn narrow(x: f32) -> u16 {
        f32_to_f16(x)
    }
}

#[inline(always)]
unsafe fn widen_body<S: Simd, H: Stored>(out: *mut f32, bits: *const u16, count: usize) {
    let mut index = 0;
    while index < count {
        let length = BLOCK.min(count - index);
        // SAFETY: the caller vouches for `count` elements behind both pointers.
        unsafe {
            let mut block = [0u16; BLOCK];
            if length == BLOCK {
                block = bits.add(index).cast::<[u16; BLOCK]>().read_unaligned();
            } else {
                std::ptr::copy_nonoverlapping(bits.add(index), block.as_mut_ptr(), length);
            }
            store(out.add(index), block.map(H::widen), length);
        }
        end_of_block();
        index += BLOCK;
    }
}

#[inline(always)]
unsafe fn narrow_body<S: Simd, H: Stored>(out: *mut u16, x: *const f32, count: usize) {
    let mut index = 0;
    while index < count {
        let length = BLOCK.min(count - index);
        // SAFETY: the caller vouches for `count` elements behind both pointers.
        unsafe {
            let block = load(x.add(index), length).map(H::narrow);
            if length == BLOCK {
                out.add(index).cast::<[u16; BLOCK]>().write_unaligned(block);
            } else {
                std::ptr::copy_nonoverlapping(block.as_ptr(), out.add(index), length);
            }
        }
        end_of_block();
        index += BLOCK;
    }
}
each_level! { fn widen_kernels<H: Stored>(out: *mut f32, bits: *const u16, count: usize) = widen_body }
each_level! { fn narrow_kernels<H: Stored>(out: *mut u16, x: *const f32, count: usize) = narrow_body }

type Widen = unsafe fn(*mut f32, *const u16, usize);
type Narrow = unsafe fn(*mut u16, *const f32, usize);

static WIDEN: [[Widen; 3]; 2] = [widen_kernels::<Bf16>(), widen_kernels::<F16>()];
static NARROW: [[Narrow; 3]; 2] = [narrow_kernels::<Bf16>(), narrow_kernels::<F16>()];
static ROUND: [[Kernel; 3]; 2] = [unary::<f32, RoundBf16>(), unary::<f32, RoundF16>()];

fn row(dtype: DType) -> usize {
    match dtype {
        DType::BF16 => 0,
        DType::F16 => 1,
        other => unreachable!("{other} is no half"),
    }
}

/// Halves to `f32`.
///
/// # Safety
/// Both pointers are valid for `count` elements and do not overlap; the machine supports `level`.
pub(crate) unsafe fn widen(
    dtype: DType,
    level: Level,
    out: *mut f32,
    bits: *const u16,
    count: usize,
) {
    // SAFETY: the caller's contract.
    unsafe { WIDEN[row(dtype)][level as usize](out, bits, count) }
}

/// `f32` to halves.
///
/// # Safety
/// As [`widen`].
pub(crate) unsafe fn narrow(
    dtype: DType,
    level: Level,
    out: *mut u16,
    x: *const f32,
    count: usize,
) {
    // SAFETY: the caller's contract.
    unsafe { NARROW[row(dtype)][level as usize](out, x, count) }
}

/// The kernel that rounds a register to what `dtype` can hold, if that is a half.
pub(crate) fn rounding(dtype: DType, level: Level) -> Option<Kernel> {
    dtype.is_half().then(|| ROUND[row(dtype)][level as usize])
}

/// `value` as an element of `dtype` holds it, for scalars outside any register.
pub fn round_to(dtype: DType, value: f32) -> f32 {
    match dtype {
        DType::BF16 => round_bf16(value),
        DType::F16 => round_f16(value),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_widens_as_the_half_crate_does_and_comes_back() {
        for bits in 0..=u16::MAX {
            let ours = f16_to_f32(bits);
            let theirs = half::f16::from_bits(bits).to_f32();
            assert!(
                ours == theirs && ours.is_sign_negative() == theirs.is_sign_negative()
                    || ours.is_nan() && theirs.is_nan()
            );
            if !ours.is_nan() {
                assert_eq!(f32_to_f16(ours), bits);
                assert_eq!(round_f16(ours).to_bits(), ours.to_bits());
            }
            let ours = bf16_to_f32(bits);
            assert_eq!(ours.is_nan(), half::bf16::from_bits(bits).is_nan());
            if !ours.is_nan() {
                assert_eq!(f32_to_bf16(ours), bits);
                assert_eq!(round_bf16(ours).to_bits(), ours.to_bits());
            }
        }
    }

    #[test]
    fn rounding_is_that_of_the_half_crate() {
        for bits in (0..=u32::MAX).step_by(331) {
            let x = f32::from_bits(bits);
            if x.is_nan() {
                assert!(round_f16(x).is_nan() && round_bf16(x).is_nan());
                assert!(f16_to_f32(f32_to_f16(x)).is_nan() && bf16_to_f32(f32_to_bf16(x)).is_nan());
                continue;
            }
            assert_eq!(f32_to_f16(x), half::f16::from_f32(x).to_bits(), "{x:e}");
            assert_eq!(f32_to_bf16(x), half::bf16::from_f32(x).to_bits(), "{x:e}");
            assert_eq!(
                round_f16(x).to_bits(),
                half::f16::from_f32(x).to_f32().to_bits()
            );
        }
    }
}
