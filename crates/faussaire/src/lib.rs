//! x
pub mod data; pub mod error; pub mod loss; pub mod model; pub mod net; pub mod ops; pub mod optimizer; pub mod random; pub mod recipe;
pub use burn::tensor::{Device, Tensor};
pub use error::{Error, Result};
pub use model::Model;
pub use optimizer::AdamSettings;
pub use recipe::{Preset, Recipe};
