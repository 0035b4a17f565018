//! Training: the loop, its two steps, the averaged generator, and the events that watchers see.
//!
//! [`Gan`] holds the two nets and all that the next step depends on; `fit` is Algorithm 1 of Goodfellow et al. (2014).

mod average;
mod discriminator_step;
mod drawing;
mod event;
mod fit;
mod gan;
mod generator_step;
mod halves;
mod held_out;
mod history;
mod init;
mod variety;
mod view;

pub use average::Average;
pub(crate) use drawing::Drawing;
pub use event::{Event, Request, StepReport, Watcher};
pub use fit::{Ending, Limits};
pub use gan::{Gan, Latents, Progress};
pub use halves::FirstHalf;
pub use held_out::parted;
pub use history::History;
pub use variety::Variety;

/// The name that the Fidle notebook gives to a [`Gan`].
pub type Dcgan = Gan;
