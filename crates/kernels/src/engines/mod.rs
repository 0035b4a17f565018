//! The engines, which compute convolutions: their operations, how one is chosen, and the path of a convolution through
//! the files.
//!
//! # Operations
//!
//! Three operations, in the literature's short names: *fprop*, the forward pass; *dgrad*, the gradient with respect to the
//! input; *wgrad*, the gradient with respect to the weights. A dense layer is a convolution of 1x1 images. fprop and dgrad, of
//! convolutions and of transposed ones, with upsampling or without, are the same operation once they are written as a
//! [`Plan`](crate::plan::Plan): `Plan::forward` describes one, `Plan::input_grad` the other. So each engine has one file for
//! both, `fprop.rs`, and another one for weight gradients, `wgrad.rs`.
//!
//! # How an engine is chosen
//!
//! [`dispatch`](crate::dispatch) decides, from precision, instruction set ([`isa`](crate::isa)) and the plan's sizes:
//!
//! | instruction set (`FAUSSAIRE_ISA`) | f32 | bf16 |
//! | --- | --- | --- |
//! | `portable` | `portable` | operands rounded (`amx/emulated.rs`), then as f32 |
//! | `avx2` | `winograd` where that takes less work, else `direct` | operands rounded, then as f32 |
//! | `avx512`, processor without BF16 | `winograd` where that takes less work, else `direct` | operands rounded, then as f32 |
//! | `avx512`, processor with BF16 | `winograd` where that takes less work, else `direct` | `amx`, on VDPBF16PS |
//! | `amx` | `winograd` where that takes less work, else `direct` | `amx`, on TDPBF16PS |
//!
//! - `direct`: the sums as they are defined, in register tiles, without im2col; with it below 16 source channels.
//! - `winograd`: fewer multiplications, by transforms, for kernels of 2 to 5 taps with 16 channels or more on both sides.
//!   It multiplies with `direct`'s tiles.
//! - `amx`: products of bf16 in blocks of 32 x 32 sums; im2col up to 16 source channels.
//! - `portable`: im2col and the `gemm` crate.
//!
//! Before any of them, fprop and dgrad with very few destination channels go through [`col2im`](crate::engines::col2im) (the last
//! layer of a generator): one product for all kernel pixels, then shifted sums. Its product is the engine's
//! (`direct/col2im.rs`, `amx/col2im.rs`, or the `gemm` crate). Two layers in a row, in bf16, may go through
//! [`chain`](crate::chain) together: `amx/chain/`.
//!
//! # The path of a convolution
//!
//! 1. `conv.rs`, `upsample_conv.rs`: the public functions check lengths, and make a plan of the geometry (`plan.rs`).
//! 2. `dispatch.rs` picks the engine.
//! 3. `ENGINE/fprop.rs` or `ENGINE/wgrad.rs` splits the work into tasks. No sum depends on the number of threads.
//! 4. Weights are packed once per call: `direct/panels.rs`, `winograd/weights.rs`, `amx/panels.rs`.
//! 5. Each task lays out its source pixels: not at all (`direct`, a table of addresses), by `im2col.rs`, by
//!    `winograd/transform.rs`, or rounded to bf16 by `amx/grid.rs`, `amx/source.rs`, `amx/im2col.rs`.
//! 6. The innermost loops: `direct/avx2.rs`, `direct/avx512.rs`; `amx/tiles.rs`, `amx/avx512.rs`.
//! 7. Sums go to the result through bias and activation: `direct/fprop.rs` (`Finish`), `winograd/transform.rs` (`outputs`),
//!    `amx/finish.rs`; a slope that no engine multiplies with itself, by `epilogue.rs`. Those of weight gradients are added
//!    up, part after part, and go to their kernel pixels (`partial_sums.rs`; in `amx/wgrad.rs` for its blocks).

pub(crate) mod amx;
pub(crate) mod col2im;
// Elsewhere only its tests use it.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
pub(crate) mod direct;
pub(crate) mod partial_sums;
pub(crate) mod portable;
pub(crate) mod shared;
pub(crate) mod winograd;
