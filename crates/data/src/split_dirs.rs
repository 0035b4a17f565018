//! Folders of images that keep those to learn from and those held back apart, as most published ones do: `train/`, `test/`,
//! perhaps `val/`. Their names are parts of the set then, not classes.

use std::path::{Path, PathBuf};

use super::open_options::Split;
use crate::error::{Error, Result};

/// What the folder of training images is called.
const TRAIN: [&str; 2] = ["train", "training"];

/// What folders of images held back are called, the first one found being taken.
const TEST: [&str; 6] = ["test", "testing", "val", "valid", "validation", "dev"];

/// The folder of `root` that has the images of `split`: `root` itself where it isn't divided, nothing where it is but has no
/// such part.
///
/// # Errors
/// Where the folder can't be read.
pub(super) fn part_of(root: &Path, split: Split) -> Result<Option<PathBuf>> {
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
    let known = |(name, _): &(String, PathBuf)| TRAIN.iter().chain(&TEST).any(|known| known == name);
    // A class may well be called "test" among others; then it is no part.
    if folders.len() < 2 || !folders.iter().all(known) || find(&TRAIN).is_none() {
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
    fn parts_are_not_classes() {
        let root = tempfile::tempdir().unwrap();
        let put = |name: &str, side: u32| {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            image::GrayImage::new(side, side).save(path).unwrap();
        };
        let part = |split| part_of(root.path(), split).unwrap();
        put("Train/cat/a.png", 5);
        put("Train/dog/b.png", 5);
        assert_eq!(part(Split::Train).unwrap(), root.path(), "one folder alone is no division");
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
        // With another folder beside them they are classes.
        put("horse/e.png", 5);
        assert_eq!(part(Split::Test).unwrap(), root.path());
        assert_eq!(set(Split::Train).classes().len(), 4);
    }
}
