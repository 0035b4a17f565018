//! A comparison's folder and its plan: variants, seeds, length. The plan is saved as `comparison.json`, so that the
//! comparison can be continued after a kill, with more seeds, with more variants, or for longer.
//!
//! ```text
//!     comparisons/0001-ring/
//!       comparison.json       the plan
//!       recipes/wgan-gp.toml  each variant's recipe, every key resolved
//!       runs/wgan-gp-seed0/   one run folder per variant and seed, as those of `train`
//!       outcomes/             the outcome of each run: state, steps, seconds, scores
//!       logs/                 the output of each training
//!       table.md, table.csv, table.json, page.html
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::data::{open_plain_with, read_plain, write_file};
use crate::error::{Error, Result};
use crate::recipe::{Recipe, differences};
use crate::run::Run;

/// The folders inside.
const INNER: [&str; 4] = ["recipes", "runs", "outcomes", "logs"];
/// Size limit of a plan, in bytes.
const MAX_PLAN: u64 = 16 << 20;

/// One recipe among several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// Its display name: `wgan-gp batch=32`.
    pub name: String,
    /// The name as part of file names.
    pub slug: String,
    /// What it changes in its base recipe, as `key=value`.
    pub changes: Vec<String>,
    /// Why it can't be trained, if it can't.
    pub refused: Option<String>,
}

/// The length of each training. With all none, that of its recipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Length {
    /// Generator updates.
    pub steps: Option<u64>,
    /// Epochs.
    pub epochs: Option<u64>,
    /// Seconds.
    pub seconds: Option<f64>,
}

/// The plan of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What all variants have in common: `ring, preset ring`.
    pub title: String,
    /// The data set, if it replaces that of the recipes.
    pub dataset: Option<String>,
    /// The device of the computation.
    pub device: String,
    /// The recipes.
    pub variants: Vec<Variant>,
    /// The seeds; every recipe is trained with each of them.
    pub seeds: Vec<u64>,
    /// The length of each training.
    pub length: Length,
    /// Number of images of each run that are judged.
    pub samples: usize,
    /// Number of runs trained at the same time in the last execution of the plan.
    pub jobs: usize,
    /// Processor threads of each run.
    pub threads: usize,
}

/// One run of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Index of the variant in the plan.
    pub variant: usize,
    /// The seed.
    pub seed: u64,
    /// `wgan-gp-seed0`.
    pub name: String,
}

impl Plan {
    /// All runs: those of the first seed, then those of the second, and so on, so that a comparison that is stopped
    /// early still compares all variants.
    pub fn jobs(&self) -> Vec<Job> {
        let trained: Vec<_> = self.variants.iter().enumerate().filter(|(_, v)| v.refused.is_none()).collect();
        let job = |seed: u64, (variant, v): &(usize, &Variant)| {
            let name = format!("{}-seed{seed}", v.slug);
            Job { variant: *variant, seed, name }
        };
        self.seeds.iter().flat_map(|&seed| trained.iter().map(move |variant| job(seed, variant))).collect()
    }

    /// Adds the variant `name` with a unique file name.
    pub fn add(&mut self, name: &str, changes: Vec<String>, refused: Option<String>) {
        let mut slug = String::new();
        for c in name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }) {
            if !(c == '-' && (slug.is_empty() || slug.ends_with('-'))) {
                slug.push(c);
            }
        }
        let slug: String = slug.trim_matches('-').chars().take(60).collect();
        let slug = if slug.is_empty() { "variant".to_owned() } else { slug };
        let taken = |slug: &str| self.variants.iter().any(|v| v.slug == slug);
        let unique = (2..).map(|n| format!("{slug}-{n}")).find(|s| !taken(s));
        let slug = if taken(&slug) { unique.unwrap_or(slug) } else { slug };
        self.variants.push(Variant { name: name.into(), slug, changes, refused });
    }
}

/// A comparison's folder.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Opens the folder `path`, or creates it. A folder with other contents than a comparison is refused.
    ///
    /// # Errors
    /// A folder that can't be created, or has other contents.
    pub fn open(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).map_err(Error::io("create the folder", path))?;
        let folder = Self { path: path.into() };
        if !folder.file("comparison.json").is_file() && !folder.is_vacant()? {
            return Err(Error::run(
                format!("{} is not empty and has no comparison.json", path.display()),
                "choose a new folder, or that of a comparison to continue it",
            ));
        }
        for inner in INNER {
            let inner = folder.file(inner);
            fs::create_dir_all(&inner).map_err(Error::io("create the folder", &inner))?;
        }
        Ok(folder)
    }

    /// Whether the folder contains nothing but what a kill right after its creation may have left.
    fn is_vacant(&self) -> Result<bool> {
        for entry in fs::read_dir(&self.path).map_err(Error::io("read the folder", &self.path))? {
            let name = entry.map_err(Error::io("read the folder", &self.path))?.file_name();
            let name = name.to_string_lossy();
            if !INNER.contains(&name.as_ref()) && !name.ends_with(".part") {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Locks the comparison against other processes for the lifetime of the returned file.
    ///
    /// # Errors
    /// A comparison that another process has locked.
    pub fn lock(&self) -> Result<fs::File> {
        let path = self.file("runs/lock");
        let mut access = fs::File::options();
        let access = access.create(true).truncate(false).write(true);
        let file = open_plain_with(access, &path).map_err(Error::io("create", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(fs::TryLockError::WouldBlock) => Err(Error::run(
                format!("{} is being executed by another process", self.path.display()),
                "wait until it ends, or stop it with Ctrl-C",
            )),
            Err(fs::TryLockError::Error(e)) => Err(Error::io("lock", &path)(e)),
        }
    }

    /// Creates the next numbered folder under `root`: `0003-ring`.
    ///
    /// # Errors
    /// A folder that can't be created.
    pub fn numbered(root: &Path, label: &str) -> Result<Self> {
        fs::create_dir_all(root).map_err(Error::io("create the folder", root))?;
        let label: String = label.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).take(60).collect();
        let mut number = 1;
        for entry in fs::read_dir(root).map_err(Error::io("read the folder", root))? {
            let name = entry.map_err(Error::io("read the folder", root))?.file_name();
            let taken = name.to_string_lossy().split('-').next().and_then(|n| n.parse::<u32>().ok());
            number = number.max(taken.map_or(1, |taken| taken + 1));
        }
        loop {
            let path = root.join(format!("{number:04}-{}", label.trim_matches('-')));
            match fs::create_dir(&path) {
                Ok(()) => return Self::open(&path),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
                Err(e) => return Err(Error::io("create the folder", &path)(e)),
            }
        }
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The folder of a run.
    pub fn run(&self, job: &Job) -> PathBuf {
        self.path.join("runs").join(&job.name)
    }

    /// The recipe of a variant.
    pub fn recipe(&self, variant: &Variant) -> PathBuf {
        self.path.join("recipes").join(format!("{}.toml", variant.slug))
    }

    /// The saved plan, if there is one.
    ///
    /// # Errors
    /// A damaged file.
    pub fn plan(&self) -> Result<Option<Plan>> {
        let path = self.file("comparison.json");
        if !path.is_file() {
            return Ok(None);
        }
        let text = read_plain(&path, MAX_PLAN).map_err(Error::io("read", &path))?;
        let plan = serde_json::from_slice(&text).map_err(|e| {
            let hint = "remove it and repeat the whole command: finished runs are kept";
            Error::run(format!("{} can't be read: {e}", path.display()), hint)
        })?;
        Ok(Some(plan))
    }

    /// Saves the plan.
    ///
    /// # Errors
    /// A file that can't be written.
    pub fn save_plan(&self, plan: &Plan) -> Result<()> {
        self.write("comparison.json", &json(plan)?)
    }

    /// Saves the recipes of variants, all of them or none. A variant that was started with another recipe is refused:
    /// its runs would not be comparable.
    ///
    /// # Errors
    /// Such a variant, or a file that can't be written.
    pub fn save_recipes(&self, recipes: &[(&Variant, &Recipe)]) -> Result<()> {
        for (variant, recipe) in recipes {
            let path = self.recipe(variant);
            if !path.is_file() || !self.is_started(variant)? {
                continue;
            }
            let found = differences(&Recipe::read(&path, &[])?, recipe)?;
            if !found.is_empty() {
                let lines: Vec<String> = found.iter().map(|d| format!("\n  {d}")).collect();
                return Err(Error::usage(
                    format!("{} was started with another recipe:{}", variant.name, lines.concat()),
                    "compare in a new folder, or continue without these changes",
                ));
            }
        }
        for (variant, recipe) in recipes {
            let name = format!("recipes/{}.toml", variant.slug);
            self.write(&name, recipe.to_toml()?.as_bytes())?;
        }
        Ok(())
    }

    /// Whether any run of `variant` was started, with any seed.
    fn is_started(&self, variant: &Variant) -> Result<bool> {
        let runs = self.file("runs");
        let seed = |name: &str| {
            name.strip_prefix(&variant.slug)?.strip_prefix("-seed").map(|seed| seed.parse::<u64>().is_ok())
        };
        for entry in fs::read_dir(&runs).map_err(Error::io("read the folder", &runs))? {
            let name = entry.map_err(Error::io("read the folder", &runs))?.file_name();
            if seed(&name.to_string_lossy()) == Some(true) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes a file under a temporary name, then renames it.
    ///
    /// # Errors
    /// A file that can't be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        write_file(&self.file(name), bytes)
    }

    /// The run of `job`, if it was started.
    pub fn started_run(&self, job: &Job) -> Option<Run> {
        Run::open(&self.run(job)).ok()
    }
}

/// A value as JSON.
pub(super) fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec_pretty(value)
        .map_err(|e| Error::run(format!("a comparison can't be written as JSON: {e}"), "report this"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Preset;

    fn plan() -> Plan {
        let length = Length { steps: Some(9), ..Length::default() };
        Plan { title: "t".into(), seeds: vec![0, 1], length, samples: 50, ..Plan::default() }
    }

    #[test]
    fn jobs_go_seed_by_seed_and_names_differ() {
        let mut plan = plan();
        for (name, refused) in [("a b", None), ("a-b", None), ("bad", Some("no".to_owned())), ("{ }", None)] {
            plan.add(name, vec![], refused);
        }
        let names: Vec<String> = plan.jobs().into_iter().map(|job| job.name).collect();
        let seeds = |seed: u64| ["a-b", "a-b-2", "variant"].map(|slug| format!("{slug}-seed{seed}"));
        assert_eq!(names, [seeds(0), seeds(1)].concat());
    }

    #[test]
    fn folders_keep_their_plan_and_refuse_what_is_none() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::numbered(root.path(), "ring/x").unwrap();
        assert!(folder.path().ends_with("0001-ring-x") && folder.plan().unwrap().is_none());
        let mut plan = plan();
        plan.add("a", vec!["train.loss=hinge".into()], None);
        folder.save_plan(&plan).unwrap();
        assert_eq!(Folder::open(folder.path()).unwrap().plan().unwrap(), Some(plan.clone()));
        assert!(Folder::numbered(root.path(), "b").unwrap().path().ends_with("0002-b"));
        let read = |change: &str| Recipe::parse(Preset::Ring.text(), "ring", &[change.to_owned()]).unwrap();
        plan.add("b", vec![], None);
        let keep =
            |a: &str, b: &str| folder.save_recipes(&[(&plan.variants[1], &read(b)), (&plan.variants[0], &read(a))]);
        keep("train.steps=5", "train.steps=5").unwrap();
        keep("train.batch=3", "train.steps=5").unwrap();
        keep("train.steps=5", "train.steps=5").unwrap();
        std::fs::create_dir(folder.file("runs/a-seed7")).unwrap();
        keep("train.steps=9", "train.batch=9").unwrap();
        // Where one is refused, none is written.
        let error = keep("train.batch=7", "train.batch=8").unwrap_err();
        assert!(error.to_string().contains("a was started with another recipe:\n  train.batch: 64 -> 7"), "{error}");
        let kept = |at: usize| Recipe::read(&folder.recipe(&plan.variants[at]), &[]).unwrap().train;
        assert_eq!((kept(0).batch, kept(0).steps, kept(1).batch), (64, 9, 9));
        std::fs::write(folder.file("comparison.json"), "{").unwrap();
        assert!(folder.plan().unwrap_err().to_string().contains("can't be read"));
        std::fs::write(root.path().join("other"), "x").unwrap();
        assert!(Folder::open(root.path()).unwrap_err().to_string().contains("no comparison.json"));
    }
}
