//! Faussaire trains, judges and serves generative adversarial networks.
//!
//! Data flows one way: data set -> batches -> D step -> G step -> averaged G -> event -> watchers.

pub mod compare;
pub mod device;
pub mod doctor;
pub mod export;
pub mod judging;
pub mod play;
pub mod prelude;
pub mod recipe;
pub mod render;
pub mod report;
pub mod run;
pub mod train;
pub mod trainer;

pub use burn;
pub use burn::tensor::Tensor;
pub use device::Device;
pub use faussaire_data::{self as data, Error, Result, error, random};
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
pub use train::Gan;
pub use trainer::Trainer;

/// The programs of the README, which are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
