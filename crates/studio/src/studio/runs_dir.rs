//! The folder of runs. A name from the network resolves only to a folder directly inside it, and never through a link out of
//! it.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use axum::http::StatusCode;
use faussaire::data::read_plain;
use faussaire::run::TRAINING_LOG;

use crate::errors::{Answer, Failure};

/// The log's name, and size limits of a recipe, of a checkpoint's state, and of a log that is read at once.
const LOG: &str = "events.jsonl";
const CONFIG_BYTES: u64 = 1 << 20;
const STATE_BYTES: u64 = 1 << 20;
const LOG_BYTES: u64 = 64 << 20;
/// Maximum checkpoints of a run that are looked at, and entries of a folder.
const MAX_CHECKPOINTS: usize = 1_000;
const MAX_ENTRIES: usize = 10_000;

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

    /// `path` with links resolved, if it is inside the root; of a single run, inside its folder.
    fn inside(&self, path: &Path) -> Option<PathBuf> {
        let whole = fs::canonicalize(path).ok()?;
        let root = fs::canonicalize(&self.root).ok()?;
        let least = self.only.as_ref().map_or_else(|| root.clone(), |only| root.join(only));
        (whole != root && whole.starts_with(least)).then_some(whole)
    }

    /// The regular file `name` of `run`, which is not a link out of the root: its path and what is known of it; at most
    /// `bytes` bytes.
    fn file(&self, run: &Path, name: &str, bytes: u64) -> Answer<(PathBuf, Metadata)> {
        let missing = || Failure::missing(format!("{name} doesn't exist"), "it may not be written yet");
        let path = self.inside(&run.join(name)).ok_or_else(missing)?;
        let about = fs::metadata(&path).map_err(|_| missing())?;
        if !about.is_file() {
            return Err(missing());
        }
        if about.len() > bytes {
            return Err(Failure::conflict(
                format!("{name} has {} bytes, expected at most {bytes}", about.len()),
                "the file was changed or damaged",
            ));
        }
        Ok((path, about))
    }

    /// The regular file `name` of `run`, to be sent: not yet read.
    ///
    /// # Errors
    /// There is none, or it is larger than `bytes`.
    pub(crate) fn found(&self, run: &Path, name: &str, bytes: u64) -> Answer<Found> {
        self.file(run, name, bytes).map(|(path, about)| Found { path, about, bytes })
    }

    /// The text of a run's recipe.
    pub(crate) fn config(&self, run: &Path) -> Answer<String> {
        let bytes = self.found(run, "config.toml", CONFIG_BYTES)?.read()?;
        String::from_utf8(bytes).map_err(|_| {
            Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "config.toml is not text", "the file was changed or damaged")
        })
    }

    /// Checks the folder of a run before it is read: no part of it leads out of the root, its recipe is there, and its log
    /// is not too large to be read at once.
    ///
    /// # Errors
    /// What is wrong.
    pub(crate) fn check(&self, run: &Path) -> Answer<()> {
        self.config(run)?;
        if fs::symlink_metadata(run.join(LOG)).is_ok() {
            self.file(run, LOG, LOG_BYTES)?;
        }
        self.check_links(run)?;
        let checkpoints = run.join("checkpoints");
        if checkpoints.is_dir() {
            self.check_links(&checkpoints)?;
            for entry in entries(&checkpoints).take(MAX_CHECKPOINTS).filter(|entry| entry.path().is_dir()) {
                self.check_links(&entry.path())?;
            }
        }
        Ok(())
    }

    /// Refuses links in `folder` that lead out of the root, and what is neither file nor folder.
    fn check_links(&self, folder: &Path) -> Answer<()> {
        for entry in entries(folder).take(MAX_ENTRIES) {
            let Ok(kind) = entry.file_type() else { continue };
            let whole = if kind.is_symlink() { self.inside(&entry.path()) } else { Some(entry.path()) };
            let plain = whole.is_some_and(|path| path.is_file() || path.is_dir());
            // A name that another file takes meanwhile is gone.
            if !plain && fs::symlink_metadata(entry.path()).is_ok() {
                return Err(Failure::conflict(
                    format!("{:?} in the run's folder leads out of it, or is no file", entry.file_name()),
                    "remove it, or put a copy of the file in its place",
                ));
            }
        }
        Ok(())
    }

    /// The names of a run's checkpoints that can be read, the first [`MAX_CHECKPOINTS`].
    pub(crate) fn checkpoints(&self, run: &Path) -> Vec<String> {
        let folder = run.join("checkpoints");
        let names =
            entries(&folder).take(MAX_CHECKPOINTS).map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| self.file(run, &format!("checkpoints/{name}/state.json"), STATE_BYTES).is_ok()).collect()
    }
}

/// A file to be sent.
#[derive(Debug)]
pub(crate) struct Found {
    path: PathBuf,
    /// Its length and times.
    pub about: Metadata,
    bytes: u64,
}

impl Found {
    /// Its bytes.
    ///
    /// # Errors
    /// The file can't be read.
    pub(crate) fn read(&self) -> Answer<Vec<u8>> {
        read_plain(&self.path, self.bytes).map_err(|e| faussaire::Error::io("read", &self.path)(e).into())
    }
}

/// What is in `folder`; nothing if it can't be read.
fn entries(folder: &Path) -> impl Iterator<Item = fs::DirEntry> {
    fs::read_dir(folder).into_iter().flatten().flatten()
}

/// Whether `path` has a run, or parts of one.
pub(crate) fn is_run_folder(path: &Path) -> bool {
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
        assert_eq!(runs_dir.found(&one, "config.toml", 100).unwrap().read().unwrap(), b"latent = 2");
        assert!(runs_dir.file(&one, "config.toml", 5).is_err());
        assert!(runs_dir.file(&one, "deep", 100).is_err());
        #[cfg(unix)]
        {
            assert!(runs_dir.file(&one, "secret", 100).is_err());
            assert_eq!(runs_dir.names(), ["one", "same"]);
            assert!(runs_dir.check(&one).unwrap_err().error.contains("\"secret\" in the run's folder leads out of it"));
        }
        let alone = RunsDir::new(&root.join("one"));
        assert_eq!(alone.names(), ["one"]);
        assert!(alone.run("same").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn nothing_in_a_run_leads_elsewhere_or_waits() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("runs");
        let state = |run: &str| root.join(run).join("checkpoints/latest/state.json");
        let fresh = |run: &str| {
            let latest = root.join(run).join("checkpoints/latest");
            fs::create_dir_all(&latest).unwrap();
            fs::write(root.join(run).join("config.toml"), "latent = 2").unwrap();
            fs::write(latest.join("state.json"), "{}").unwrap();
            root.join(run)
        };
        let elsewhere = folder.path().join("elsewhere");
        fs::create_dir_all(elsewhere.join("latest")).unwrap();
        fs::write(elsewhere.join("latest/state.json"), "{}").unwrap();
        let good = fresh("good");
        let runs_dir = RunsDir::new(&root);
        runs_dir.check(&good).unwrap();
        assert_eq!(runs_dir.checkpoints(&good), ["latest"]);

        let out = fresh("out");
        fs::remove_dir_all(out.join("checkpoints")).unwrap();
        symlink(&elsewhere, out.join("checkpoints")).unwrap();
        let deep = fresh("deep");
        symlink(elsewhere.join("latest"), deep.join("checkpoints/best")).unwrap();
        let file = fresh("file");
        fs::remove_file(state("file")).unwrap();
        symlink(elsewhere.join("latest/state.json"), state("file")).unwrap();
        let pipe = fresh("pipe");
        fs::remove_file(state("pipe")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(state("pipe")).status().unwrap().success());
        let log = fresh("log");
        assert!(std::process::Command::new("mkfifo").arg(log.join(LOG)).status().unwrap().success());
        let broken = fresh("broken");
        symlink(root.join("nowhere"), broken.join(LOG)).unwrap();
        for run in [&out, &deep, &file, &pipe, &log, &broken] {
            assert!(runs_dir.check(run).is_err(), "{}", run.display());
        }
        for (run, names) in [(&out, vec![]), (&deep, vec!["latest"]), (&file, vec![]), (&pipe, vec![])] {
            assert_eq!(runs_dir.checkpoints(run), names, "{}", run.display());
        }
        // A link to another run of the folder is fine, unless one run alone is shown.
        let same = fresh("same");
        fs::remove_dir_all(same.join("checkpoints")).unwrap();
        symlink(good.join("checkpoints"), same.join("checkpoints")).unwrap();
        runs_dir.check(&same).unwrap();
        assert!(RunsDir::new(&same).check(&same).is_err());
        // A log that is too long to be read at once.
        fs::File::create(good.join(LOG)).unwrap().set_len(LOG_BYTES + 1).unwrap();
        assert!(runs_dir.check(&good).unwrap_err().error.contains("expected at most"));
    }
}
