//! Compiles a plain loop twice: as it stands, and for AVX2, chosen at run time. The loops are written so that the
//! compiler turns them into vector code: whole slices walked together, no branch that depends on data. Neither
//! version contracts a multiplication and an addition into one rounding, so both give the same bits.

/// Defines a function whose body also exists in an AVX2 version: `vectorised! { fn name(arg: Type) -> Type { .. } }`.
macro_rules! vectorised {
    (
        $(#[$meta:meta])*
        $vis:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block
    ) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name($($arg: $type),*) $(-> $result)? {
            #[inline(always)]
            fn plain($($arg: $type),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            if $crate::isa::isa() == $crate::isa::Isa::Avx2 {
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $type),*) $(-> $result)? {
                    plain($($arg),*)
                }
                // SAFETY: `isa` says Avx2 only where the processor has it.
                return unsafe { avx2($($arg),*) };
            }
            plain($($arg),*)
        }
    };
}
pub(crate) use vectorised;
