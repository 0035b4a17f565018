//! A recipe says all that a run depends on: data, nets, losses, rates, seed. It is a TOML file; presets are recipes
//! built into the binary, and every run keeps its own with all options resolved, from which it can be repeated.

mod difference;
mod preset;
mod settings;

pub use difference::{Difference, differences};
pub use preset::Preset;
pub use settings::{DataSettings, Fakes, NetSettings, Recipe, TrainSettings};
