//! The published archive of CIFAR-10, and the names of its files on disk.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Archive, Version, archive, batches, in_folder};
use crate::fetch::Remote;
use crate::open_options::Split;

/// The published archive.
pub(crate) const ARCHIVE: &str = "cifar-10-binary.tar.gz";

/// Training images in it.
pub const IMAGES: usize = 50_000;

/// Its size in bytes.
const BYTES: u64 = 170_052_171;

const ADDRESS: &str = "https://www.cs.toronto.edu/~kriz/";

/// Name of its folder in a data folder and in a mirror.
pub const FOLDER: &str = "cifar10";

/// The folder that the archive unpacks to.
const UNPACKED: &str = "cifar-10-batches-bin";

/// The files of `split` in a data folder: a folder of batches, or an archive.
pub fn find(data_folder: &Path, split: Split) -> Option<PathBuf> {
    let own = data_folder.join(FOLDER);
    let folders = [own.join(UNPACKED), own.clone(), data_folder.join(UNPACKED)];
    let unpacked = folders.into_iter().find(|folder| in_folder(folder, split));
    unpacked.or_else(|| [own, data_folder.to_path_buf()].iter().find_map(|folder| archive_in(folder)))
}

/// Number of training images in the result of `find`, judged by size; `None` for an incomplete archive.
pub fn count(found: &Path) -> Option<usize> {
    let length = |path: &Path| std::fs::metadata(path).map(|about| about.len()).ok();
    if found.is_file() {
        return (length(found)? == BYTES).then_some(IMAGES);
    }
    let lengths = batches(found, Version::Ten, Split::Train).ok()?.into_iter().map(|path| length(&path));
    Some(lengths.sum::<Option<u64>>()? as usize / Version::Ten.row())
}

/// The archive, or a part of it, by name.
fn archive_in(folder: &Path) -> Option<PathBuf> {
    let usual =
        |name: &str| name.starts_with("cifar-10-binary") && (name.ends_with(".tar.gz") || name.ends_with(".tar"));
    let paths = std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut found: Vec<PathBuf> =
        paths.filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(usual)).collect();
    found.sort();
    found.into_iter().find(|path| archive(path) == Some(Archive::Binary(Version::Ten)))
}

/// The download of the archive.
pub(crate) fn remote(mirror: Option<&str>) -> Remote {
    let base = mirror.map_or(ADDRESS.to_owned(), |mirror| format!("{mirror}/{FOLDER}/"));
    Remote {
        url: format!("{base}{ARCHIVE}"),
        bytes: Some(BYTES),
        max_bytes: BYTES,
        sha256: Some("c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd".to_owned()),
        inspect: |_| Ok(()),
        timeout: Duration::from_secs(30),
        token: None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::testing::{gzip, tar};

    #[test]
    fn batches_and_archives_are_found_under_the_usual_names() {
        let data = crate::testing::folder();
        let data_folder = data.path();
        let row = vec![1; 3073];
        assert_eq!(find(data_folder, Split::Train), None);
        let archive = data_folder.join("cifar-10-binary-subset.tar.gz");
        std::fs::write(&archive, gzip(b"no archive")).unwrap();
        assert_eq!(find(data_folder, Split::Train), None, "what it holds counts");
        std::fs::write(&archive, gzip(&tar(&[("x/data_batch_1.bin", &row)]))).unwrap();
        assert_eq!(find(data_folder, Split::Train), Some(archive.clone()));
        for folder in ["cifar-10-batches-bin", "cifar10", "cifar10/cifar-10-batches-bin"] {
            let folder = data_folder.join(folder);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("test_batch.bin"), &row).unwrap();
            assert_eq!(
                (find(data_folder, Split::Test), find(data_folder, Split::Train)),
                (Some(folder), Some(archive.clone()))
            );
        }
        std::fs::write(data_folder.join("cifar10/data_batch_1.bin"), row.repeat(3)).unwrap();
        assert_eq!((count(&data_folder.join("cifar10")), count(&archive)), (Some(3), None));
        assert_eq!(remote(Some("http://here")).url, "http://here/cifar10/cifar-10-binary.tar.gz");
    }
}
