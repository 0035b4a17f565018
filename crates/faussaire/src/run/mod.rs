//! Run folders: the recipe with all options resolved, the log of events, sheets of images, checkpoints. A run can be
//! resumed from its folder after a kill, and other programs read runs from it.

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

pub(crate) use checkpoint::weights;
pub use checkpoint::{State, exists, load, save, state};
pub use folder::{Run, TRAINING_LOG};
pub use sampler::Sampler;
pub(crate) use stopping::StopRequest;
