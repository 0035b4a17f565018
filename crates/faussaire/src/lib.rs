//! Faussaire trains, judges and serves generative adversarial networks.
//!
//! Data flows one way: data set -> batches -> D step -> G step -> averaged G -> event -> watchers.

pub mod augment;
mod chart;
pub mod compare;
pub mod data;
pub mod device;
pub mod doctor;
pub mod error;
pub mod export;
pub mod judge;
pub mod loss;
pub mod model;
pub mod net;
pub mod ops;
pub mod optimizer;
pub mod page;
pub mod penalty;
pub mod picture;
pub mod play;
pub mod random;
pub mod recipe;
pub mod report;
pub mod run;
pub mod train;

pub use burn::tensor::{Device, Tensor};
pub use error::{Error, Result};
pub use model::Model;
pub use optimizer::AdamSettings;
pub use recipe::{Preset, Recipe};
pub use train::Gan;
