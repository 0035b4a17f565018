//! What most programs need: `use faussaire::prelude::*;`.
//!
//! ```
//! use faussaire::prelude::*;
//!
//! # fn main() -> Result<()> {
//! let recipe = Recipe::parse(Preset::Ring.text(), "ring", &[])?.batch(8);
//! let data = Data::open(&recipe, &mut |_| ())?;
//! let mut trainer = Trainer::new(recipe, data, &Options::default().limits(Limits::steps(2)))?;
//! assert_eq!(trainer.run(|_, _| Ok(Request::Continue))?, Ending::Complete);
//! # Ok(())
//! # }
//! ```

pub use crate::data::{Dataset, ImageShape, InMemory};
pub use crate::recipe::Conditional;
pub use crate::render::{Images, Picture};
pub use crate::run::{Run, Sampler};
pub use crate::train::{Ending, Event, Limits, Request, Watcher};
pub use crate::trainer::{Data, Options};
pub use crate::{AdamSettings, Dcgan, Device, Error, Gan, Model, Preset, Recipe, Result, Trainer};
