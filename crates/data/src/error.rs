//! One error type for the library. Each value says what happened and, in its hint, what to do about it, in the library's
//! words: recipe keys and items of the library are named in backticks (`data.size`, `Trainer::resume`), never flags of a
//! command, which adds its own ([`Error::named`]);
//! the variant says which room of the house it comes from, so that a program can react without reading text.

use std::path::{Path, PathBuf};

/// What every fallible function of the library returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What happened, what was expected, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A recipe (preset, config file, `--set`) that can't be used as written.
    #[error("{what}")]
    Recipe {
        /// What is wrong, naming the key, layer or line, and what was expected.
        what: String,
        /// What to do.
        hint: String,
    },
    /// A data set, or one of its files, that can't be used.
    #[error("{what}")]
    Data {
        /// What is wrong, naming the file, and what was expected.
        what: String,
        /// What to do.
        hint: String,
    },
    /// A run folder or checkpoint that can't be used.
    #[error("{what}")]
    Run {
        /// What is wrong, naming the folder or file, and what was expected.
        what: String,
        /// What to do.
        hint: String,
    },
    /// Training that can't go on: a loss or weight that is no longer finite.
    #[error("{what}")]
    Diverged {
        /// What was seen, and at which step.
        what: String,
        /// What to do.
        hint: String,
    },
    /// A request that makes no sense: an argument out of range, a device that isn't there.
    #[error("{what}")]
    Usage {
        /// What was asked, and what was expected.
        what: String,
        /// What to do.
        hint: String,
    },
    /// A data set has no images held back.
    #[error("{what}")]
    NoTestImages {
        /// Which set.
        what: String,
        /// What to do.
        hint: String,
    },
    /// The operating system refused a file operation.
    #[error("can't {action} {}: {source}", path.display())]
    Io {
        /// The verb: "read", "create", "write", "rename".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
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

    /// What to do about it.
    pub fn hint(&self) -> &str {
        match self {
            Self::Recipe { hint, .. }
            | Self::Data { hint, .. }
            | Self::Run { hint, .. }
            | Self::Diverged { hint, .. }
            | Self::Usage { hint, .. }
            | Self::NoTestImages { hint, .. } => hint,
            Self::Io { source, .. } => match source.kind() {
                std::io::ErrorKind::NotFound => "check the path",
                std::io::ErrorKind::PermissionDenied => "check the permissions, or choose another folder",
                std::io::ErrorKind::StorageFull => "free some disk space, then go on with the run (`Trainer::resume`)",
                _ => "check the path, its permissions and the free space",
            },
        }
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
    fn names_are_read_from_what_and_hint() {
        let error = Error::usage(
            "`data.size` is 3",
            "set `data.size` or `data.fit`, or run `faussaire data list`; see `Trainer::resume`",
        );
        assert_eq!(error.named(), ["data.size", "data.fit", "Trainer::resume"]);
        assert!(Error::usage("plain", "an unpaired ` sign").named().is_empty());
    }
}
