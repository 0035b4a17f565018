//! A network is data: a list of layers, one line each, in Keras's vocabulary. Everything that must know about a network
//! derives from that list: shapes, parameters, weight names, FLOPs, the forward pass, the summary. One file per layer;
//! a new one is a file here and a line in [`Layer`].

mod activation;
mod attention;
mod batchnorm;
mod conditionalbatchnorm;
mod conv;
mod convtranspose;
mod dense;
mod dropout;
mod embedding;
#[cfg(test)]
mod exactness;
mod folded;
mod form;
mod groupnorm;
mod heads;
mod layer;
mod minibatchstd;
mod network;
mod pass;
mod pixelnorm;
mod pixelshuffle;
mod plan;
mod pool;
#[cfg(test)]
pub(crate) mod reference;
mod reshape;
mod residual;
mod shape;
mod spectral;
mod storage;
pub mod summary;
#[cfg(test)]
pub(crate) mod testing;
mod together;
mod upsample;
mod weights;
mod words;

pub use form::Form;
pub use layer::{Layer, LayerKind};
pub use network::{Network, Placed, Setting};
pub use pass::{Dual, Fused, Mode, Pass};
pub use shape::Shape;
pub use storage::Storage;
pub use weights::{Init, WeightSpec, Weights};
pub use words::Surroundings;
