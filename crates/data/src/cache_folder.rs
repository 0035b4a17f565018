//! The user's cache folder: `$XDG_CACHE_HOME`, `~/.cache`, `~/Library/Caches` or `%LOCALAPPDATA%`.

use std::path::PathBuf;

/// The user's cache folder for this program; `None` if the environment names no home.
pub fn cache_folder() -> Option<PathBuf> {
    by_convention(|name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from))
}

/// The cache folder by the system's convention, from environment variables.
fn by_convention(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let base = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else {
        let home = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
        // The XDG specification: a relative path is to be ignored.
        let xdg = variable("XDG_CACHE_HOME").filter(|path| path.is_absolute());
        xdg.or_else(|| variable("HOME").map(|path| path.join(home)))
    };
    base.map(|base| base.join("faussaire"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_xdg_folder_is_ignored() {
        let environment = |name: &str| match name {
            "XDG_CACHE_HOME" => Some(PathBuf::from("relative")),
            "HOME" | "LOCALAPPDATA" => Some(PathBuf::from("/home/someone")),
            _ => None,
        };
        let folder = by_convention(environment).unwrap();
        assert!(folder.starts_with("/home/someone") && folder.ends_with("faussaire"), "{folder:?}");
        assert_eq!(by_convention(|_| None), None);
    }
}
