//! The files of a part among the parquet files of a folder. Parts are told by the names of files
//! (`data/train-00000-of-00002.parquet`) or folders (`default/train/0000.parquet`); other folders are configurations, of which
//! there may be one.

use std::path::{Path, PathBuf};

use super::holds_images;
use crate::error::{Error, Result};
use crate::open_options::Split;
use crate::parts::{Part, part_of};

/// Depth of the folders that are searched, and the number of other files and folders after which the search ends: folders of
/// images may be large.
const MAX_DEPTH: usize = 4;
const MAX_OTHERS: usize = 20_000;

/// The files of a part.
#[derive(Debug, Default)]
pub struct Shards {
    /// By name.
    pub files: Vec<PathBuf>,
    /// Those of other parts.
    pub others: Vec<PathBuf>,
    /// What is left aside.
    pub note: Option<String>,
}

impl Shards {
    /// A file that is the whole set.
    pub fn one(file: PathBuf) -> Self {
        Self { files: vec![file], ..Self::default() }
    }
}

/// A file in a folder.
struct Shard {
    path: PathBuf,
    part: Option<Part>,
    /// Its folders, without those that name the part, and without `data`.
    config: String,
}

impl Shard {
    fn new(root: &Path, path: PathBuf) -> Self {
        let inside = path.strip_prefix(root).unwrap_or(&path).to_path_buf();
        let folders: Vec<String> = inside
            .parent()
            .into_iter()
            .flat_map(Path::components)
            .map(|folder| folder.as_os_str().to_string_lossy().into_owned())
            .collect();
        let own = part_of(&inside.file_stem().unwrap_or_default().to_string_lossy());
        let part = own.or_else(|| folders.iter().rev().find_map(|folder| part_of(folder)));
        let is_config = |folder: &&String| part_of(folder).is_none() && *folder != "data";
        let config = folders.iter().filter(is_config).map(String::as_str).collect::<Vec<_>>().join("/");
        Self { path, part, config }
    }
}

/// The files of `split` in `folder`: training files are those of this part, else all that are of none; test files those of the test
/// part, else those of the validation part.
///
/// # Errors
/// The folder can't be read, there is no such file, or there are several configurations.
pub fn of(folder: &Path, split: Split) -> Result<Shards> {
    let shards: Vec<Shard> = files(folder)?.into_iter().map(|path| Shard::new(folder, path)).collect();
    one_config(folder, &shards)?;
    let has = |part: Option<Part>| shards.iter().any(|shard| shard.part == part);
    let choices = match split {
        Split::Train => [Some(Part::Train), None],
        Split::Test => [Some(Part::Test), Some(Part::Validation)],
    };
    let Some(chosen) = choices.into_iter().find(|part| has(*part)) else {
        let (what, hint) = (
            format!("{} has no parquet files with {} images", folder.display(), split.describe()),
            "expected names that begin with train or test, such as train-00000-of-00002.parquet",
        );
        return Err(match split {
            Split::Train => Error::usage(what, hint),
            Split::Test => Error::NoTestImages { what, hint: hint.into() },
        });
    };
    let aside =
        shards.iter().filter(|shard| matches!(shard.part, None | Some(Part::Unlabelled)) && shard.part != chosen);
    let aside: Vec<String> = aside.map(|shard| name(&shard.path)).collect();
    let note = aside.first().map(|first| match aside.len() {
        1 => format!("1 parquet file is left aside: {first}"),
        count => format!("{count} parquet files are left aside, {first} for one"),
    });
    let (files, others): (Vec<Shard>, Vec<Shard>) = shards.into_iter().partition(|shard| shard.part == chosen);
    let paths = |shards: Vec<Shard>| shards.into_iter().map(|shard| shard.path).collect();
    Ok(Shards { files: paths(files), others: paths(others), note: note.filter(|_| split == Split::Train) })
}

/// Refuses several configurations.
fn one_config(folder: &Path, shards: &[Shard]) -> Result<()> {
    let mut configs: Vec<&str> = shards.iter().map(|shard| shard.config.as_str()).collect();
    configs.sort_unstable();
    configs.dedup();
    match configs[..] {
        [] | [_] => Ok(()),
        [first, ..] => {
            let shown = |config: &&str| if config.is_empty() { ".".to_owned() } else { (*config).to_owned() };
            let listed: Vec<String> = configs.iter().take(20).map(shown).collect();
            let more = if configs.len() > listed.len() { ", ..." } else { "" };
            let first = if first.is_empty() { configs[1] } else { first };
            Err(Error::data(
                format!(
                    "{} holds {} sets of parquet files: {}{more}",
                    folder.display(),
                    configs.len(),
                    listed.join(", ")
                ),
                format!("name one of them: {}", folder.join(first).display()),
            ))
        }
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The parquet files in a folder and its subfolders, sorted. Where some hold images, those that hold none (lists of addresses) are
/// left out.
///
/// # Errors
/// Where a folder can't be read.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    search(folder, MAX_DEPTH, &mut MAX_OTHERS.clone(), &mut found)?;
    found.sort();
    if found.len() > 1 {
        let with: Vec<PathBuf> = found.iter().filter(|file| holds_images(file)).cloned().collect();
        if !with.is_empty() {
            return Ok(with);
        }
    }
    Ok(found)
}

fn search(folder: &Path, depth: usize, left: &mut usize, found: &mut Vec<PathBuf>) -> Result<()> {
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Error::io("read", folder))? {
        let entry = entry.map_err(Error::io("read", folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".parquet") && !name.starts_with('.') && entry.path().is_file() {
            found.push(entry.path());
            continue;
        }
        *left = left.saturating_sub(1);
        if *left == 0 {
            return Ok(());
        }
        if !name.starts_with('.') && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            folders.push(entry.path());
        }
    }
    if depth > 0 {
        // A subfolder that may not be read holds none of the set.
        folders.iter().for_each(|folder| drop(search(folder, depth - 1, left, found)));
    }
    Ok(())
}
