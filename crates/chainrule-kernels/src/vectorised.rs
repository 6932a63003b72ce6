//! Loops compiled once for each set of vector instructions and chosen when they are called.

/// Defines functions that are compiled for every vector level.
///
/// `vectorised! { fn name[T: Bound](argument: Type, ..) -> Out = body; }` makes `fn name<T: Bound>(argument: Type, ..) ->
/// Out` out of the `#[inline(always)] fn body<const FUSED: bool, T: Bound>(..)`, where `FUSED` tells whether a fused
/// multiply-add is one instruction. `unsafe fn` both may be.
macro_rules! vectorised {
    () => {};
    ($(#[$meta:meta])* $visibility:vis unsafe fn $($rest:tt)*) => {
        vectorised! { @define [$(#[$meta])* $visibility] [unsafe] $($rest)* }
    };
    ($(#[$meta:meta])* $visibility:vis fn $($rest:tt)*) => {
        vectorised! { @define [$(#[$meta])* $visibility] [] $($rest)* }
    };
    (
        @define [$($head:tt)*] [$($unsafety:tt)?]
        $name:ident $([$($generic:ident: $bound:path),*])? ($($argument:ident: $type:ty),* $(,)?)
            $(-> $out:ty)? = $body:ident;
        $($rest:tt)*
    ) => {
        #[inline]
        #[allow(unused_unsafe)]
        $($head)* $($unsafety)? fn $name $(<$($generic: $bound),*>)? ($($argument: $type),*) $(-> $out)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                $($unsafety)? fn avx2 $(<$($generic: $bound),*>)? ($($argument: $type),*) $(-> $out)? {
                    // SAFETY: the body's contract, where it has one, is the caller's.
                    unsafe { $body::<true $($(, $generic)*)?>($($argument),*) }
                }
                #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
                $($unsafety)? fn avx512 $(<$($generic: $bound),*>)? ($($argument: $type),*) $(-> $out)? {
                    // SAFETY: the body's contract, where it has one, is the caller's.
                    unsafe { $body::<true $($(, $generic)*)?>($($argument),*) }
                }
                match $crate::simd::level() {
                    // SAFETY: the level in use is one that this machine supports.
                    $crate::simd::Level::Avx512 => return unsafe { avx512 $(::<$($generic),*>)? ($($argument),*) },
                    // SAFETY: as above.
                    $crate::simd::Level::Avx2 => return unsafe { avx2 $(::<$($generic),*>)? ($($argument),*) },
                    $crate::simd::Level::Baseline => {}
                }
            }
            // SAFETY: the body's contract, where it has one, is the caller's.
            unsafe {
                $body::<{ cfg!(target_feature = "fma") || cfg!(target_arch = "aarch64") } $($(, $generic)*)?>(
                    $($argument),*
                )
            }
        }
        vectorised! { $($rest)* }
    };
}
pub(crate) use vectorised;
