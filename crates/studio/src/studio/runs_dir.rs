//! The folder of runs. A name from the network resolves only to a folder directly inside it, and never through a link out of
//! it.

use std::cmp::Reverse;
use std::fs::{self, Metadata};
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use axum::http::StatusCode;
use faussaire::data::read_plain;
use faussaire::run::TRAINING_LOG;

use crate::errors::{Answer, Failure};

/// The log's name, and size limits of a recipe and of a checkpoint's state.
pub(super) const LOG: &str = "events.jsonl";
const CONFIG_BYTES: u64 = 1 << 20;
const STATE_BYTES: u64 = 1 << 20;
/// Maximum checkpoints of a run that are listed, and files and folders of a run that are checked before it is read.
const MAX_CHECKPOINTS: usize = 1_000;
const MAX_ENTRIES: usize = 100_000;

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

    /// Checks the folder of a run before it is read: its recipe is there, and no part of it leads out of the root.
    ///
    /// # Errors
    /// What is wrong.
    pub(crate) fn check(&self, run: &Path) -> Answer<()> {
        self.check_entries(run, MAX_ENTRIES)
    }

    /// The same for a folder with at most `most` files and folders.
    fn check_entries(&self, run: &Path, most: usize) -> Answer<()> {
        self.config(run)?;
        if fs::symlink_metadata(run.join(LOG)).is_ok() {
            self.file(run, LOG, u64::MAX)?;
        }
        let mut left = most;
        self.check_links(run, &mut left)?;
        for checkpoint in self.check_links(&run.join("checkpoints"), &mut left)? {
            self.check_links(&checkpoint, &mut left)?;
        }
        Ok(())
    }

    /// Refuses links in `folder` that lead out of the root, what is neither file nor folder, and more entries than there are
    /// `left`. The folders in it.
    fn check_links(&self, folder: &Path, left: &mut usize) -> Answer<Vec<PathBuf>> {
        let unknown = |e: Error| {
            let name = folder.file_name().unwrap_or_default();
            Failure::conflict(format!("the folder {name:?} of the run can't be listed: {e}"), "allow it to be read")
        };
        let entries = match fs::read_dir(folder) {
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(Vec::new()),
            entries => entries.map_err(unknown)?,
        };
        let mut folders = Vec::new();
        for entry in entries {
            let entry = entry.map_err(unknown)?;
            *left = left.checked_sub(1).ok_or_else(|| {
                Failure::conflict("the run's folder has too many files", "move some away, such as old checkpoints")
            })?;
            let path = entry.path();
            let Ok(kind) = entry.file_type() else { continue };
            let kind = if kind.is_symlink() {
                self.inside(&path).and_then(|whole| fs::metadata(whole).ok()).map(|about| about.file_type())
            } else {
                Some(kind)
            };
            match kind {
                Some(kind) if kind.is_dir() => folders.push(path),
                Some(kind) if kind.is_file() => {}
                // A name that another file takes meanwhile is gone.
                _ if fs::symlink_metadata(&path).is_err() => {}
                _ => {
                    return Err(Failure::conflict(
                        format!("{:?} in the run's folder leads out of it, or is no file", entry.file_name()),
                        "remove it, or put a copy of the file in its place",
                    ));
                }
            }
        }
        Ok(folders)
    }

    /// The names of a run's checkpoints that can be read: of more than [`MAX_CHECKPOINTS`] the best, the latest, and the last
    /// ones.
    pub(crate) fn checkpoints(&self, run: &Path) -> Vec<String> {
        let entries = fs::read_dir(run.join("checkpoints")).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.take(MAX_ENTRIES).map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        // Kept ones are called by their epoch, epoch-0010.
        names.sort_by_cached_key(|name| {
            Reverse((["best", "latest"].contains(&name.as_str()), name.len(), name.clone()))
        });
        // One with a dot is there while another is replaced.
        let is_whole = |name: &String| {
            !name.contains('.') && self.file(run, &format!("checkpoints/{name}/state.json"), STATE_BYTES).is_ok()
        };
        names.into_iter().filter(is_whole).take(MAX_CHECKPOINTS).collect()
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
    }

    /// A run with these checkpoints.
    fn with_checkpoints(root: &Path, names: impl IntoIterator<Item = String>) -> PathBuf {
        let run = root.join("run");
        for name in names {
            let place = run.join("checkpoints").join(name);
            fs::create_dir_all(&place).unwrap();
            fs::write(place.join("state.json"), "{}").unwrap();
        }
        fs::write(run.join("config.toml"), "latent = 2").unwrap();
        run
    }

    #[test]
    fn a_long_log_locks_no_run_out() {
        let folder = tempfile::tempdir().unwrap();
        let run = with_checkpoints(folder.path(), ["latest".to_owned()]);
        fs::File::create(run.join(LOG)).unwrap().set_len(1 << 40).unwrap();
        RunsDir::new(folder.path()).check(&run).unwrap();
    }

    #[test]
    fn every_part_of_a_run_is_checked_or_none_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let run = with_checkpoints(folder.path(), (1..=3).map(|epoch| format!("epoch-{epoch:04}")));
        let runs_dir = RunsDir::new(folder.path());
        // The recipe, `checkpoints`, three folders and three files.
        runs_dir.check_entries(&run, 8).unwrap();
        for most in 0..8 {
            let failure = runs_dir.check_entries(&run, most).unwrap_err();
            assert_eq!(failure.error, "the run's folder has too many files", "{most}");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::symlink;
            // Beyond the checkpoints that are listed.
            with_checkpoints(folder.path(), (4..=MAX_CHECKPOINTS + 9).map(|epoch| format!("epoch-{epoch:04}")));
            runs_dir.check(&run).unwrap();
            for epoch in [1, MAX_CHECKPOINTS + 9] {
                let link = run.join(format!("checkpoints/epoch-{epoch:04}/average.safetensors"));
                symlink("/etc/hostname", &link).unwrap();
                assert!(runs_dir.check(&run).unwrap_err().error.contains("leads out of it"), "{epoch}");
                fs::remove_file(link).unwrap();
            }
        }
    }

    #[test]
    fn of_many_checkpoints_the_last_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        let last = 9_000 + MAX_CHECKPOINTS;
        let names = (9_001..=last).map(|epoch| format!("epoch-{epoch:04}"));
        let run = with_checkpoints(folder.path(), names.chain(["best".into(), "latest".into(), "latest.old".into()]));
        let listed = RunsDir::new(folder.path()).checkpoints(&run);
        assert_eq!(listed.len(), MAX_CHECKPOINTS);
        assert_eq!(listed[..3], ["latest".to_owned(), "best".to_owned(), format!("epoch-{last}")]);
        let has = |name: &str| listed.iter().any(|listed| listed == name);
        assert_eq!(["epoch-9002", "epoch-9003", "epoch-9999", "latest.old"].map(has), [false, true, true, false]);
    }
}
