//! CelebA (Liu, Luo, Wang, Tang, "Deep learning face attributes in the wild", 2015): aligned faces with 40 binary
//! attributes. Its licence forbids redistribution, so it is never fetched: its two files are installed manually.

use std::path::{Path, PathBuf};

use super::attributes;

/// Name of its folder in a data folder.
pub const FOLDER: &str = "celeba";

/// The published files.
pub(crate) const FILES: [&str; 2] = ["img_align_celeba.zip", "list_attr_celeba.txt"];

/// The images (an archive or a folder) and the attribute table in a data folder, if both exist.
pub fn find(data_folder: &Path) -> Option<(PathBuf, PathBuf)> {
    [data_folder.join(FOLDER), data_folder.to_path_buf()].iter().find_map(|folder| {
        let images = images_in(folder)?;
        let tables = attributes::tables(folder).ok()?;
        let table = tables.into_iter().find(|table| attributes::has_celebas_name(table))?;
        Some((images, table))
    })
}

/// The images under their published name, as an archive or unpacked; else an archive with the set's name.
fn images_in(folder: &Path) -> Option<PathBuf> {
    let (archive, unpacked) = (folder.join(FILES[0]), folder.join("img_align_celeba"));
    if archive.is_file() {
        return Some(archive);
    }
    if unpacked.is_dir() {
        return Some(unpacked);
    }
    let paths = std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let named = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        name.contains("celeba") && name.ends_with(".zip")
    };
    let mut found: Vec<PathBuf> = paths.filter(named).collect();
    found.sort();
    found.into_iter().next()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn both_files_must_be_here() {
        let data = tempfile::tempdir().unwrap();
        let data_folder = data.path();
        let folder = data_folder.join("celeba");
        std::fs::create_dir(&folder).unwrap();
        let small = folder.join("celeba_64x64.zip");
        std::fs::write(&small, "zip").unwrap();
        assert_eq!(find(data_folder), None, "the table is missing");
        let table = folder.join("list_attr_celeba_first10000.csv");
        std::fs::write(&table, "image_id,A,B\n000001.jpg,1,-1\n").unwrap();
        assert_eq!(find(data_folder), Some((small.clone(), table.clone())));
        assert_eq!(find(&folder), Some((small, table.clone())), "the set's own folder was given");
        for better in ["img_align_celeba", "img_align_celeba.zip"] {
            if better.ends_with("zip") {
                std::fs::write(folder.join(better), "zip").unwrap();
            } else {
                std::fs::create_dir(folder.join(better)).unwrap();
            }
            assert_eq!(find(data_folder), Some((folder.join(better), table.clone())));
        }
    }
}
