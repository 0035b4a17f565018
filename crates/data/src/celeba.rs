//! CelebA (Liu, Luo, Wang, Tang, "Deep learning face attributes in the wild", 2015): aligned faces with 40 binary
//! attributes. Its licence forbids redistribution, so it is never fetched: its two files are installed manually.

use std::path::{Path, PathBuf};

use super::attributes;
use super::image_files;

/// Name of its folder in a data folder.
pub const FOLDER: &str = "celeba";

/// The published files.
pub(crate) const FILES: [&str; 2] = ["img_align_celeba.zip", "list_attr_celeba.txt"];

/// Its files on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// An archive or a folder.
    pub images: PathBuf,
    /// The table of attributes.
    pub table: PathBuf,
    /// The list of training, validation and test images.
    pub partition: Option<PathBuf>,
}

/// Folders of others for it in a data folder: torchvision's is ours; TensorFlow Datasets', Kaggle's, the Fidle course's.
const OTHERS: [&str; 4] = ["CelebA", "celeb_a", "celeba-dataset", "CelebA/origine"];

/// The files in a data folder, if both images and table exist: side by side, or as published in `Img`, `Anno` and `Eval`.
pub(crate) fn find(data_folder: &Path) -> Option<Found> {
    let own = [FOLDER].into_iter().chain(OTHERS).map(|name| data_folder.join(name));
    let folders: Vec<PathBuf> = own.chain([data_folder.to_path_buf()]).collect();
    folders.iter().find_map(|folder| {
        let images = images_in(folder).or_else(|| images_in(&folder.join("Img")))?;
        let table = |start: &str| {
            let folders = [folder.clone(), folder.join("Anno"), folder.join("Eval")];
            let mut tables = folders.iter().flat_map(|folder| image_files::tables(folder));
            tables.find(|table| file_name(table).starts_with(start))
        };
        let has_name = |path: &PathBuf| attributes::has_celebas_name(&file_name(path));
        Some(Found { images, table: table("list_attr").filter(has_name)?, partition: table("list_eval_partition") })
    })
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The images under their published name, as an archive or unpacked; else an archive with the set's name.
fn images_in(folder: &Path) -> Option<PathBuf> {
    let (archive, unpacked) = (folder.join(FILES[0]), folder.join("img_align_celeba"));
    if archive.is_file() {
        return Some(archive);
    }
    if unpacked.is_dir() {
        // Kaggle's archive has the folder twice.
        let inner = unpacked.join("img_align_celeba");
        return Some(if inner.is_dir() { inner } else { unpacked });
    }
    let paths = std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let named = |path: &PathBuf| {
        let name = file_name(path).to_ascii_lowercase();
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
        let data = crate::testing::folder();
        let data_folder = data.path();
        let folder = data_folder.join("celeba");
        std::fs::create_dir(&folder).unwrap();
        let small = folder.join("celeba_64x64.zip");
        std::fs::write(&small, "zip").unwrap();
        assert_eq!(find(data_folder), None, "the table is missing");
        let table = folder.join("list_attr_celeba_first10000.csv");
        std::fs::write(&table, "image_id,A,B\n000001.jpg,1,-1\n").unwrap();
        let found = |images: &PathBuf| Some(Found { images: images.clone(), table: table.clone(), partition: None });
        assert_eq!(find(data_folder), found(&small));
        assert_eq!(find(&folder), found(&small), "the set's own folder was given");
        for better in ["img_align_celeba", "img_align_celeba.zip"] {
            if better.ends_with("zip") {
                std::fs::write(folder.join(better), "zip").unwrap();
            } else {
                std::fs::create_dir(folder.join(better)).unwrap();
            }
            assert_eq!(find(data_folder), found(&folder.join(better)));
        }
    }

    #[test]
    fn kaggles_folders_are_found() {
        for place in ["celeba-dataset", "CelebA", "."] {
            let data = tempfile::tempdir().unwrap();
            let root = data.path().join(place);
            std::fs::create_dir_all(root.join("img_align_celeba/img_align_celeba")).unwrap();
            for name in ["list_attr_celeba.csv", "list_eval_partition.csv", "list_bbox_celeba.csv"] {
                std::fs::write(root.join(name), "text").unwrap();
            }
            let found = find(data.path()).unwrap();
            assert!(found.images.ends_with("img_align_celeba/img_align_celeba"), "{found:?}");
            assert!(found.table.ends_with("list_attr_celeba.csv"), "{found:?}");
            assert!(found.partition.unwrap().ends_with("list_eval_partition.csv"));
        }
    }

    #[test]
    fn the_published_folders_are_found() {
        let data = crate::testing::folder();
        let root = data.path();
        for name in ["Anno/list_attr_celeba.txt", "Eval/list_eval_partition.txt", "Img/img_align_celeba.zip"] {
            std::fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            std::fs::write(root.join(name), "text").unwrap();
        }
        let expected = Found {
            images: root.join("Img/img_align_celeba.zip"),
            table: root.join("Anno/list_attr_celeba.txt"),
            partition: Some(root.join("Eval/list_eval_partition.txt")),
        };
        assert_eq!(find(root), Some(expected));
    }
}
