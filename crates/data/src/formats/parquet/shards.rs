//! The files of a part among the parquet files of a folder. Parts are told by the names of files
//! (`data/train-00000-of-00002.parquet`) or folders (`default/train/0000.parquet`); other folders are configurations, of which
//! there may be one.

use std::path::{Path, PathBuf};

use super::{holds_images, images_in};
use crate::error::{Error, Result};
use crate::open_options::Split;
use crate::parts::{Holdings, Part, choose, describe, divide};

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
    /// The parts, and what is left aside.
    pub notes: Vec<String>,
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
    /// `None`: left aside.
    part: Option<Part>,
    /// Its folders, without those that name the part, and without `data`.
    config: String,
}

/// The parquet files in a folder, divided as image files are; and what the set has of each part.
fn divided(root: &Path) -> Result<(Vec<Shard>, Holdings)> {
    let paths = files(root)?;
    // A file counts as a folder of images.
    let name = |path: &PathBuf| {
        let inside = path.strip_prefix(root).unwrap_or(path);
        let parts: Vec<_> = inside.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        format!("{}/", parts.join("/"))
    };
    let names: Vec<String> = paths.iter().map(name).collect();
    let division = divide(names.iter().map(String::as_str));
    let mut holdings = division.holdings();
    holdings.values_mut().for_each(|holding| holding.files = 0);
    let shards: Vec<Shard> = paths
        .into_iter()
        .enumerate()
        .map(|(at, path)| {
            let part = division.part(at);
            holdings.entry(part).or_default().files += images_in(&path);
            let is_config = |folder: &&str| *folder != "data" && names[at].contains(&format!("{folder}/"));
            let kept = division.kept(at, &names[at]);
            let folders = kept.split('/').filter(|folder| !folder.is_empty() && !folder.ends_with(".parquet"));
            Shard { path, part, config: folders.filter(is_config).collect::<Vec<_>>().join("/") }
        })
        .collect();
    Ok((shards, holdings))
}

/// The files of `split` in `folder`; test files are those of the test part, else those of the validation part.
///
/// # Errors
/// The folder can't be read, there is no such file, or there are several configurations.
pub fn of(folder: &Path, split: Split) -> Result<Shards> {
    let (shards, mut holdings) = divided(folder)?;
    one_config(folder, &shards)?;
    let Some(chosen) = choose(&holdings, split) else {
        let (what, hint) = (
            format!("{} has no parquet files with {} images", folder.display(), split.describe()),
            "expected names that begin with train or test, such as train-00000-of-00002.parquet",
        );
        return Err(match split {
            Split::Train => Error::usage(what, hint),
            Split::Test => Error::NoTestImages { what, hint: hint.into() },
        });
    };
    let mut notes: Vec<String> = Vec::new();
    if split == Split::Train {
        notes.extend(describe(&holdings, None));
        let aside = holdings.remove(&None);
        notes.extend(aside.map(|held| format!("left aside: {} in no part of the set", held.describe_files())));
    }
    let (files, others): (Vec<Shard>, Vec<Shard>) = shards.into_iter().partition(|shard| shard.part == Some(chosen));
    let paths = |shards: Vec<Shard>| shards.into_iter().map(|shard| shard.path).collect();
    Ok(Shards { files: paths(files), others: paths(others), notes })
}

/// Refuses several configurations.
fn one_config(folder: &Path, shards: &[Shard]) -> Result<()> {
    let mut configs: Vec<&str> =
        shards.iter().filter(|shard| shard.part.is_some()).map(|shard| shard.config.as_str()).collect();
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
