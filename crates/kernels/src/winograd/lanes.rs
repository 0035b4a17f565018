//! Several neighbouring channels in one register: what the transforms compute with.

use std::arch::x86_64::*;

/// Compiles a function for the registers that the processor has: `on_lanes! { fn name<L, N, M, R>(..) { .. } }` defines one
/// generic over the numbers `N`, `M`, `R`, whose body may use the register type `L`.
macro_rules! on_lanes {
    (
        $(#[$meta:meta])*
        fn $name:ident<$lanes:ident, $n:ident, $m:ident, $r:ident>($($arg:ident: $type:ty),* $(,)?) $body:block
    ) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        fn $name<const $n: usize, const $m: usize, const $r: usize>($($arg: $type),*) {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn plain<$lanes: Lanes, const $n: usize, const $m: usize, const $r: usize>($($arg: $type),*) $body

            #[target_feature(enable = "avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx2<const $n: usize, const $m: usize, const $r: usize>($($arg: $type),*) {
                plain::<$crate::winograd::lanes::Avx2, $n, $m, $r>($($arg),*);
            }
            // SAFETY: this folder's forms run only where AVX2 and FMA are.
            unsafe { avx2::<$n, $m, $r>($($arg),*) }
        }
    };
}
pub(super) use on_lanes;

/// A register of [`Lanes::COUNT`] values.
pub(super) trait Lanes: Copy {
    /// Values that it holds.
    const COUNT: usize;

    /// All lanes zero.
    fn zero() -> Self;
    /// The first values of a slice; lanes that it lacks are zero.
    fn load(from: &[f32]) -> Self;
    /// The lanes to a slice, as many as it holds.
    fn store(self, to: &mut [f32]);
    /// Lane by lane.
    fn add(self, other: Self) -> Self;
    /// Lane by lane.
    fn sub(self, other: Self) -> Self;
    /// `self + factor * other`.
    fn add_scaled(self, factor: f32, other: Self) -> Self;
}

/// Eight lanes of AVX. Calling its methods where the processor lacks AVX2 or FMA is undefined: only functions that
/// enable both use it.
#[derive(Clone, Copy)]
pub(super) struct Avx2(__m256);

impl Lanes for Avx2 {
    const COUNT: usize = 8;

    #[inline(always)]
    fn zero() -> Self {
        // SAFETY: see the type.
        unsafe { Self(_mm256_setzero_ps()) }
    }

    #[inline(always)]
    fn load(from: &[f32]) -> Self {
        let mut part = [0.0; 8];
        let from = match from.first_chunk::<8>() {
            Some(from) => from,
            None => {
                part[..from.len()].copy_from_slice(from);
                &part
            }
        };
        // SAFETY: see the type; `from` holds eight values.
        unsafe { Self(_mm256_loadu_ps(from.as_ptr())) }
    }

    #[inline(always)]
    fn store(self, to: &mut [f32]) {
        if let Some(to) = to.first_chunk_mut::<8>() {
            // SAFETY: see the type; `to` holds eight values.
            unsafe { _mm256_storeu_ps(to.as_mut_ptr(), self.0) };
        } else {
            let mut all = [0.0; 8];
            // SAFETY: as above.
            unsafe { _mm256_storeu_ps(all.as_mut_ptr(), self.0) };
            to.copy_from_slice(&all[..to.len()]);
        }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: see the type.
        unsafe { Self(_mm256_add_ps(self.0, other.0)) }
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: see the type.
        unsafe { Self(_mm256_sub_ps(self.0, other.0)) }
    }

    #[inline(always)]
    fn add_scaled(self, factor: f32, other: Self) -> Self {
        // SAFETY: see the type.
        unsafe { Self(_mm256_fmadd_ps(_mm256_set1_ps(factor), other.0, self.0)) }
    }
}
