//! Run folders: the recipe with all options resolved, the log of events, sheets of images, checkpoints. A run can be
//! resumed from its folder after a kill, and other programs read runs from it.

//!
//! ```
//! use faussaire::prelude::*;
//!
//! # fn main() -> Result<()> {
//! # let scratch = std::env::temp_dir().join(format!("faussaire-run-{}", std::process::id()));
//! # let folder = scratch.join("run");
//! # let shape = ImageShape { height: 8, width: 8, channels: 1 };
//! # let bytes = (0..64 * 64).map(|at| (at / 64 % 2 * 200) as u8).collect();
//! # let images = InMemory::from_bytes("shades", shape, bytes)?;
//! # let images = images.with_labels((0..64).map(|at| at % 2).collect(), vec!["dark".into(), "light".into()])?;
//! # let generator = ["dense 8*8*1", "reshape 8 8 1", "sigmoid"];
//! # let recipe = Recipe::new(4, generator, ["flatten", "dense 1"]).batch(8).steps(2);
//! # let options = Options::default().conditional(Conditional::Concat);
//! # Trainer::new(recipe, images, &options)?.at(&folder)?.run(|_, _| Ok(Request::Continue))?;
//! let run = Run::open(&folder)?;
//! let sampler = Sampler::open(&run, "latest", &Device::cpu())?;
//! let light = sampler.draw_class("light", 5, 0)?; // a conditional generator's
//! let (bytes, shape) = light.into_raw();
//! assert_eq!(bytes.len(), 5 * shape.len());
//! assert_eq!(sampler.step, 2);
//! # std::fs::remove_dir_all(scratch).map_err(Error::io("remove", &folder))?;
//! # Ok(())
//! # }
//! ```

pub(crate) mod checkpoint;
mod folder;
mod generated;
mod log;
mod noise;
mod sampler;
mod stopping;

/// The hint of errors about a damaged checkpoint.
const ANOTHER_CHECKPOINT: &str = "use another one (`Sampler::open` with best); to resume from it, replace the folder \
                                  checkpoints/latest by checkpoints/best";

pub(crate) use checkpoint::{RunState, forget_off_schedule, save_in_run, tidy, weights, write_state};
pub use checkpoint::{State, exists, load, save, state};
pub use folder::{Run, TRAINING_LOG};
pub(crate) use generated::LabelRows;
pub use log::{MAX_LOG_BYTES, MAX_LOG_LINE};
pub use sampler::Sampler;
pub(crate) use stopping::StopRequest;
