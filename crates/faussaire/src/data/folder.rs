//! A folder of PNG and JPEG images, at any depth. Where the images lie in two or more subfolders, each subfolder is a
//! class. Files are listed when the folder is opened and decoded when they are read; where all decoded images fit in
//! memory, each is decoded once.

mod decode;
mod scan;

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::digest::Digest;
use super::memory::check_read;
use super::resize::{Cache, ImageOptions, fit};
use super::source::{Dataset, ImageShape};
use crate::error::{Error, Result};
pub(super) use scan::has_images;
use scan::{classes, portable, scan};

/// Images in files.
pub struct Folder {
    root: PathBuf,
    /// Relative to the root, sorted.
    files: Vec<PathBuf>,
    labels: Option<Vec<u32>>,
    classes: Vec<String>,
    shape: ImageShape,
    cache: Cache,
    fingerprint: String,
}

impl Folder {
    /// Opens a folder. Without a size in `options`, all images must have the same; without channels, the first image
    /// decides between grey and RGB.
    ///
    /// # Errors
    /// Where the folder can't be read or holds no image, or sizes differ and none is asked for.
    pub fn open(root: &Path, options: &ImageOptions) -> Result<Self> {
        options.check()?;
        let listed = scan(root, usize::MAX)?;
        let Some((first, _)) = listed.first() else {
            return Err(Error::data(
                format!("{} holds no PNG or JPEG image", root.display()),
                "expected files that end in .png, .jpg or .jpeg, in the folder or below it",
            ));
        };
        let found = decode::shape(&root.join(first)).map_err(|what| unreadable(&root.join(first), &what))?;
        if options.size.is_none() {
            one_size(root, &listed, found)?;
        }
        let shape = options.apply(found);
        let mut digest = Digest::new();
        digest.update(format!("folder {}x{shape}\n", listed.len()).as_bytes());
        for (file, length) in &listed {
            digest.update(format!("{length} {}\n", portable(file)).as_bytes());
        }
        let files: Vec<PathBuf> = listed.into_iter().map(|(file, _)| file).collect();
        let (labels, classes) = classes(&files);
        let cache = Cache::new(files.len(), shape);
        Ok(Self { root: root.to_path_buf(), files, labels, classes, shape, cache, fingerprint: digest.finish() })
    }

    /// The file of image `index`.
    pub fn file(&self, index: usize) -> Option<PathBuf> {
        self.files.get(index).map(|file| self.root.join(file))
    }
}

impl std::fmt::Debug for Folder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Folder({}: {} images as {})", self.root.display(), self.files.len(), self.shape)
    }
}

impl Dataset for Folder {
    fn name(&self) -> String {
        self.root.display().to_string()
    }

    fn len(&self) -> usize {
        self.files.len()
    }

    fn shape(&self) -> ImageShape {
        self.shape
    }

    fn read(&self, index: usize, out: &mut [f32]) -> Result<()> {
        check_read(self, index, out)?;
        self.cache.read(index, out, || {
            let path = self.root.join(&self.files[index]);
            let (shape, pixels) =
                decode::decode(&path, self.shape.channels == 1).map_err(|what| unreadable(&path, &what))?;
            Ok(fit(pixels, shape, self.shape))
        })
    }

    fn label(&self, index: usize) -> Option<u32> {
        self.labels.as_ref()?.get(index).copied()
    }

    fn classes(&self) -> Vec<String> {
        self.classes.clone()
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }
}

/// A file that can't be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadFile {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

/// Decodes every image in a folder and lists those that can't be used; without a size in `options`, also those whose
/// size is not the first good image's.
///
/// # Errors
/// Where the folder itself can't be read.
pub fn check(root: &Path, options: &ImageOptions) -> Result<Vec<BadFile>> {
    let listed = scan(root, usize::MAX)?;
    let decoded: Vec<_> = listed
        .par_iter()
        .map(|(file, _)| (root.join(file), decode::decode(&root.join(file), true).map(|(shape, _)| shape)))
        .collect();
    let first = decoded.iter().find_map(|(path, shape)| Some((path, *shape.as_ref().ok()?)));
    let judge = |(path, shape): &(PathBuf, Result<ImageShape, String>)| {
        let reason = match (shape, first) {
            (Err(reason), _) => reason.clone(),
            (Ok(shape), Some((other, expected))) if options.size.is_none() && *shape != expected => {
                format!("it has {}, but {} has {}", size(*shape), other.display(), size(expected))
            }
            _ => return None,
        };
        Some(BadFile { path: path.clone(), reason })
    };
    Ok(decoded.iter().filter_map(judge).collect())
}

/// Holds every image's size against the first one's.
fn one_size(root: &Path, listed: &[(PathBuf, u64)], first: ImageShape) -> Result<()> {
    let differs = listed.par_iter().skip(1).find_map_first(|(file, _)| {
        let path = root.join(file);
        match decode::shape(&path) {
            Err(what) => Some(unreadable(&path, &what)),
            Ok(shape) if (shape.height, shape.width) == (first.height, first.width) => None,
            Ok(shape) => Some(Error::data(
                format!(
                    "images differ in size: {} has {}, but {} has {}",
                    root.join(&listed[0].0).display(),
                    size(first),
                    path.display(),
                    size(shape)
                ),
                "give all images one size: --size 64 (or --set data.size=64)",
            )),
        }
    });
    differs.map_or(Ok(()), Err)
}

fn size(shape: ImageShape) -> String {
    format!("{}x{} pixels (height x width)", shape.height, shape.width)
}

fn unreadable(path: &Path, what: &str) -> Error {
    Error::data(
        format!("{} can't be read as an image: {what}", path.display()),
        "remove or replace the file; faussaire data check lists every bad one",
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use image::{GrayImage, Luma, Rgb, RgbImage};

    const ANY: ImageOptions = ImageOptions { size: None, channels: None };

    fn put_grey(root: &Path, name: &str, side: u32, grey: u8) {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        GrayImage::from_pixel(side, side, Luma([grey])).save(path).unwrap();
    }

    fn first_values(set: &Folder) -> Vec<f32> {
        let mut image = vec![0.0; set.shape().len()];
        (0..set.len())
            .map(|index| {
                set.read(index, &mut image).unwrap();
                image[0]
            })
            .collect()
    }

    #[test]
    fn subfolders_are_classes_in_the_order_of_their_numbers() {
        let root = tempfile::tempdir().unwrap();
        for (name, grey) in [("10/a.png", 255), ("9/b.PNG", 51), ("9/deep/c.png", 102), ("10/.hidden.png", 0)] {
            put_grey(root.path(), name, 4, grey);
        }
        std::fs::write(root.path().join("9/notes.txt"), "not an image").unwrap();
        let set = Folder::open(root.path(), &ANY).unwrap();
        assert_eq!((set.len(), set.shape().to_string()), (3, "4x4x1".to_owned()));
        assert_eq!(set.classes(), ["9", "10"]);
        assert_eq!((0..3).map(|i| set.label(i)).collect::<Vec<_>>(), [Some(1), Some(0), Some(0)]);
        assert_eq!(first_values(&set), [1.0, 0.2, 0.4]);
        // From memory now.
        std::fs::remove_file(set.file(0).unwrap()).unwrap();
        assert_eq!(first_values(&set), [1.0, 0.2, 0.4]);
        assert!(Folder::open(&root.path().join("9"), &ANY).unwrap().classes().is_empty());
    }

    #[test]
    fn different_sizes_need_a_size() {
        let root = tempfile::tempdir().unwrap();
        put_grey(root.path(), "a.png", 4, 51);
        put_grey(root.path(), "b.png", 6, 102);
        let error = Folder::open(root.path(), &ANY).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("a.png has 4x4") && text.contains("b.png has 6x6"), "{text}");
        assert!(error.hint().contains("--set data.size=64"));
        let bad = check(root.path(), &ANY).unwrap();
        assert_eq!((bad.len(), bad[0].path.file_name().unwrap().to_str()), (1, Some("b.png")));
        let size = ImageOptions { size: Some((5, 3)), channels: Some(3) };
        let set = Folder::open(root.path(), &size).unwrap();
        assert_eq!(set.shape().to_string(), "5x3x3");
        assert_eq!(first_values(&set), [0.2, 0.4]);
        assert!(check(root.path(), &size).unwrap().is_empty());
        assert_ne!(
            set.fingerprint(),
            Folder::open(root.path(), &ImageOptions { channels: None, ..size }).unwrap().fingerprint()
        );
    }

    #[test]
    fn the_first_image_decides_the_colour() {
        let root = tempfile::tempdir().unwrap();
        RgbImage::from_pixel(4, 4, Rgb([255, 0, 0])).save(root.path().join("a.png")).unwrap();
        put_grey(root.path(), "b.png", 4, 51);
        let set = Folder::open(root.path(), &ANY).unwrap();
        assert_eq!(set.shape().channels, 3);
        let mut image = vec![0.0; 48];
        set.read(0, &mut image).unwrap();
        assert_eq!(image[..4], [1.0, 0.0, 0.0, 1.0]);
        let grey = Folder::open(root.path(), &ImageOptions { channels: Some(1), ..ANY }).unwrap();
        assert_eq!(first_values(&grey), [76.0 / 255.0, 0.2]);
    }

    #[test]
    fn bad_files_are_named_when_read_and_all_listed_by_check() {
        let root = tempfile::tempdir().unwrap();
        put_grey(root.path(), "a.png", 4, 51);
        std::fs::write(root.path().join("b.png"), "no png").unwrap();
        std::fs::write(root.path().join("c.jpg"), "").unwrap();
        let size = ImageOptions { size: Some((4, 4)), channels: None };
        let set = Folder::open(root.path(), &size).unwrap();
        let error = set.read(1, &mut [0.0; 16]).unwrap_err();
        assert!(error.to_string().ends_with("b.png can't be read as an image: it is neither PNG nor JPEG"), "{error}");
        let reasons: Vec<_> = check(root.path(), &size).unwrap().into_iter().map(|bad| bad.reason).collect();
        assert_eq!(reasons, ["it is neither PNG nor JPEG", "it is empty"]);
        assert!(Folder::open(root.path(), &ANY).unwrap_err().to_string().contains("b.png"));
    }

    #[test]
    fn folders_without_images_are_errors() {
        let root = tempfile::tempdir().unwrap();
        let error = Folder::open(root.path(), &ANY).unwrap_err();
        assert!(error.to_string().ends_with("holds no PNG or JPEG image"), "{error}");
        assert!(Folder::open(&root.path().join("missing"), &ANY).unwrap_err().to_string().starts_with("can't read"));
        assert!(!has_images(root.path()).unwrap());
    }
}
