//! The portable engine, in f32, for processors without kernels of their own: im2col, and matrix products by the `gemm`
//! crate, which brings its own code for each instruction set.

pub(crate) mod fprop;
pub(crate) mod wgrad;
