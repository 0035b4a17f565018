//! A run's folder: the recipe with all options resolved, the log of events, sheets of images, checkpoints. It is all
//! that other programs need to know of a run, and all that the run needs to go on after a kill.

pub(crate) mod checkpoint;
mod folder;
mod generated;
mod log;
mod sampler;
mod stopping;

/// What to do where a checkpoint is damaged.
const ANOTHER_CHECKPOINT: &str = "sample from another one (`Sampler::open` with best); to train on from it, copy the folder \
                                  checkpoints/best over checkpoints/latest";

pub(crate) use checkpoint::weights;
pub use checkpoint::{State, exists, load, save, state};
pub use folder::{Run, TRAINING_LOG};
pub use sampler::Sampler;
pub(crate) use stopping::StopRequest;
