//! CPU compute kernels for Faussaire: convolution and its two gradients, fused upsampling + convolution,
//! normalisation, activation, attention, Adam. Slices in, slices out, shapes in a [`Geometry`]; images are channels-last
//! (`[batch, height, width, channels]`) and convolution weights `[kernel_h, kernel_w, in_c, out_c]`, as in Keras.
//!
//! The crate knows no tensor library and no GAN. Work runs on rayon's current pool, split into blocks that do
//! not depend on the number of threads, so results are the same bits for any number of them. A slice of the
//! wrong length is a programming error and panics with both lengths.
//!
//! Where to find what, in `src/`:
//!
//! | files | what |
//! | --- | --- |
//! | `conv.rs`, `upsample_conv.rs`, `chain/` | the public functions of convolutions: one, one behind an upsampling, two in a row |
//! | `plan.rs`, `dispatch.rs`, `engines/` | how they are computed; `engines/mod.rs` is the map: which engine runs when, and the path of a convolution through the files |
//! | `im2col.rs`, `matmul.rs`, `engines/col2im.rs` | what several engines share |
//! | `geometry.rs`, `epilogue.rs`, `precision.rs`, `stored.rs`, `bf16.rs` | sizes; what follows a product; how exact it is; how values are stored; rounding |
//! | `isa/`, `vectorise.rs` | what the processor has, and loops that are compiled for each of it |
//! | `memory/`, `mapping.rs`, `process.rs` | buffers that are kept, and how to give them back; files in memory; signals |
//! | the others | one operation each |

pub mod activation;
pub mod adam;
pub mod attention;
pub mod batchnorm;
pub mod chain;
pub mod conv;
pub mod counters;
pub mod dropout;
pub mod groupnorm;
pub mod isa;
pub mod mapping;
pub mod memory;
pub mod process;
pub mod resample;
pub mod upsample_conv;

mod bf16;
mod dispatch;
mod engines;
mod epilogue;
mod exponential;
mod geometry;
mod im2col;
mod matmul;
mod plan;
mod precision;
mod stage;
mod stored;
mod vectorise;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod reference;

pub use activation::Activation;
pub use adam::Adam;
pub use epilogue::Epilogue;
pub use geometry::Geometry;
pub use memory::PooledBuffer;
pub use precision::Precision;
pub use stored::{Values, ValuesMut};

/// The programs of the README, which are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
