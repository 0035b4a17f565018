//! Faussaire trains, judges and serves generative adversarial networks (GANs) on CPUs.
//!
//! # A whole program
//!
//! Images that a program has in memory, a recipe with both nets, a training, and images drawn from the result:
//!
//! ```
//! use faussaire::image::GrayImage;
//! use faussaire::prelude::*;
//!
//! fn main() -> Result<()> {
//!     let shape = ImageShape { height: 8, width: 8, channels: 1 };
//!     let square = |size: usize| (0..64).map(move |at| u8::from(at % 8 < size && at / 8 < size) * 255);
//!     let images = InMemory::from_bytes("squares", shape, (0..64).flat_map(|at| square(3 + at % 4)).collect())?;
//!
//!     let generator = ["dense 4*4*8", "reshape 4 4 8", "batchnorm", "relu", "upsample 2", "conv 1 3x3", "sigmoid"];
//!     let discriminator = ["conv 8 3x3 stride 2", "leakyrelu 0.2", "flatten", "dense 1"];
//!     let recipe = Recipe::new(8, generator, discriminator).adam(AdamSettings::new(2e-4)).batch(8).epochs(2);
//!
//!     let mut trainer = Trainer::new(recipe, images, &Options::default())?;
//!     trainer.run(|event, _| {
//!         if let Event::Epoch { epoch, report } = event {
//!             println!("epoch {epoch}: D loss {:.3}, G loss {:.3}", report.d_loss, report.g_loss);
//!         }
//!         Ok(Request::Continue)
//!     })?;
//!     let drawn = Sampler::of(trainer.gan())?.draw(10, 0)?;
//!     let first: Option<GrayImage> = drawn.picture(0).map(GrayImage::try_from).transpose()?;
//!     assert_eq!((drawn.len(), first.map(|picture| picture.dimensions())), (10, Some((8, 8))));
//!     Ok(())
//! }
//! ```
//!
//! # Where to find what
//!
//! | a program wants to | with | example |
//! | --- | --- | --- |
//! | train own nets on own images | [`Recipe::new`], [`data::InMemory`] | above, `examples/own_images.rs` |
//! | have the class of the Fidle course | [`Dcgan`] | [`dcgan`] |
//! | see losses as they come, stop early | [`Trainer::run`] and a closure, [`Trainer::step`] | [`trainer`] |
//! | save a run and resume it exactly | [`Trainer::at`], [`Trainer::resume`] | [`trainer`], `examples/resume.rs` |
//! | have images as pictures, bytes, arrays, by class | [`run::Sampler`], [`render::Images`] | [`run`], [`run::Sampler`] |
//! | score images | [`judging`] | [`judging`] |
//! | serve images from many threads | [`run::Sampler`] behind an `Arc` or a borrow | [`run::Sampler`] |
//! | bring a data set, loss or layer of its own | [`data::Dataset`], [`register_loss`], [`register_layer`] | below |
//! | write ONNX, safetensors, a web page | [`export`] | [`export`] |
//! | choose device and threads | [`device`] | [`device`] |
//!
//! [`Model`] has the verbs of Keras (`compile`, `train_on_batch`, `predict`) for programs that write the loop themselves;
//! `examples/lab.rs` does so. [`prelude`] has the usual names.
//!
//! Data flows one way: data set -> batches -> D step -> G step -> averaged G -> event -> watchers.
//!
//! # A data set of one's own
//!
//! ```
//! use faussaire::data::DatasetInfo;
//! use faussaire::prelude::*;
//!
//! /// Grey images of one brightness each.
//! #[derive(Debug)]
//! struct Plain(DatasetInfo);
//!
//! impl Dataset for Plain {
//!     fn len(&self) -> usize {
//!         64
//!     }
//!     fn shape(&self) -> ImageShape {
//!         ImageShape { height: 8, width: 8, channels: 1 }
//!     }
//!     fn read(&self, index: usize, out: &mut [f32]) -> Result<()> {
//!         out.fill(index as f32 / 64.0);
//!         Ok(())
//!     }
//!     fn info(&self) -> &DatasetInfo {
//!         &self.0
//!     }
//! }
//!
//! # fn main() -> Result<()> {
//! # let recipe = Recipe::new(2, ["dense 8*8*1", "reshape 8 8 1", "sigmoid"], ["flatten", "dense 1"]).batch(8).steps(2);
//! let data = Data::own(Plain(DatasetInfo::new("plain")));
//! let mut trainer = Trainer::new(recipe, data, &Options::default())?;
//! assert_eq!(trainer.run(|_, _| Ok(Request::Continue))?, Ending::Complete);
//! # Ok(())
//! # }
//! ```
//!
//! # A loss and a layer of one's own
//!
//! Both are registered by name before a recipe that names them is read; every program that opens such a run registers
//! them. They compute with the tensors of [`burn`]. `examples/own_loss_and_layer.rs` has a layer, too.
//!
//! ```
//! # use std::sync::Arc;
//! use faussaire::loss::{GanLoss, Scale, Scores};
//! use faussaire::prelude::*;
//! use faussaire::{Tensor, register_loss};
//!
//! /// D's scores of real images are pushed to 1, those of generated ones to 0; G pushes back.
//! struct Quadratic;
//!
//! impl GanLoss for Quadratic {
//!     fn discriminator(&self, scores: &Scores, _smoothing: f32) -> Tensor<1> {
//!         let real = scores.real.clone().sub_scalar(1.0).powi_scalar(2).mean();
//!         real.add(scores.fake.clone().powi_scalar(2).mean())
//!     }
//!     fn generator(&self, fake: Tensor<4>, _real: Option<Tensor<4>>) -> Tensor<1> {
//!         fake.sub_scalar(1.0).powi_scalar(2).mean()
//!     }
//!     fn scale(&self) -> Scale {
//!         Scale { middle: Some(0.5), unit: Some(0.25), log_odds: false }
//!     }
//!     fn chance_loss(&self) -> Option<f32> {
//!         Some(0.5)
//!     }
//! }
//!
//! # fn main() -> Result<()> {
//! # let shape = ImageShape { height: 8, width: 8, channels: 1 };
//! # let images = InMemory::from_bytes("stripes", shape, (0..4096).map(|at| (at % 8 * 30) as u8).collect())?;
//! # let recipe = Recipe::new(2, ["dense 8*8*1", "reshape 8 8 1", "sigmoid"], ["flatten", "dense 1"]).batch(8).steps(2);
//! register_loss("quadratic", Arc::new(Quadratic))?;
//! let recipe = recipe.set("train.loss", "own:quadratic")?;
//! assert_eq!(Trainer::new(recipe, images, &Options::default())?.run(|_, _| Ok(Request::Continue))?, Ending::Complete);
//! # Ok(())
//! # }
//! ```
//!
//! # Burn
//!
//! Nets and tensors are [Burn](burn)'s; until 1.0, a new Burn version may break this API. Training, data, sampling, judging and
//! export do without: noise and images are flat slices, and [`Device`] is the library's own.

// They panic where the stream can't be written; `crates/cli/src/print.rs` doesn't.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod compare;
pub mod dcgan;
pub mod device;
pub mod doctor;
pub mod export;
pub mod judging;
pub mod lab;
pub mod play;
pub mod prelude;
pub mod ranks;
pub mod recipe;
pub mod render;
pub mod report;
pub mod run;
mod share;
pub mod train;
pub mod trainer;

pub use burn;
pub use burn::tensor::Tensor;
pub use dcgan::Dcgan;
pub use device::Device;
pub use faussaire_data::{self as data, Error, Result, error, random};
pub use faussaire_kernels::process;
pub use faussaire_metrics as metrics;
pub use faussaire_nn::augment::register as register_augmentation;
pub use faussaire_nn::loss::register as register_loss;
pub use faussaire_nn::net::layers::register as register_layer;
pub use faussaire_nn::penalty::register as register_penalty;
pub use faussaire_nn::{
    AdamSettings, Model, PixelRange, augment, loss, model, net, ops, optimizer, penalty, pixel_range, registry,
    safetensors,
};
pub use image;
pub use recipe::{Preset, Recipe};
pub use share::Share;
pub use train::Gan;
pub use trainer::Trainer;

/// The programs of the README, which are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
