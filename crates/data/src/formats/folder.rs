//! A data set of image files in a folder, at any depth, or in an archive. Images in two or more subfolders get the subfolders as
//! classes. Files are listed on opening and decoded on reading. An unusable file is reported once and replaced by another
//! image.

mod check;
mod classes;
mod decode;
mod file_states;
pub(crate) mod scan;

use std::ops::Add;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::cache::{Contents, Decoded, Found, evict};
use crate::dataset::BadFile;
use crate::dataset::{Dataset, DatasetInfo, ImageShape};
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::formats::archive::{Container, common_folders};
use crate::in_memory::{check_read, copy_bytes};
use crate::resize::{Fit, ImageOptions, resize};
use crate::survey::Survey;
pub(crate) use check::check;
use classes::classes;
#[cfg(test)]
pub(crate) use decode::{DECODER_FAILED, decode};
use file_states::FileStates;
pub(crate) use scan::has_images;

/// Sets with fewer bytes of files are decoded by each run, without a cache file (4 MiB).
const MIN_CACHED_BYTES: u64 = 4 << 20;

/// With more files than this, the cache file is opened in the background.
const MAX_FOREGROUND_FILES: usize = 20_000;

/// Number of files that a survey examines.
const SURVEYED_FILES: usize = 64;

/// Number of files whose bytes are in the fingerprint, to distinguish sets with the same names and lengths.
const FINGERPRINT_FILES: usize = 16;

/// Images in the files of a folder or an archive.
pub struct Folder {
    container: Arc<Container>,
    labels: Option<Arc<[u32]>>,
    info: DatasetInfo,
    options: ImageOptions,
    shape: ImageShape,
    /// The file whose image determined the shape.
    model: usize,
    file_states: FileStates,
    decoded: Decoded,
}

impl Folder {
    /// Opens a folder, a .zip, a .tar or a .tar.gz. The first readable image determines the channels and the size
    /// that `options` leave open; images of another size are then bad files.
    ///
    /// # Errors
    /// The folder or archive can't be read or has no image, or its first images are all bad.
    pub fn open(root: &Path, options: &ImageOptions) -> Result<Self> {
        Self::open_with_cache(root, options, evict::folder())
    }

    /// `open` with cache files in folder `cache_folder`.
    fn open_with_cache(root: &Path, options: &ImageOptions, cache_folder: Option<PathBuf>) -> Result<Self> {
        options.check()?;
        Self::over(list(root)?, options, cache_folder)
    }

    /// Concatenated image files in memory; `ends` are the end offsets in `bytes`, `root` is their origin.
    ///
    /// # Errors
    /// There is no image, or the first images are all bad.
    pub(crate) fn in_memory(root: &Path, bytes: Vec<u8>, ends: &[usize], options: &ImageOptions) -> Result<Self> {
        options.check()?;
        let starts = [0].into_iter().chain(ends.iter().copied());
        let lengths = ends.iter().zip(starts).map(|(end, start)| (end - start) as u64);
        let files = lengths.enumerate().map(|(row, length)| (format!("row {row}"), length));
        Self::over(require_images(Container::in_memory(root, bytes, files))?, options, evict::folder())
    }

    /// The same images with one label each; label `k` means `classes[k]`.
    pub(crate) fn with_labels(mut self, labels: Vec<u32>, classes: Vec<String>) -> Self {
        if labels.len() == self.container.len() {
            let labels: Arc<[u32]> = labels.into();
            self.labels = Some(Arc::clone(&labels));
            self.info = self.info.with_classes(classes, move |index| labels.get(index).copied());
        }
        self
    }

    /// The images of a container, which has at least one.
    fn over(container: Container, options: &ImageOptions, cache_folder: Option<PathBuf>) -> Result<Self> {
        let container = Arc::new(container);
        let file_states = FileStates::new(container.len());
        let (model, found) = first_image(&container, &file_states)?;
        let (options, shape, count) = (*options, options.apply(found), container.len());
        let mut info = DatasetInfo::new(container.root().display().to_string());
        let shaped = options.describe().map(|how| format!("images resized: {how}"));
        info.notes = [shaped, container.others().describe()].into_iter().flatten().collect();
        let (labels, classes) = classes((0..count).map(|index| container.name(index)));
        let look = {
            let container = Arc::clone(&container);
            move || contents(&container, shape, &options, cache_folder)
        };
        let decoded = if count > MAX_FOREGROUND_FILES && container.is_folder() {
            Decoded::open_later(count, shape, look)
        } else {
            let (contents, folder) = look();
            Decoded::open(&contents, folder.as_deref())
        };
        let set = Self { container, labels: None, info, options, shape, model, file_states, decoded };
        Ok(match labels {
            Some(labels) => set.with_labels(labels, classes),
            None => set,
        })
    }

    /// The file of image `index`.
    pub fn file(&self, index: usize) -> Option<PathBuf> {
        (index < self.container.len()).then(|| self.container.path(index))
    }

    /// The path of image `index` inside the folder or archive, with `/` between its parts.
    pub(crate) fn entry_name(&self, index: usize) -> &str {
        self.container.name(index)
    }

    /// The next image with the same label, cyclically.
    fn next_with_label(&self, index: usize) -> usize {
        let count = self.container.len();
        let after = (index + 1..count).chain(0..index);
        let alike = |other: &usize| self.labels.as_ref().is_none_or(|labels| labels[*other] == labels[index]);
        after.into_iter().find(alike).unwrap_or(index)
    }

    /// Writes image `index` into `out`, from the cache or from its file.
    fn read_image(&self, index: usize, out: &mut [f32]) -> Result<(), String> {
        match self.decoded.read(index, out) {
            Found::Image => return Ok(()),
            Found::Bad(reason) => return Err(reason),
            Found::Nothing => {}
        }
        let file = self.container.read(index);
        if file.is_err() && self.container.is_folder() {
            // A read error may be temporary, so it is not cached.
            return file.map(drop);
        }
        let image = file.and_then(|bytes| self.decode(&bytes));
        self.decoded.keep(index, image.as_deref().map_err(String::as_str));
        copy_bytes(&image?, out);
        Ok(())
    }

    fn decode(&self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let (shape, pixels) = decode::decode(bytes, Some(self.shape.channels))?;
        let wanted = self.shape;
        if self.options.size.is_none() && (shape.height, shape.width) != (wanted.height, wanted.width) {
            let model = self.container.path(self.model);
            return Err(format!("it has {}, but {} has {}", size(shape), model.display(), size(wanted)));
        }
        Ok(resize(pixels, shape, wanted, self.options.fit))
    }

    /// Decodes the last few images, so that the cache file becomes complete.
    fn decode_rest(&self) {
        self.decoded.rest().par_iter().for_each(|&index| {
            // A bad image is reported when it is read.
            let _ = self.read_image(index, &mut vec![0.0; self.shape.len()]);
        });
    }
}

impl std::fmt::Debug for Folder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Folder({}: {} images as {})", self.name(), self.len(), self.shape)
    }
}

impl Dataset for Folder {
    fn len(&self) -> usize {
        self.container.len()
    }

    fn shape(&self) -> ImageShape {
        self.shape
    }

    /// Replaces a bad image by the next good one with the same label.
    fn read(&self, index: usize, out: &mut [f32]) -> Result<()> {
        check_read(self, index, out)?;
        let mut at = index;
        loop {
            if !self.file_states.is_bad(at) {
                match self.read_image(at, out) {
                    Ok(()) => {
                        self.file_states.mark_good(at);
                        self.decode_rest();
                        return Ok(());
                    }
                    Err(reason) => self.file_states.mark_bad(at, || BadFile { path: self.container.path(at), reason }),
                }
                refuse_too_many(&self.container, &self.file_states)?;
            }
            at = self.next_with_label(at);
            if at == index {
                return Err(none_good(&self.container, &self.file_states));
            }
        }
    }

    fn skipped(&self) -> Vec<BadFile> {
        self.file_states.bad()
    }

    /// Files spread over the set; those that can't be decoded are left out.
    fn survey(&self) -> Survey {
        let count = self.container.len();
        let sample = SURVEYED_FILES.min(count);
        let look = |index| self.container.read(index).ok().and_then(|bytes| decode::look(&bytes));
        let Some((model, _)) = look(self.model) else { return Survey::default() };
        let one = |nth: usize| match look(nth * count / sample) {
            Some((size, transparent)) => {
                Survey { files: 1, transparent: transparent.into(), other_sizes: (size != model).into() }
            }
            None => Survey::default(),
        };
        (0..sample).into_par_iter().map(one).reduce(Survey::default, Survey::add)
    }

    fn resolved(&self, index: usize) -> usize {
        let mut at = index;
        while self.file_states.is_bad(at) {
            at = self.next_with_label(at);
            if at == index {
                break;
            }
        }
        at
    }

    fn is_lazy(&self) -> bool {
        !self.decoded.is_complete()
    }

    fn notes(&self) -> Vec<String> {
        self.info.notes.iter().cloned().chain(self.decoded.describe()).collect()
    }

    fn info(&self) -> &DatasetInfo {
        &self.info
    }

    fn fingerprint(&self) -> String {
        self.info.digest(|| fingerprint(&self.container, self.shape, &self.options))
    }
}

/// Lists the images in a folder or archive, which must have at least one.
fn list(root: &Path) -> Result<Container> {
    require_images(Container::open(root)?)
}

/// The number of images in a folder or archive, and the shape of the first readable one.
///
/// # Errors
/// As `Folder::open`.
pub(crate) fn layout(root: &Path) -> Result<(usize, ImageShape)> {
    let container = list(root)?;
    first_image(&container, &FileStates::new(container.len())).map(|(_, shape)| (container.len(), shape))
}

/// Refuses a container without images.
fn require_images(container: Container) -> Result<Container> {
    if container.len() > 0 {
        return Ok(container);
    }
    let others = container.others().describe().map_or(String::new(), |others| format!(" ({others})"));
    Err(Error::data(
        format!("{} holds no image that can be read{others}", container.root().display()),
        "expected .png, .jpg, .webp, .gif or .bmp files, at any depth",
    ))
}

/// The first image that can be decoded, and its shape. Earlier ones are marked as bad.
fn first_image(container: &Container, file_states: &FileStates) -> Result<(usize, ImageShape)> {
    for index in 0..container.len() {
        match container.read(index).and_then(|bytes| decode::decode(&bytes, None)) {
            Ok((shape, _)) => return Ok((index, shape)),
            Err(reason) => file_states.mark_bad(index, || BadFile { path: container.path(index), reason }),
        }
        refuse_too_many(container, file_states)?;
    }
    Err(none_good(container, file_states))
}

/// Returns an error if more than half of the files read are bad.
fn refuse_too_many(container: &Container, file_states: &FileStates) -> Result<()> {
    let Some((bad, tried)) = file_states.too_many_bad() else { return Ok(()) };
    let what = format!("{}: {bad} of the first {tried} image files can't be used", container.root().display());
    Err(too_many(what, &file_states.bad()))
}

/// The error if no image can replace a bad file.
fn none_good(container: &Container, file_states: &FileStates) -> Error {
    let what = format!("{}: no image file (of one class, at least) can be used", container.root().display());
    too_many(what, &file_states.bad())
}

fn too_many(what: String, bad: &[BadFile]) -> Error {
    let example = bad.last().map_or(String::new(), |bad| format!("; {}: {}", bad.path.display(), bad.reason));
    let sizes = bad.last().is_some_and(|bad| bad.reason.contains("(height x width), but"));
    let hint = match sizes {
        true => "give all images one size, such as 64 (`data.size`)",
        false => "remove or replace the files; faussaire data check lists every bad one with its reason",
    };
    Error::data(format!("{what}{example}"), hint)
}

fn size(shape: ImageShape) -> String {
    format!("{}x{} pixels (height x width)", shape.height, shape.width)
}

/// A digest of the names and lengths of all files, compared on resuming. Packing a folder doesn't change it.
fn fingerprint(container: &Container, shape: ImageShape, options: &ImageOptions) -> String {
    let mut digest = Digest::new();
    let fit = if options.fit == Fit::Pad { ", fitted" } else { "" };
    digest.update(format!("folder {}x{shape}{fit}\n", container.len()).as_bytes());
    // Common folders are left out.
    let shared = common_folders((0..container.len()).map(|index| container.name(index)));
    for index in 0..container.len() {
        digest.update(format!("{} {}\n", container.length(index), &container.name(index)[shared..]).as_bytes());
    }
    digest.finish()
}

/// The identity of the cached images, and the folder of the cache file if the set is large enough for one.
fn contents(
    container: &Container,
    shape: ImageShape,
    options: &ImageOptions,
    cache_folder: Option<PathBuf>,
) -> (Contents, Option<PathBuf>) {
    let count = container.len();
    let worth = |_: &PathBuf| (0..count).map(|index| container.length(index)).sum::<u64>() >= MIN_CACHED_BYTES;
    let cache_folder = cache_folder.filter(worth);
    let key = if cache_folder.is_some() { key(container, shape, options) } else { String::new() };
    (Contents { count, shape, key }, cache_folder)
}

/// A digest of everything the decoded bytes depend on: names, lengths and versions of all files, the bytes of require_images, and the
/// target shape.
fn key(container: &Container, shape: ImageShape, options: &ImageOptions) -> String {
    let mut digest = Digest::new();
    // Change the number when decoding or resizing changes.
    let how = format!("decoded 1: {}x{shape} {:?} {}\n", container.len(), options.fit, options.size.is_some());
    digest.update(how.as_bytes());
    for index in 0..container.len() {
        let (length, version) = (container.length(index), container.version(index));
        digest.update(format!("{length} {version} {}\n", container.name(index)).as_bytes());
    }
    for witness in 0..FINGERPRINT_FILES {
        digest.update(&container.read(witness * (container.len() - 1) / (FINGERPRINT_FILES - 1)).unwrap_or_default());
    }
    digest.finish()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
