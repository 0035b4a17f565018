//! The folder of runs. A name from the network resolves only to a folder directly inside it, and never through a link out of
//! it.

use std::fs;
use std::path::{Path, PathBuf};

use faussaire::run::TRAINING_LOG;

use crate::errors::{Answer, Failure};

/// Size limit of a recipe.
const CONFIG_BYTES: u64 = 1 << 20;

/// The folder with the runs.
#[derive(Clone, Debug)]
pub(crate) struct RunsDir {
    root: PathBuf,
    /// The only visible run, if a run's own folder was given.
    only: Option<String>,
}

impl RunsDir {
    /// `given` is a folder of runs, or the folder of one run.
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

    /// The folder for new runs.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of run `id`, if the name is valid and the path doesn't leave the root.
    pub(crate) fn run(&self, id: &str) -> Answer<PathBuf> {
        let missing =
            || Failure::missing(format!("run {id:?} doesn't exist"), "its folder may have been deleted or renamed");
        if !is_name(id) || self.only.as_ref().is_some_and(|only| only != id) {
            return Err(missing());
        }
        self.inside(&self.root.join(id)).filter(|path| path.is_dir()).ok_or_else(missing)
    }

    /// Names of the folders with a run, or with parts of one.
    pub(crate) fn names(&self) -> Vec<String> {
        if let Some(only) = &self.only {
            return vec![only.clone()];
        }
        let Ok(entries) = fs::read_dir(&self.root) else { return Vec::new() };
        let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> =
            names.filter(|name| self.run(name).is_ok_and(|path| is_run_folder(&path))).collect();
        names.sort();
        names
    }

    /// `path` with links resolved, if it is inside the root.
    fn inside(&self, path: &Path) -> Option<PathBuf> {
        let whole = fs::canonicalize(path).ok()?;
        let root = fs::canonicalize(&self.root).ok()?;
        (whole != root && whole.starts_with(root)).then_some(whole)
    }

    /// The regular file `name` of `run`: at most `bytes` bytes, and not a link out of the root.
    pub(crate) fn file(&self, run: &Path, name: &str, bytes: u64) -> Answer<PathBuf> {
        let missing = || Failure::missing(format!("{name} doesn't exist"), "it may not be written yet");
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

fn is_run_folder(path: &Path) -> bool {
    ["config.toml", "events.jsonl", "checkpoints", TRAINING_LOG].iter().any(|name| path.join(name).exists())
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
    fn names_stay_inside_the_folder() {
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
        let runs_dir = RunsDir::new(&root);
        for id in
            ["", ".", "..", "../outside", "one/../../outside", ".hidden", "one/deep", "link", "one\\x", "gone", "a\0"]
        {
            assert!(runs_dir.run(id).is_err(), "{id:?}");
        }
        let one = runs_dir.run("one").unwrap();
        assert!(runs_dir.file(&one, "config.toml", 100).is_ok());
        assert!(runs_dir.file(&one, "config.toml", 5).is_err());
        assert!(runs_dir.file(&one, "deep", 100).is_err());
        #[cfg(unix)]
        {
            assert!(runs_dir.file(&one, "secret", 100).is_err());
            assert_eq!(runs_dir.names(), ["one", "same"]);
        }
        let alone = RunsDir::new(&root.join("one"));
        assert_eq!(alone.names(), ["one"]);
        assert!(alone.run("same").is_err());
    }
}
