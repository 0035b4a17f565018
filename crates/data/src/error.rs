//! One error type for the library. Each value says what happened and, in its hint, what to do about it, in the library's
//! words: recipe keys and items of the library are named in backticks (`data.size`, `Trainer::resume`), never flags of a
//! command, which adds its own ([`Error::named`]). The variant says which part of the library failed, so that a program can
//! react without parsing text.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::printable::printable_path;

/// The result of fallible functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What systems call an error of the device itself, for which `ErrorKind` has no name.
const EIO: Option<i32> = if cfg!(unix) { Some(5) } else { None };

/// The system's number of an error, which may be inside another one.
fn number(error: &std::io::Error) -> Option<i32> {
    let inner = || error.get_ref().and_then(|inner| inner.source()?.downcast_ref::<std::io::Error>());
    error.raw_os_error().or_else(|| inner()?.raw_os_error())
}

/// An error with a hint: what happened, what was expected, and how to fix it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An invalid recipe (preset, config file, changed key).
    #[error("{what}")]
    Recipe {
        /// What is wrong, naming the key, layer or line, and what was expected.
        what: String,
        /// How to fix it.
        hint: String,
    },
    /// An unusable data set or data file.
    #[error("{what}")]
    Data {
        /// What is wrong, naming the file, and what was expected.
        what: String,
        /// How to fix it.
        hint: String,
    },
    /// An unusable run folder or checkpoint.
    #[error("{what}")]
    Run {
        /// What is wrong, naming the folder or file, and what was expected.
        what: String,
        /// How to fix it.
        hint: String,
    },
    /// Divergence: a loss or weight is no longer finite.
    #[error("{what}")]
    Diverged {
        /// What was observed, and at which step.
        what: String,
        /// How to fix it.
        hint: String,
    },
    /// An invalid request: an argument out of range, a missing device.
    #[error("{what}")]
    Usage {
        /// What was requested, and what was expected.
        what: String,
        /// How to fix it.
        hint: String,
    },
    /// A data set has no test images.
    #[error("{what}")]
    NoTestImages {
        /// The set.
        what: String,
        /// How to fix it.
        hint: String,
    },
    /// The operating system refused a file operation.
    #[error("can't {action} {}: {source}", printable_path(path))]
    Io {
        /// The verb: "read", "create", "write", "rename".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
}

impl Error {
    /// A recipe error.
    pub fn recipe(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Recipe { what: what.into(), hint: hint.into() }
    }

    /// A data error.
    pub fn data(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Data { what: what.into(), hint: hint.into() }
    }

    /// A run or checkpoint error.
    pub fn run(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Run { what: what.into(), hint: hint.into() }
    }

    /// A usage error.
    pub fn usage(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { what: what.into(), hint: hint.into() }
    }

    /// Wraps what the system said about `path`: `read(&path).map_err(Error::io("read", &path))`.
    pub fn io(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |source| Self::Io { action, path, source }
    }

    /// How to fix it.
    pub fn hint(&self) -> &str {
        match self {
            Self::Recipe { hint, .. }
            | Self::Data { hint, .. }
            | Self::Run { hint, .. }
            | Self::Diverged { hint, .. }
            | Self::Usage { hint, .. }
            | Self::NoTestImages { hint, .. } => hint,
            Self::Io { source, .. } => match source.kind() {
                ErrorKind::NotFound => "check the path",
                ErrorKind::PermissionDenied => "check the permissions, or choose another folder",
                ErrorKind::StorageFull => "free some disk space, or choose a folder on another disk",
                ErrorKind::QuotaExceeded => "delete files of yours on that disk, or choose a folder on another one",
                ErrorKind::FileTooLarge => "raise the limit of file sizes (ulimit -f), or the disk's format has one",
                ErrorKind::ReadOnlyFilesystem => "choose a folder on a disk that can be written",
                _ if number(source) == EIO => "the disk reports a fault: check it, or choose a folder on another one",
                _ => "check the path, its permissions and the free space",
            },
        }
    }

    /// The same error with `more` in its hint; that of the system has its own.
    #[must_use]
    pub fn and_hint(mut self, more: &str) -> Self {
        match &mut self {
            Self::Recipe { hint, .. }
            | Self::Data { hint, .. }
            | Self::Run { hint, .. }
            | Self::Diverged { hint, .. }
            | Self::Usage { hint, .. }
            | Self::NoTestImages { hint, .. } => {
                *hint += if hint.is_empty() { "" } else { "; " };
                *hint += more;
            }
            Self::Io { .. } => {}
        }
        self
    }

    /// Whether a file could not be written for want of room: a full disk, a quota, a limit of file sizes.
    pub fn is_no_room(&self) -> bool {
        let kinds = [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::FileTooLarge];
        matches!(self, Self::Io { source, .. } if kinds.contains(&source.kind()))
    }

    /// What the error names in backticks, each once, in the order of its text: recipe keys such as `data.size`, items of the
    /// library such as `Trainer::resume`. A front end says what it calls them: a flag, a keyword argument, a field.
    pub fn named(&self) -> Vec<String> {
        let text = format!("{self}\n{}", self.hint());
        let mut found: Vec<String> = Vec::new();
        for name in text.split('`').skip(1).step_by(2) {
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.:-".contains(c));
            if is_name && !found.iter().any(|known| known == name) {
                found.push(name.to_owned());
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_other_failures() {
        let of = |kind: ErrorKind| Error::io("write", "a\u{1b}[2J\nb.png")(kind.into());
        assert!(of(ErrorKind::StorageFull).is_no_room() && of(ErrorKind::FileTooLarge).is_no_room());
        assert!(!of(ErrorKind::NotFound).is_no_room() && !Error::usage("full", "").is_no_room());
        let text = of(ErrorKind::StorageFull).to_string();
        assert!(text.starts_with("can't write a\\u001b[2J\\u000ab.png: "), "{text}");
    }

    #[cfg(unix)]
    #[test]
    fn a_fault_of_the_disk_is_no_matter_of_paths() {
        let hint = |number| Error::io("write", "a")(std::io::Error::from_raw_os_error(number)).hint().to_owned();
        assert!(hint(5).starts_with("the disk reports a fault") && hint(9).starts_with("check the path"));
    }

    #[test]
    fn names_are_read_from_what_and_hint() {
        let error = Error::usage(
            "`data.size` is 3",
            "set `data.size` or `data.fit`, or run `faussaire data list`; see `Trainer::resume`",
        );
        assert_eq!(error.named(), ["data.size", "data.fit", "Trainer::resume"]);
        assert!(Error::usage("plain", "an unpaired ` sign").named().is_empty());
    }
}
