//! Which vector instructions the kernels use, chosen once when the first kernel runs.
//!
//! Every kernel is scalar Rust over blocks of [`BLOCK`] elements, compiled for each [`Level`]. `CHAINRULE_SIMD` set to
//! `baseline`, `avx2` or `avx512` forces a level.

use std::sync::LazyLock;

/// Elements a kernel computes at a time: one 512-bit register of `f32`.
pub const BLOCK: usize = 16;

/// A set of vector instructions that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// What the target's every machine has (SSE2 on x86-64).
    Baseline,
    /// AVX2 with fused multiply-add: 256-bit vectors.
    Avx2,
    /// AVX-512 F, BW, DQ, VL: 512-bit vectors.
    Avx512,
}

impl Level {
    /// Every level, narrowest first.
    pub const ALL: [Level; 3] = [Level::Baseline, Level::Avx2, Level::Avx512];

    /// The name that `CHAINRULE_SIMD` knows the level by.
    pub const fn name(self) -> &'static str {
        match self {
            Level::Baseline => "baseline",
            Level::Avx2 => "avx2",
            Level::Avx512 => "avx512",
        }
    }

    /// Whether this machine has the level's instructions.
    pub fn is_supported(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        return match self {
            Level::Baseline => true,
            Level::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            Level::Avx512 => {
                Level::Avx2.is_supported()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            }
        };
        #[cfg(not(target_arch = "x86_64"))]
        return self == Level::Baseline;
    }
}

static LEVEL: LazyLock<Level> = LazyLock::new(|| {
    let asked = std::env::var("CHAINRULE_SIMD").ok();
    let (level, complaint) = choose(asked.as_deref(), Level::is_supported);
    if let Some(complaint) = complaint {
        eprintln!("chainrule: {complaint}");
    }
    level
});

/// The level in use: the widest this machine has, or the one `CHAINRULE_SIMD` names.
///
/// A name that is unknown, or a level the machine lacks, is reported on stderr once and ignored.
pub fn level() -> Level {
    *LEVEL
}

fn choose(asked: Option<&str>, supported: impl Fn(Level) -> bool) -> (Level, Option<String>) {
    let widest = Level::ALL
        .into_iter()
        .rev()
        .find(|&level| supported(level))
        .unwrap_or(Level::Baseline);
    let Some(asked) = asked.filter(|asked| !asked.is_empty()) else {
        return (widest, None);
    };
    match Level::ALL.into_iter().find(|level| level.name() == asked) {
        Some(level) if supported(level) => (level, None),
        Some(level) => {
            let complaint = format!(
                "CHAINRULE_SIMD={} is not supported by this machine; using {}",
                level.name(),
                widest.name()
            );
            (widest, Some(complaint))
        }
        None => {
            let complaint = format!(
                "CHAINRULE_SIMD={asked} is not one of baseline, avx2, avx512; using {}",
                widest.name()
            );
            (widest, Some(complaint))
        }
    }
}

/// What scalar code may assume about the level it is compiled for.
pub(crate) trait Simd {
    /// Whether a fused multiply-add is one instruction here.
    const FUSED: bool;

    /// `a * b + c`, with one rounding where the machine has the instruction, with two elsewhere.
    #[inline(always)]
    fn fma32(a: f32, b: f32, c: f32) -> f32 {
        if Self::FUSED {
            a.mul_add(b, c)
        } else {
            a * b + c
        }
    }

    /// As [`Simd::fma32`], in `f64`.
    #[inline(always)]
    fn fma64(a: f64, b: f64, c: f64) -> f64 {
        if Self::FUSED {
            a.mul_add(b, c)
        } else {
            a * b + c
        }
    }
}

/// The target's own instruction set.
pub(crate) struct Baseline;
impl Simd for Baseline {
    const FUSED: bool = cfg!(target_feature = "fma") || cfg!(target_arch = "aarch64");
}

/// x86-64 with fused multiply-add: AVX2 and AVX-512 compute the same bits.
pub(crate) struct Fused;
impl Simd for Fused {
    const FUSED: bool = true;
}

/// Ends each turn of a loop over blocks: an empty instruction that no loop of its kind can be vectorised around.
///
/// Without it, where a block's own loop was unrolled, the optimiser vectorises across blocks, with gathers and ten times
/// slower, instead of turning the block into one vector.
#[inline(always)]
pub(crate) fn end_of_block() {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    // SAFETY: no instruction at all.
    unsafe {
        std::arch::asm!("", options(nomem, nostack, preserves_flags))
    };
}

/// Defines a kernel compiled for every level.
///
/// `each_level! { fn name<G: Bound>(argument: Type, ...) -> Out = body::<S, G> }` makes an inline function of the same
/// signature into `const fn name<G>() -> [unsafe fn(..) -> Out; 3]`, one entry a [`Level`]. The body is generic in
/// `S: Simd` as its first parameter and must be `#[inline(always)]`, so that it is compiled with the entry's features.
macro_rules! each_level {
    (
        $(#[$meta:meta])*
        $visibility:vis fn $name:ident <$($generic:ident $(: $bound:path)?),*> ($($argument:ident: $type:ty),* $(,)?)
            $(-> $out:ty)? = $body:ident
    ) => {
        $(#[$meta])*
        $visibility const fn $name<$($generic $(: $bound)?),*>() -> [unsafe fn($($type),*) $(-> $out)?; 3] {
            // SAFETY of each: the caller keeps the body's own contract.
            unsafe fn baseline<$($generic $(: $bound)?),*>($($argument: $type),*) $(-> $out)? {
                // SAFETY: the caller keeps the body's contract.
                unsafe { $body::<crate::simd::Baseline, $($generic),*>($($argument),*) }
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            unsafe fn avx2<$($generic $(: $bound)?),*>($($argument: $type),*) $(-> $out)? {
                // SAFETY: the caller keeps the body's contract.
                unsafe { $body::<crate::simd::Fused, $($generic),*>($($argument),*) }
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
            unsafe fn avx512<$($generic $(: $bound)?),*>($($argument: $type),*) $(-> $out)? {
                // SAFETY: the caller keeps the body's contract.
                unsafe { $body::<crate::simd::Fused, $($generic),*>($($argument),*) }
            }
            #[cfg(target_arch = "x86_64")]
            return [baseline::<$($generic),*>, avx2::<$($generic),*>, avx512::<$($generic),*>];
            #[cfg(not(target_arch = "x86_64"))]
            return [baseline::<$($generic),*>, baseline::<$($generic),*>, baseline::<$($generic),*>];
        }
    };
}
pub(crate) use each_level;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widest_supported_level_is_the_default() {
        assert_eq!(choose(None, |_| true), (Level::Avx512, None));
        assert_eq!(choose(None, |l| l != Level::Avx512), (Level::Avx2, None));
        assert_eq!(
            choose(Some(""), |l| l == Level::Baseline),
            (Level::Baseline, None)
        );
    }

    #[test]
    fn a_named_level_is_taken_if_supported() {
        assert_eq!(choose(Some("avx2"), |_| true), (Level::Avx2, None));
        let (level, complaint) = choose(Some("avx512"), |l| l != Level::Avx512);
        assert_eq!(level, Level::Avx2);
        assert!(
            complaint
                .unwrap()
                .contains("not supported by this machine; using avx2")
        );
    }

    #[test]
    fn an_unknown_name_is_reported() {
        let (level, complaint) = choose(Some("sse9"), |_| true);
        assert_eq!(level, Level::Avx512);
        assert!(
            complaint
                .unwrap()
                .contains("sse9 is not one of baseline, avx2, avx512")
        );
    }
}
