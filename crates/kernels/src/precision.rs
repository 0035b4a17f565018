//! The precision of the operands of products. bfloat16 is the upper half of an f32: the same range, 8 bits of mantissa
//! instead of 24. Operands are rounded to it, and images may be stored as it ([`crate::stored`]); products are summed in
//! f32, and everything that is not a product (bias, activation, statistics, Adam) is computed in f32.

/// The format to which the operands of a product (images, weights, gradients) are rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// Nothing: products of f32 values.
    #[default]
    F32,
    /// bfloat16, to the nearest, ties to even. Where the processor has no bf16 arithmetic the rounded values are
    /// multiplied as f32: equal up to f32's own rounding, but no faster.
    Bf16,
}

impl Precision {
    /// `f32` or `bf16`.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        }
    }

    /// The one with which the kernels are fastest on this machine: bf16 where the instruction set in use multiplies it.
    pub fn fastest() -> Self {
        if crate::isa::multiplies_bf16() { Self::Bf16 } else { Self::F32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bf16_is_only_the_fastest_where_the_processor_has_it() {
        assert_eq!(Precision::fastest() == Precision::Bf16, crate::isa::multiplies_bf16());
        assert_eq!(Precision::default(), Precision::F32);
        assert!(Precision::F32.name() == "f32" && Precision::Bf16.name() == "bf16");
    }
}
