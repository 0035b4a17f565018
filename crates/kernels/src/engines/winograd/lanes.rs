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
        fn $name<const $n: usize, const $m: usize, const $r: usize>($($arg: $type),*) {
            #[inline(always)]
            fn plain<$lanes: Lanes, const $n: usize, const $m: usize, const $r: usize>($($arg: $type),*) $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2<const $n: usize, const $m: usize, const $r: usize>($($arg: $type),*) {
                plain::<$crate::engines::winograd::lanes::Avx2, $n, $m, $r>($($arg),*);
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
            fn avx512<const $n: usize, const $m: usize, const $r: usize>($($arg: $type),*) {
                plain::<$crate::engines::winograd::lanes::Avx512, $n, $m, $r>($($arg),*);
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
    /// `self` where it is above 0 (or no number), `other` elsewhere.
    fn positive_or(self, other: Self) -> Self;
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

    #[inline(always)]
    fn positive_or(mut self, other: Self) -> Self {
        for l in 0..8 {
            if self[l] <= 0.0 {
                self[l] = other[l];
            }
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
        $zero:ident $load:ident $store:ident $add:ident $sub:ident $broadcast:ident $multiply_add:ident,
        |$value:ident, $other:ident| $chosen:expr) => {
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

            #[inline(always)]
            fn positive_or(self, other: Self) -> Self {
                let ($value, $other) = (self.0, other.0);
                // SAFETY: see the macro.
                unsafe { Self($chosen) }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
register! {
    /// Eight lanes, for AVX2 with FMA.
    Avx2(__m256, 8): _mm256_setzero_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_add_ps _mm256_sub_ps
        _mm256_set1_ps _mm256_fmadd_ps,
        |v, other| _mm256_blendv_ps(v, other, _mm256_cmp_ps::<_CMP_LE_OQ>(v, _mm256_setzero_ps()))
}

#[cfg(target_arch = "x86_64")]
register! {
    /// Sixteen lanes, for AVX-512.
    Avx512(__m512, 16): _mm512_setzero_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_add_ps _mm512_sub_ps
        _mm512_set1_ps _mm512_fmadd_ps,
        |v, other| _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_LE_OQ>(v, _mm512_setzero_ps()), v, other)
}

#[cfg(test)]
mod tests {
    use super::*;

    on_lanes! {
        fn chosen<L, N, M, R>(x: &[f32], other: &[f32], y: &mut [f32]) {
            for c in (0..x.len()).step_by(L::COUNT) {
                L::load(&x[c..]).positive_or(L::load(&other[c..])).store(&mut y[c..c + L::COUNT]);
            }
        }
    }

    #[test]
    fn what_is_not_positive_is_replaced() {
        let x = [-1.0, -0.0, 0.0, 1e-40, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 2.0].repeat(2);
        let other: Vec<f32> = (10..26).map(|v| v as f32).collect();
        let mut y = vec![0.0; x.len()];
        chosen::<1, 1, 1>(&x, &other, &mut y);
        for (i, y) in y.iter().enumerate() {
            let want = if x[i] <= 0.0 { other[i] } else { x[i] };
            assert_eq!(y.to_bits(), want.to_bits(), "{}", x[i]);
        }
    }
}
