//! Several neighbouring channels in one register: what the transforms compute with.

// Loops by index: see `form`.
#![allow(clippy::needless_range_loop)]

#[cfg(target_arch = "x86_64")]
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

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx2<const $n: usize, const $m: usize, const $r: usize>($($arg: $type),*) {
                plain::<$crate::winograd::lanes::Avx2, $n, $m, $r>($($arg),*);
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
            #[allow(clippy::too_many_arguments)]
            fn avx512<const $n: usize, const $m: usize, const $r: usize>($($arg: $type),*) {
                plain::<$crate::winograd::lanes::Avx512, $n, $m, $r>($($arg),*);
            }
            match $crate::isa::vectors() {
                $crate::isa::Vectors::Plain => plain::<[f32; 8], $n, $m, $r>($($arg),*),
                // SAFETY: the processor has the set in use.
                #[cfg(target_arch = "x86_64")]
                $crate::isa::Vectors::Avx2 => unsafe { avx2::<$n, $m, $r>($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::isa::Vectors::Avx512 => unsafe { avx512::<$n, $m, $r>($($arg),*) },
            }
        }
    };
}
pub(super) use on_lanes;

/// Lanes of the widest register.
pub(super) const MOST_LANES: usize = 16;

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

impl Lanes for [f32; 8] {
    const COUNT: usize = 8;

    #[inline(always)]
    fn zero() -> Self {
        [0.0; 8]
    }

    #[inline(always)]
    fn load(from: &[f32]) -> Self {
        padded(from)
    }

    #[inline(always)]
    fn store(self, to: &mut [f32]) {
        to.copy_from_slice(&self[..to.len()]);
    }

    #[inline(always)]
    fn add(mut self, other: Self) -> Self {
        for l in 0..8 {
            self[l] += other[l];
        }
        self
    }

    #[inline(always)]
    fn sub(mut self, other: Self) -> Self {
        for l in 0..8 {
            self[l] -= other[l];
        }
        self
    }

    #[inline(always)]
    fn add_scaled(mut self, factor: f32, other: Self) -> Self {
        for l in 0..8 {
            self[l] += factor * other[l];
        }
        self
    }
}

/// The first `N` values of a slice, zeros for those that it lacks.
#[inline(always)]
fn padded<const N: usize>(from: &[f32]) -> [f32; N] {
    if let Some(from) = from.first_chunk::<N>() {
        return *from;
    }
    let mut lanes = [0.0; N];
    lanes[..from.len()].copy_from_slice(from);
    lanes
}

/// A register type of x86-64 as [`Lanes`]. Calling its methods where the processor lacks the instruction set is undefined:
/// only functions that enable it use the type.
#[cfg(target_arch = "x86_64")]
macro_rules! register {
    ($(#[$meta:meta])* $name:ident($register:ty, $count:literal):
        $zero:ident $load:ident $store:ident $add:ident $sub:ident $broadcast:ident $multiply_add:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy)]
        pub(super) struct $name($register);

        impl Lanes for $name {
            const COUNT: usize = $count;

            #[inline(always)]
            fn zero() -> Self {
                // SAFETY: see the macro.
                unsafe { Self($zero()) }
            }

            #[inline(always)]
            fn load(from: &[f32]) -> Self {
                let part: [f32; $count];
                let from = match from.first_chunk::<$count>() {
                    Some(from) => from,
                    None => {
                        part = padded(from);
                        &part
                    }
                };
                // SAFETY: see the macro; `from` holds as many values as the register.
                unsafe { Self($load(from.as_ptr())) }
            }

            #[inline(always)]
            fn store(self, to: &mut [f32]) {
                if let Some(to) = to.first_chunk_mut::<$count>() {
                    // SAFETY: see the macro; `to` holds as many values as the register.
                    unsafe { $store(to.as_mut_ptr(), self.0) };
                } else {
                    let mut all = [0.0; $count];
                    // SAFETY: as above.
                    unsafe { $store(all.as_mut_ptr(), self.0) };
                    to.copy_from_slice(&all[..to.len()]);
                }
            }

            #[inline(always)]
            fn add(self, other: Self) -> Self {
                // SAFETY: see the macro.
                unsafe { Self($add(self.0, other.0)) }
            }

            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                // SAFETY: see the macro.
                unsafe { Self($sub(self.0, other.0)) }
            }

            #[inline(always)]
            fn add_scaled(self, factor: f32, other: Self) -> Self {
                // SAFETY: see the macro.
                unsafe { Self($multiply_add($broadcast(factor), other.0, self.0)) }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
register! {
    /// Eight lanes, for AVX2 with FMA.
    Avx2(__m256, 8): _mm256_setzero_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_add_ps _mm256_sub_ps _mm256_set1_ps
        _mm256_fmadd_ps
}

#[cfg(target_arch = "x86_64")]
register! {
    /// Sixteen lanes, for AVX-512.
    Avx512(__m512, 16): _mm512_setzero_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_add_ps _mm512_sub_ps _mm512_set1_ps
        _mm512_fmadd_ps
}
