//! Neural networks for GANs: a network as a list of layers, the operations of its layers, losses, gradient
//! penalties, augmentation, Adam, and a model with `predict`, `compile` and `train`.

pub mod augment;
pub mod loss;
pub mod model;
pub mod net;
pub mod ops;
pub mod optimizer;
pub mod penalty;
pub mod pixel_range;
pub mod registry;
pub mod safetensors;

pub use model::Model;
pub use optimizer::AdamSettings;
pub use pixel_range::PixelRange;

/// The programs of the README, which are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
