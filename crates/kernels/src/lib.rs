//! CPU compute kernels for Faussaire: convolution and its two gradients, fused upsampling + convolution,
//! normalisation, activation, Adam. Slices in, slices out, shapes in a [`Geometry`]; images are channels-last
//! (`[batch, height, width, channels]`) and convolution weights `[kernel_h, kernel_w, in_c, out_c]`, as in Keras.
//!
//! The crate knows no tensor library and no GAN. Work runs on rayon's current pool, split into blocks that do
//! not depend on the number of threads, so results are the same bits for any number of them. A slice of the
//! wrong length is a programming error and panics with both lengths.

pub mod activation;
pub mod adam;
pub mod attention;
pub mod batchnorm;
pub mod chain;
pub mod conv;
pub mod counters;
pub mod dropout;
pub mod epilogue;
pub mod geometry;
pub mod groupnorm;
pub mod isa;
pub mod mapping;
pub mod memory;
pub mod precision;
pub mod resample;
pub mod reused;
pub mod stored;
pub mod upsample_conv;

mod bf16;
mod columns;
mod exponential;
mod gather;
mod matmul;
mod outer;
mod plan;
// Elsewhere only its tests use it.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
mod tiled;
mod vectorise;
mod winograd;
mod workspace;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod reference;

pub use activation::Activation;
pub use adam::Adam;
pub use epilogue::Epilogue;
pub use geometry::Geometry;
pub use isa::Isa;
pub use precision::Precision;
pub use reused::Reused;
pub use stored::{Values, ValuesMut};
