//! Run folders: numbered, created once, locked while a training writes to them.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::checkpoint;
use crate::data::{open_plain_with, read_plain, write_file};
use crate::error::{Error, Result};
use crate::recipe::{PrecisionChoice, Recipe};

/// How often a lock that is taken is tried again, and after which time.
const LOCK_RETRIES: u32 = 5;
const LOCK_RETRY_DELAY: Duration = Duration::from_millis(20);

/// Size limit of a recipe, in bytes.
const MAX_RECIPE: u64 = 16 << 20;

/// The file for the output of a training's process; it may be in the folder before the run is created.
pub const TRAINING_LOG: &str = "training.log";

/// A run folder.
#[derive(Clone, Debug)]
pub struct Run {
    path: PathBuf,
}

impl Run {
    /// Creates the next numbered folder under `root`: `0007-mnist-tp`.
    ///
    /// # Errors
    /// A folder that can't be created or written to.
    pub(crate) fn create_numbered(root: &Path, label: &str, recipe: &Recipe) -> Result<Self> {
        Self { path: Self::reserve(root, label)? }.initialised(recipe)
    }

    /// Creates the next numbered folder under `root` and leaves it empty, for [`Self::create_at`].
    ///
    /// # Errors
    /// A folder that can't be created.
    pub fn reserve(root: &Path, label: &str) -> Result<PathBuf> {
        fs::create_dir_all(root).map_err(Error::io("create the folder", root))?;
        let tidy: String = label.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).take(60).collect();
        let mut number = numbered(root)?.last().map_or(1, |(n, _)| n + 1);
        loop {
            let path = root.join(format!("{number:04}-{}", tidy.trim_matches('-')));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(path),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
                Err(e) => return Err(Error::io("create the folder", &path)(e)),
            }
        }
    }

    /// Creates the folder `path`, which must not exist or be empty.
    ///
    /// # Errors
    /// A folder that is not empty, or can't be created or written to.
    pub fn create_at(path: &Path, recipe: &Recipe) -> Result<Self> {
        fs::create_dir_all(path).map_err(Error::io("create the folder", path))?;
        if !is_vacant(path)? {
            return Err(Error::run(
                format!("{} is not empty, expected a new folder for the run", path.display()),
                "choose another folder (`Trainer::at`), or resume the run in it (`Trainer::resume`)",
            ));
        }
        Self { path: path.into() }.initialised(recipe)
    }

    /// An existing run.
    ///
    /// # Errors
    /// A folder that is not a run.
    pub fn open(path: &Path) -> Result<Self> {
        if !path.join("config.toml").is_file() {
            let what = match path.exists() {
                true => format!("{} is not a run: it has no config.toml", path.display()),
                false => format!("there is no run {}", path.display()),
            };
            return Err(Error::run(
                what,
                "expected a run folder, such as runs/0001-strokes-quick; `faussaire train` creates one",
            ));
        }
        Ok(Self { path: path.into() })
    }

    /// The run with the highest number under `root`.
    ///
    /// # Errors
    /// A folder without runs.
    pub fn newest(root: &Path) -> Result<Self> {
        let runs = if root.is_dir() { numbered(root)? } else { Vec::new() };
        let newest = runs.into_iter().rev().find(|(_, path)| path.join("config.toml").is_file());
        match newest {
            Some((_, path)) => Ok(Self { path }),
            None => Err(Error::run(
                format!("there is no run under {}", root.display()),
                "start one, or name its folder (`Trainer::resume`)",
            )),
        }
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its recipe, with `changes` applied. A recipe without a precision is that of an older program, which trained in
    /// f32.
    ///
    /// # Errors
    /// A damaged config.toml, or invalid changes.
    pub fn recipe(&self, changes: &[String]) -> Result<Recipe> {
        let recipe = Recipe::read_plain(&self.path.join("config.toml"))?;
        let f32 = (recipe.train.precision == PrecisionChoice::Auto).then(|| "train.precision=f32".to_owned());
        let changes: Vec<String> = f32.into_iter().chain(changes.iter().cloned()).collect();
        if changes.is_empty() { Ok(recipe) } else { recipe.changed(&changes) }
    }

    /// The recipe that it began with, before it was healed.
    ///
    /// # Errors
    /// As [`Self::recipe`].
    pub fn first_recipe(&self) -> Result<Recipe> {
        let first = self.path.join("config.first.toml");
        if first.exists() { Recipe::read_plain(&first) } else { self.recipe(&[]) }
    }

    /// The folder of the checkpoint called `name`: `latest`, `best`, or a permanent one such as `epoch-0010`.
    pub fn checkpoint(&self, name: &str) -> PathBuf {
        self.path.join("checkpoints").join(name)
    }

    /// The checkpoints that there are.
    ///
    /// # Errors
    /// Where the folder can't be read.
    pub fn checkpoint_names(&self) -> Result<Vec<String>> {
        let folder = self.path.join("checkpoints");
        let mut names = Vec::new();
        for entry in fs::read_dir(&folder).map_err(Error::io("read the folder", &folder))? {
            let entry = entry.map_err(Error::io("read the folder", &folder))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if checkpoint::is_whole(&entry.path()) && !checkpoint::is_beside(&name) {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Locks the folder against other trainings for the lifetime of the returned file.
    ///
    /// # Errors
    /// A folder that another training has locked.
    pub fn lock(&self) -> Result<File> {
        let path = self.path.join("lock");
        let mut access = OpenOptions::new();
        let access = access.create(true).truncate(false).write(true);
        let file = open_plain_with(access, &path).map_err(Error::io("create", &path))?;
        // `is_training` takes the lock for a moment.
        for _ in 0..LOCK_RETRIES {
            match file.try_lock() {
                Ok(()) => {
                    self.clear_stop()?;
                    return Ok(file);
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_RETRY_DELAY),
                Err(TryLockError::Error(e)) => return Err(Error::io("lock", &path)(e)),
            }
        }
        Err(Error::run(
            format!("{} is being trained by another process", self.path.display()),
            "wait until it ends, or stop it with Ctrl-C or in the studio",
        ))
    }

    /// Writes the recipe of a new or resumed run.
    ///
    /// # Errors
    /// A file that can't be written.
    pub(crate) fn write_recipe(&self, recipe: &Recipe) -> Result<()> {
        write_file(&self.path.join("config.toml"), recipe.to_toml()?.as_bytes())
    }

    /// Saves the recipe that the run began with as config.first.toml, before it is replaced.
    ///
    /// # Errors
    /// A file that can't be written.
    pub(crate) fn save_first_recipe(&self) -> Result<()> {
        let (current, first) = (self.path.join("config.toml"), self.path.join("config.first.toml"));
        if first.exists() {
            return Ok(());
        }
        let text = read_plain(&current, MAX_RECIPE).map_err(Error::io("read", &current))?;
        write_file(&first, &text)
    }

    /// Removes the checkpoint called `name`, if it exists.
    ///
    /// # Errors
    /// A folder that can't be removed.
    pub(crate) fn remove_checkpoint(&self, name: &str) -> Result<()> {
        let path = self.checkpoint(name);
        if path.exists() { fs::remove_dir_all(&path).map_err(Error::io("remove", &path)) } else { Ok(()) }
    }

    fn initialised(self, recipe: &Recipe) -> Result<Self> {
        for folder in ["samples", "checkpoints"] {
            let path = self.path.join(folder);
            fs::create_dir_all(&path).map_err(Error::io("create the folder", &path))?;
        }
        self.write_recipe(recipe)?;
        Ok(self)
    }
}

/// Whether `path` contains nothing but the training's output and files that a kill right after its creation may have
/// left.
fn is_vacant(path: &Path) -> Result<bool> {
    for entry in fs::read_dir(path).map_err(Error::io("read the folder", path))? {
        let name = entry.map_err(Error::io("read the folder", path))?.file_name();
        let unfinished = Path::new(&name).extension().is_some_and(|e| e == "part");
        if !unfinished && !["samples", "checkpoints", TRAINING_LOG].iter().any(|known| name == *known) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Folders under `root` that begin with a number, in order.
fn numbered(root: &Path) -> Result<Vec<(u32, PathBuf)>> {
    let mut runs = Vec::new();
    for entry in fs::read_dir(root).map_err(Error::io("read the folder", root))? {
        let entry = entry.map_err(Error::io("read the folder", root))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let number = name.split('-').next().and_then(|n| n.parse().ok());
        if let Some(number) = number.filter(|_| entry.path().is_dir()) {
            runs.push((number, entry.path()));
        }
    }
    runs.sort();
    Ok(runs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Preset;

    #[test]
    fn numbers_grow_and_the_newest_is_found() {
        let root = tempfile::tempdir().unwrap();
        let recipe = Recipe::parse(Preset::Tp.text(), "tp", &["train.precision=f32".to_owned()]).unwrap();
        assert!(Run::newest(root.path()).unwrap_err().to_string().contains("no run under"));
        let first = Run::create_numbered(root.path(), "mnist-tp", &recipe).unwrap();
        assert!(first.path().ends_with("0001-mnist-tp"));
        let second = Run::create_numbered(root.path(), "../a b", &recipe).unwrap();
        assert!(second.path().ends_with("0002-a-b"), "{:?}", second.path());
        assert_eq!(Run::newest(root.path()).unwrap().path(), second.path());
        assert_eq!(second.recipe(&[]).unwrap(), recipe);
        // A run of a program without a choice of precision.
        let undecided = Recipe::parse(Preset::Tp.text(), "tp", &[]).unwrap();
        let old = Run::create_numbered(root.path(), "old", &undecided).unwrap();
        assert_eq!(old.recipe(&[]).unwrap(), recipe);
    }

    #[test]
    fn a_run_is_locked_and_never_overwritten() {
        let root = tempfile::tempdir().unwrap();
        let recipe = Recipe::parse(Preset::Tp.text(), "tp", &[]).unwrap();
        let run = Run::create_at(&root.path().join("mine"), &recipe).unwrap();
        let lock = run.lock().unwrap();
        assert!(run.lock().unwrap_err().to_string().contains("another process"));
        drop(lock);
        run.lock().unwrap();
        assert!(Run::create_at(run.path(), &recipe).unwrap_err().to_string().contains("not empty"));
        assert!(Run::open(root.path()).unwrap_err().to_string().contains("no config.toml"));
    }
}
