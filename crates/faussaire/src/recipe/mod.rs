//! A recipe says all that a run depends on: data, nets, losses, rates, seed. It is a TOML file; presets are recipes
//! built into the binary, and every run keeps its own with all options resolved, from which it can be repeated.

mod change;
mod check;
mod conditional;
mod difference;
mod keys;
mod opening;
mod precision;
mod preset;
mod settings;

pub use conditional::Conditional;
pub use difference::{Difference, differences};
pub use keys::{Key, Kind, values};
pub use precision::PrecisionChoice;
pub use preset::Preset;
pub use settings::{AugmentSettings, DataSettings, Fakes, NetSettings, Recipe, TrainSettings};
