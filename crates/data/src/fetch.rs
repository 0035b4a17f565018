//! What is known of a file to download, and what may go wrong. The download itself (`http.rs`) is the feature `fetch`.

#[cfg(feature = "fetch")]
mod http;

use std::path::Path;
use std::time::Duration;

use crate::error::{Error, Result};
#[cfg(feature = "fetch")]
pub(super) use http::fetch;

/// How far a transfer has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The file's name.
    pub file: String,
    /// Bytes that have come so far.
    pub bytes: u64,
    /// Bytes of the whole file, where known.
    pub total: Option<u64>,
}

/// A file to fetch, and what is known of it beforehand.
#[cfg_attr(not(feature = "fetch"), allow(dead_code))]
pub(crate) struct Remote {
    /// Its address.
    pub url: String,
    /// Its exact size, where published.
    pub bytes: Option<u64>,
    /// The most bytes to accept.
    pub at_most: u64,
    /// Its checksum, where published.
    pub sha256: Option<&'static str>,
    /// A look at the complete file, for what size and checksum don't tell.
    pub inspect: fn(&Path) -> Result<()>,
    /// How long to wait for a connection, an answer, or the next bytes.
    pub patience: Duration,
}

/// Why a file was not fetched.
#[derive(Debug)]
pub(super) enum Failure {
    /// The network, the server, or the bytes that came: what happened, as the end of a sentence.
    Transfer(String),
    /// The disk.
    Disk(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Disk(error)
    }
}

/// Without the feature `fetch`, fails as a transfer does: the message says where to put the files.
#[cfg(not(feature = "fetch"))]
pub(super) fn fetch(_: &Remote, _: &Path, _: &mut dyn FnMut(Progress)) -> Result<(), Failure> {
    Err(Failure::Transfer("this program was built without downloads (the feature `fetch`)".to_owned()))
}
