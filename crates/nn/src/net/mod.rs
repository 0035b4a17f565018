//! A network is data: a list of layers, one line each, in Keras's vocabulary. Everything about a network derives
//! from that list: shapes, parameters, weight names, FLOPs, the forward pass, the summary.
//!
//! `parse/` reads a line, `layers/` has one file per layer, `op.rs` is the operation of a layer, `plan/` groups layers
//! into steps by patterns over operations, `forward.rs` runs them with `weights.rs` on a `pass.rs`.

#[cfg(test)]
mod exactness;
mod forward;
pub mod layers;
mod network;
mod op;
pub mod parse;
mod pass;
mod plan;
#[cfg(test)]
pub(crate) mod reference;
mod shape;
mod spectral;
pub mod summary;
#[cfg(test)]
pub(crate) mod testing;
mod weights;

pub use layers::{Layer, LayerKind};
pub use network::{LayerEntry, Network, Setting};
pub use op::Op;
pub use parse::Surroundings;
pub use pass::{Dual, Fused, Mode, Pass};
pub use plan::Storage;
pub use shape::Shape;
pub use weights::{Init, WeightSpec, Weights};
