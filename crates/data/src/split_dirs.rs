//! Folders with subfolders for the splits, as in most published data sets: `train/`, `test/` or `val/`. These names are splits,
//! not classes.

use std::path::{Path, PathBuf};

use super::open_options::Split;
use crate::error::{Error, Result};

/// Names of the folder of training images.
const TRAIN: [&str; 2] = ["train", "training"];

/// Names of the folder of test images; the first one found is used.
const TEST: [&str; 6] = ["test", "testing", "val", "valid", "validation", "dev"];

/// The folder with the images of `split`: `root` itself if it has no splits; `None` if it has splits but not this one.
///
/// # Errors
/// The folder can't be read.
pub(super) fn split_dir(root: &Path, split: Split) -> Result<Option<PathBuf>> {
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(root).map_err(Error::io("read", root))? {
        let entry = entry.map_err(Error::io("read", root))?;
        let name = entry.file_name().to_string_lossy().to_lowercase();
        if name.starts_with('.') || name == "__macosx" {
            continue;
        }
        if entry.path().is_dir() {
            folders.push((name, entry.path()));
        } else if crate::formats::archive::is_image(&name) {
            return Ok(Some(root.to_path_buf()));
        }
    }
    let find = |names: &[&str]| {
        let found = names.iter().find_map(|name| folders.iter().find(|(folder, _)| folder == name));
        found.map(|(_, path)| path.clone())
    };
    let is_split_name = |(name, _): &(String, PathBuf)| TRAIN.iter().chain(&TEST).any(|known| known == name);
    // A class may also be called "test"; then it is not a split.
    if folders.len() < 2 || !folders.iter().all(is_split_name) || find(&TRAIN).is_none() {
        return Ok(Some(root.to_path_buf()));
    }
    Ok(match split {
        Split::Train => find(&TRAIN),
        Split::Test => find(&TEST),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{OpenOptions, open};

    #[test]
    fn splits_are_not_classes() {
        let root = tempfile::tempdir().unwrap();
        let put = |name: &str, side: u32| {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            image::GrayImage::new(side, side).save(path).unwrap();
        };
        let part = |split| split_dir(root.path(), split).unwrap();
        put("Train/cat/a.png", 5);
        put("Train/dog/b.png", 5);
        assert_eq!(part(Split::Train).unwrap(), root.path(), "one folder alone is not a split");
        put("val/cat/c.png", 6);
        assert_eq!(part(Split::Test).unwrap(), root.path().join("val"));
        put("test/dog/d.png", 7);
        let set = |split| {
            let options = OpenOptions { split, ..OpenOptions::default() };
            open(root.path().to_str().unwrap(), &options, &mut |_| ()).unwrap()
        };
        let (train, test) = (set(Split::Train), set(Split::Test));
        assert_eq!((train.len(), train.classes(), train.shape().height), (2, vec!["cat".into(), "dog".into()], 5));
        assert_eq!((test.len(), test.shape().height), (1, 7));
        // With another folder next to them they are classes.
        put("horse/e.png", 5);
        assert_eq!(part(Split::Test).unwrap(), root.path());
        assert_eq!(set(Split::Train).classes().len(), 4);
    }
}
