//! Playing with a trained run: ways to go in its latent space, the way back from a picture to the noise that makes it,
//! its discriminator as an opponent, and the toys trained half a step at a time. The studio shows all of it; nothing here
//! knows a web page.

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
pub use lesson::{Heat, Lesson, Mesh, Phase, Picture};
pub use principal::{Principal, principal};
