//! The folder of cache files: its location, its size limit, and which files are evicted first.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::atomic_file;
use crate::cache_folder::cache_folder;

/// Size limit of all cache files together (20 GiB).
const MAX_BYTES: u64 = 20 << 30;

/// Disk space that stays free (1 GiB).
const RESERVE_BYTES: u64 = 1 << 30;

/// Environment variable: `off` disables cache files, a path sets their folder.
const VARIABLE: &str = "FAUSSAIRE_CACHE";

/// The folder of cache files; `None` if they are disabled, and in tests.
pub fn folder() -> Option<PathBuf> {
    if cfg!(test) {
        return None;
    }
    match std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        Some(off) if off == "off" || off == "0" => None,
        Some(folder) => Some(folder.into()),
        None => cache_folder().map(|cache| cache.join("decoded")),
    }
}

/// Frees space in `folder` for `bytes` more by removing the least recently used files. False if the disk is too full.
pub(crate) fn make_room(folder: &Path, bytes: u64) -> bool {
    if bytes > MAX_BYTES || std::fs::create_dir_all(folder).is_err() {
        return false;
    }
    atomic_file::sweep(folder);
    let mut files = files(folder);
    files.sort();
    let mut total: u64 = files.iter().map(|(_, length, _)| length).sum();
    for (_, length, path) in files {
        if total + bytes <= MAX_BYTES {
            break;
        }
        if std::fs::remove_file(&path).is_ok() {
            total -= length;
        }
    }
    fs4::available_space(folder).is_ok_and(|free| free >= bytes.saturating_add(RESERVE_BYTES))
}

/// The complete cache files in a folder: last use, length, path.
fn files(folder: &Path) -> Vec<(SystemTime, u64, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let complete = entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "bytes"));
    let look = |path: PathBuf| {
        let about = std::fs::metadata(&path).ok()?;
        Some((about.modified().ok()?, about.len(), path))
    };
    complete.filter_map(look).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::time::Duration;

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let folder = crate::testing::folder();
        // Files with holes: they take no room on the disk.
        for (name, age, length) in [("old.bytes", 30, 9 << 30), ("new.bytes", 10, 8 << 30), ("other.txt", 90, 5 << 30)]
        {
            let file = File::create(folder.path().join(name)).unwrap();
            file.set_len(length).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
        }
        let here = |name: &str| folder.path().join(name).exists();
        make_room(folder.path(), 3 << 30);
        assert!(here("old.bytes") && here("new.bytes"));
        make_room(folder.path(), 4 << 30);
        assert!(!here("old.bytes") && here("new.bytes") && here("other.txt"));
        assert!(!make_room(folder.path(), MAX_BYTES + 1));
        assert!(!make_room(Path::new("/dev/null/x"), 1));
        assert_eq!(super::folder(), None, "tests leave the user's cache alone");
    }
}
