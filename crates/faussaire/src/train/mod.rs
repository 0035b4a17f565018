//! Training: the loop, the discriminator's and the generator's step, the moving average, and the events for watchers.
//!
//! [`Gan`] holds the two nets and all that the next step depends on; `step.rs` is Algorithm 1 of Goodfellow et al. (2014),
//! `fit.rs` the loop around it. Run folders, resuming and healing are in [`crate::trainer`], one level up.

mod ema;
mod event;
mod finding;
mod fit;
mod gan;
mod held_out;
mod history;
mod inference;
mod inputs;
mod replaced;
mod slices;
mod step;
mod variety;

pub use ema::Ema;
pub use event::{Event, Request, StepReport, Watcher};
pub use finding::{Finding, Heal, Symptom};
pub(crate) use fit::notify;
pub use fit::{Ending, Limits};
pub use gan::{Gan, Latents, Progress};
pub use held_out::split_held_out;
pub use history::History;
pub(crate) use inference::{BATCH as INFERENCE_BATCH, InferenceGenerator};
pub use step::DiscriminatorStep;
pub use variety::Variety;

/// The Fidle notebook's name of a [`Gan`].
pub type Dcgan = Gan;
