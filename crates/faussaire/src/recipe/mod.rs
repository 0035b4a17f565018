//! Recipes: all that a run depends on, that is data, nets, losses, learning rates, seed. A recipe is a TOML file, or
//! built in code; presets are recipes in the binary, and every run folder contains its recipe with all options
//! resolved, so that the run can be repeated.
//!
//! Every key is defined once, in `settings`, with its type, meaning, range and default; the rest is derived from there.

mod auto;
mod build;
mod change;
mod check;
mod conditional;
mod difference;
mod estimate;
mod joint_batch;
mod keys;
mod nets;
mod open_options;
mod precision;
mod preset;
mod read;
mod reference;
pub(crate) mod remarks;
pub mod sabotage;
mod schema;
mod settings;
mod size;
mod table;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod text;

pub use auto::Auto;
pub(crate) use auto::{length as auto_length, reading as auto_reading};
pub(crate) use change::flags;
pub use conditional::Conditional;
pub use difference::{Difference, differences};
pub use estimate::Estimate;
pub use joint_batch::JointBatch;
pub use keys::{Key, values};
pub use precision::PrecisionChoice;
pub use preset::Preset;
pub use reference::reference;
pub use remarks::{Images, Remark};
pub use schema::schema;
pub use settings::{AugmentSettings, DataSettings, FakeBatchnorm, NetSettings, Recipe, TrainSettings};
pub use size::ImageSize;
pub use table::Kind;
