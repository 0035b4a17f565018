//! Compiles a plain loop several times: for the baseline, for AVX2 and for AVX-512, chosen at run time. The loops are
//! written so that the compiler turns them into vector code: iteration over whole slices, no branch that depends on
//! data. No version contracts a multiplication and an addition into one rounding, so all give the same bits.

/// Defines a function whose body also exists for wider vectors: `vectorised! { fn name<T: Bound>(arg: Type) -> Type { .. } }`.
macro_rules! vectorised {
    (
        $(#[$meta:meta])*
        $vis:vis fn $name:ident $(<$($T:ident: $bound:path),+>)? ($($arg:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block
    ) => {
        $(#[$meta])*
        $vis fn $name $(<$($T: $bound),+>)? ($($arg: $type),*) $(-> $result)? {
            #[inline(always)]
            fn plain $(<$($T: $bound),+>)? ($($arg: $type),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2 $(<$($T: $bound),+>)? ($($arg: $type),*) $(-> $result)? {
                plain($($arg),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
            fn avx512 $(<$($T: $bound),+>)? ($($arg: $type),*) $(-> $result)? {
                plain($($arg),*)
            }

            match $crate::isa::vectors() {
                $crate::isa::Vectors::Plain => plain($($arg),*),
                // SAFETY: only chosen where the processor has it.
                #[cfg(target_arch = "x86_64")]
                $crate::isa::Vectors::Avx2 => unsafe { avx2($($arg),*) },
                // SAFETY: likewise.
                #[cfg(target_arch = "x86_64")]
                $crate::isa::Vectors::Avx512 => unsafe { avx512($($arg),*) },
            }
        }
    };
}
pub(crate) use vectorised;
