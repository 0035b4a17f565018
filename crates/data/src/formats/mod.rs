//! The file formats of data sets, one module per format.

pub(crate) mod archive;
pub mod cifar;
pub mod folder;
pub mod idx;
pub mod npy;
pub mod npz;
pub mod parquet;

/// The first bytes of every gzip file.
pub(crate) const GZIP: [u8; 2] = [0x1f, 0x8b];
