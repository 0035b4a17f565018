//! Exploring a trained run: directions in its latent space, inversion from an image to its latent, its discriminator's
//! scores, and lessons that train a 2-D toy phase by phase. The studio shows all of it; this module contains no user
//! interface.

mod directions;
mod expert;
mod inversion;
mod label_directions;
mod lesson;
mod principal;

pub use directions::{Direction, Origin, directions};
pub use expert::Expert;
pub use inversion::{Inversion, InversionResult};
pub use label_directions::label_directions;
pub use lesson::{Cost, Heat, Lesson, Mesh, Phase, Picture};
pub(crate) use principal::principal;
