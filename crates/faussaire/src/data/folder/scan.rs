//! The images below a folder: which files they are, and which classes their subfolders make.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// True where a folder holds an image.
pub fn has_images(root: &Path) -> Result<bool> {
    Ok(!scan(root, 1)?.is_empty())
}

/// Up to `limit` image files below `root` with their lengths, relative to it and sorted. Hidden files and folders are
/// passed over, and folders that links lead to a second time.
pub fn scan(root: &Path, limit: usize) -> Result<Vec<(PathBuf, u64)>> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut open = vec![PathBuf::new()];
    while let Some(below) = open.pop() {
        let folder = root.join(&below);
        if !seen.insert(folder.canonicalize().map_err(Error::io("read", &folder))?) {
            continue;
        }
        for entry in std::fs::read_dir(&folder).map_err(Error::io("read", &folder))? {
            let name = entry.map_err(Error::io("read", &folder))?.file_name();
            if name.to_string_lossy().starts_with('.') {
                continue;
            }
            // A link that leads nowhere is not an image.
            let Ok(about) = std::fs::metadata(folder.join(&name)) else {
                continue;
            };
            if about.is_dir() {
                open.push(below.join(name));
            } else if is_image(Path::new(&name)) {
                found.push((below.join(name), about.len()));
                if found.len() >= limit {
                    return Ok(found);
                }
            }
        }
    }
    found.sort();
    Ok(found)
}

fn is_image(name: &Path) -> bool {
    let extension = name.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    ["png", "jpg", "jpeg"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// Labels from the first folder on each file's way, where there are two or more and no image lies outside them.
/// Folders that are named by numbers are sorted as numbers.
pub fn classes(files: &[PathBuf]) -> (Option<Vec<u32>>, Vec<String>) {
    let class = |file: &PathBuf| match file.components().collect::<Vec<_>>()[..] {
        [folder, _, ..] => Some(folder.as_os_str().to_string_lossy().into_owned()),
        _ => None,
    };
    let Some(of_each) = files.iter().map(class).collect::<Option<Vec<String>>>() else {
        return (None, Vec::new());
    };
    let mut names: Vec<String> = of_each.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
    if names.len() < 2 {
        return (None, Vec::new());
    }
    if names.iter().all(|name| name.parse::<u64>().is_ok()) {
        names.sort_by_key(|name| name.parse::<u64>().unwrap_or(u64::MAX));
    }
    let rank: HashMap<&str, u32> = names.iter().map(String::as_str).zip(0..).collect();
    let labels = of_each.iter().map(|name| rank[name.as_str()]).collect();
    (Some(labels), names)
}

/// A relative path with `/` between its parts on every system, so that a run may move between them.
pub fn portable(file: &Path) -> String {
    let parts: Vec<_> = file.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn put(root: &Path, names: &[&str]) {
        for name in names {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "12345").unwrap();
        }
    }

    #[test]
    fn images_are_listed_in_order_with_their_lengths() {
        let root = tempfile::tempdir().unwrap();
        assert!(!has_images(root.path()).unwrap());
        put(root.path(), &["b.JPG", "a/z.png", "a/.b.png", ".c/d.png", "notes.txt", "c.jpeg"]);
        let listed = scan(root.path(), usize::MAX).unwrap();
        let listed: Vec<_> = listed.iter().map(|(file, length)| (portable(file), *length)).collect();
        assert_eq!(listed, [("a/z.png".to_owned(), 5), ("b.JPG".to_owned(), 5), ("c.jpeg".to_owned(), 5)]);
        assert!(has_images(root.path()).unwrap());
        assert!(scan(&root.path().join("missing"), 1).is_err());
    }

    #[test]
    fn classes_need_two_folders_and_no_stray() {
        let of = |files: &[&str]| classes(&files.iter().map(PathBuf::from).collect::<Vec<_>>());
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        assert_eq!(of(&["10/a", "9/b", "9/c/d"]), (Some(vec![1, 0, 0]), names(&["9", "10"])));
        assert_eq!(of(&["cat/a", "10/b"]), (Some(vec![1, 0]), names(&["10", "cat"])));
        assert_eq!(of(&["cat/a", "cat/b"]), (None, names(&[])));
        assert_eq!(of(&["cat/a", "dog/b", "c"]), (None, names(&[])));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_back_ends() {
        let root = tempfile::tempdir().unwrap();
        put(root.path(), &["x/a.png"]);
        std::os::unix::fs::symlink(root.path(), root.path().join("x/loop")).unwrap();
        assert_eq!(scan(root.path(), usize::MAX).unwrap().len(), 1);
    }
}
