//! Descriptions and errors of a download. The download itself (`http.rs`) needs the feature `fetch`.

#[cfg(feature = "fetch")]
mod http;

use std::path::Path;
use std::time::Duration;

use crate::error::{Error, Result};
#[cfg(feature = "fetch")]
pub(super) use http::fetch;

/// The progress of a download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The file's name.
    pub file: String,
    /// Bytes received.
    pub bytes: u64,
    /// Size of the file in bytes, if known.
    pub total: Option<u64>,
}

/// A file to download, with its expected size and checksum.
#[cfg_attr(not(feature = "fetch"), allow(dead_code))]
pub(crate) struct Remote {
    /// Its URL.
    pub url: String,
    /// Its exact size in bytes, if published.
    pub bytes: Option<u64>,
    /// Size limit in bytes.
    pub max_bytes: u64,
    /// Its checksum, if published.
    pub sha256: Option<String>,
    /// An additional check of the complete file.
    pub inspect: fn(&Path) -> Result<()>,
    /// Timeout for the connection, the response, and the next bytes.
    pub timeout: Duration,
    /// A token for the server, which redirections to other servers don't get.
    pub token: Option<String>,
}

/// The reason of a failed download.
#[derive(Debug)]
pub(super) enum Failure {
    /// A failure of the network, the server or the checks, as the end of a sentence.
    Transfer(String),
    /// A failure of the disk.
    Disk(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Disk(error)
    }
}

/// Without the feature `fetch` every download fails; the message says where to put the files.
#[cfg(not(feature = "fetch"))]
pub(super) fn fetch(_: &Remote, _: &Path, _: &mut dyn FnMut(Progress)) -> Result<(), Failure> {
    Err(Failure::Transfer("this program was built without downloads (the feature `fetch`)".to_owned()))
}
