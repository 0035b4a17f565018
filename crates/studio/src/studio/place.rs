//! Which folders are runs, and where a name that came over the network may lead: to a folder directly inside the one that
//! was given, through no link out of it.

use std::fs;
use std::path::{Path, PathBuf};

use faussaire::run::WORDS;

use crate::errors::{Answer, Failure};

/// Larger recipes are not read.
const CONFIG_BYTES: u64 = 1 << 20;

/// The folder with the runs.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    root: PathBuf,
    /// The one run that is shown, where a run's own folder was given.
    only: Option<String>,
}

impl Place {
    /// `given` by the user: a folder of runs, or one run.
    pub(crate) fn new(given: &Path) -> Self {
        let given = std::path::absolute(given).unwrap_or_else(|_| given.into());
        let whole = fs::canonicalize(&given).unwrap_or(given);
        match (whole.join("config.toml").is_file(), whole.parent(), whole.file_name()) {
            (true, Some(parent), Some(name)) => {
                Self { root: parent.into(), only: Some(name.to_string_lossy().into_owned()) }
            }
            _ => Self { root: whole, only: None },
        }
    }

    /// The folder that new runs go to.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of the run called `id`, if the name is a proper one and nothing leads out of the root.
    pub(crate) fn run(&self, id: &str) -> Answer<PathBuf> {
        let missing =
            || Failure::missing(format!("there is no run {id:?}"), "its folder may have been deleted or renamed");
        if !is_name(id) || self.only.as_ref().is_some_and(|only| only != id) {
            return Err(missing());
        }
        self.inside(&self.root.join(id)).filter(|path| path.is_dir()).ok_or_else(missing)
    }

    /// Names of the folders that hold a run, or what is left of one.
    pub(crate) fn names(&self) -> Vec<String> {
        if let Some(only) = &self.only {
            return vec![only.clone()];
        }
        let Ok(entries) = fs::read_dir(&self.root) else { return Vec::new() };
        let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> =
            names.filter(|name| self.run(name).is_ok_and(|path| looks_like_a_run(&path))).collect();
        names.sort();
        names
    }

    /// `path` without links, where it lies inside the root.
    fn inside(&self, path: &Path) -> Option<PathBuf> {
        let whole = fs::canonicalize(path).ok()?;
        let root = fs::canonicalize(&self.root).ok()?;
        (whole != root && whole.starts_with(root)).then_some(whole)
    }

    /// A plain file of `run`, named by us, of at most `bytes` bytes, that is not a link out of the root.
    pub(crate) fn file(&self, run: &Path, name: &str, bytes: u64) -> Answer<PathBuf> {
        let missing = || Failure::missing(format!("there is no {name}"), "it may not be written yet");
        let path = self.inside(&run.join(name)).ok_or_else(missing)?;
        let meta = fs::metadata(&path).map_err(|_| missing())?;
        if !meta.is_file() {
            return Err(missing());
        }
        if meta.len() > bytes {
            return Err(Failure::conflict(
                format!("{name} has {} bytes, expected at most {bytes}", meta.len()),
                "the file was changed or damaged",
            ));
        }
        Ok(path)
    }

    /// The text of a run's recipe.
    pub(crate) fn config(&self, run: &Path) -> Answer<String> {
        let path = self.file(run, "config.toml", CONFIG_BYTES)?;
        let unread = |e| Failure::from(faussaire::Error::io("read", &path)(e));
        fs::read_to_string(&path).map_err(unread)
    }
}

fn looks_like_a_run(path: &Path) -> bool {
    ["config.toml", "events.jsonl", "checkpoints", WORDS].iter().any(|name| path.join(name).exists())
}

/// Whether `id` is the plain name of a visible folder.
fn is_name(id: &str) -> bool {
    let foreign = |c: char| c == '/' || c == '\\' || c.is_control();
    !id.is_empty() && id.len() <= 255 && !id.starts_with('.') && !id.contains(foreign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("runs");
        for name in ["runs/one", "runs/one/deep", "runs/.hidden", "outside"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("config.toml"), "latent = 2").unwrap();
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::symlink;
            symlink(folder.path().join("outside"), root.join("link")).unwrap();
            symlink(root.join("one"), root.join("same")).unwrap();
            symlink(folder.path().join("outside/config.toml"), root.join("one/secret")).unwrap();
        }
        let place = Place::new(&root);
        for id in
            ["", ".", "..", "../outside", "one/../../outside", ".hidden", "one/deep", "link", "one\\x", "gone", "a\0"]
        {
            assert!(place.run(id).is_err(), "{id:?}");
        }
        let one = place.run("one").unwrap();
        assert!(place.file(&one, "config.toml", 100).is_ok());
        assert!(place.file(&one, "config.toml", 5).is_err());
        assert!(place.file(&one, "deep", 100).is_err());
        #[cfg(unix)]
        {
            assert!(place.file(&one, "secret", 100).is_err());
            assert_eq!(place.names(), ["one", "same"]);
        }
        let alone = Place::new(&root.join("one"));
        assert_eq!(alone.names(), ["one"]);
        assert!(alone.run("same").is_err());
    }
}
