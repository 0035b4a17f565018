//! The file formats of data sets, one module per format.

pub(crate) mod archive;
pub(crate) mod array;
pub(crate) mod beside;
pub mod cifar;
pub(crate) mod column_names;
pub(crate) mod compression;
pub(crate) mod data_files;
pub mod folder;
pub(crate) mod hidden;
pub mod idx;
pub(crate) mod image_files;
pub(crate) mod image_labels;
pub mod npy;
pub mod npz;
pub mod parquet;
pub(crate) mod pictures;
pub(crate) mod pixel_csv;
pub(crate) mod sidecars;
pub(crate) mod signatures;
pub(crate) mod sniff;
pub(crate) mod stl10;
pub(crate) mod survey;
