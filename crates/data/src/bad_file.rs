//! Image files that can't be used.

use std::path::PathBuf;

/// A file that can't be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadFile {
    /// The file; one in an archive as `ARCHIVE/FILE`.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}
