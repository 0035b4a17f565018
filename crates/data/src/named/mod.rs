//! Data sets known by name: which there are, where their files are found or fetched from, and how they are opened.

pub(crate) mod by_name;
pub(crate) mod elsewhere;
pub(crate) mod hub;
pub(crate) mod registry;
pub(crate) mod search_path;
pub(crate) mod tfds;
