//! Images in files: in a folder, at any depth, or in an archive, which is a folder in one file. Where the images lie in
//! two or more subfolders, each subfolder is a class. Files are listed when the set is opened and decoded when they are
//! read. A file that can't be used is told once and passed over, another image standing in for it.

mod check;
mod classes;
mod decode;
mod ledger;
pub(crate) mod scan;

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
pub(crate) use check::check;
use classes::classes;
#[cfg(test)]
pub(crate) use decode::{DECODER_FAILED, decode};
use ledger::Ledger;
pub(crate) use scan::has_images;

/// Sets whose files take less than this are decoded again by each run, without a file of decoded images (4 MiB).
const WORTH_KEEPING: u64 = 4 << 20;

/// With more files than this, reading begins before it is known whether they were decoded before.
const LOOKED_AT_SOON: usize = 20_000;

/// Files whose bytes are looked at to tell one set from another with the same names and lengths.
const WITNESSES: usize = 16;

/// Images in the files of a folder or an archive.
pub struct Folder {
    container: Arc<Container>,
    labels: Option<Arc<[u32]>>,
    info: DatasetInfo,
    options: ImageOptions,
    shape: ImageShape,
    /// The file whose image decided the shape.
    model: usize,
    ledger: Ledger,
    decoded: Decoded,
}

impl Folder {
    /// Opens a folder, a .zip, a .tar or a .tar.gz. The first image that can be read decides between grey and RGB where
    /// `options` ask for no channels, and the size where they ask for none; images of another size are then bad files.
    ///
    /// # Errors
    /// Where the folder or archive can't be read or holds no image, or its first images are all bad.
    pub fn open(root: &Path, options: &ImageOptions) -> Result<Self> {
        Self::open_keeping(root, options, evict::folder())
    }

    /// `open`, with files of decoded images in this folder.
    fn open_keeping(root: &Path, options: &ImageOptions, keep_in: Option<PathBuf>) -> Result<Self> {
        options.check()?;
        Self::over(list(root)?, options, keep_in)
    }

    /// Image files that are in memory already, one after the other: where each ends in `bytes`. `root` is where they are
    /// from.
    ///
    /// # Errors
    /// Where there is no image, or the first images are all bad.
    pub(crate) fn in_memory(root: &Path, bytes: Vec<u8>, ends: &[usize], options: &ImageOptions) -> Result<Self> {
        options.check()?;
        let starts = [0].into_iter().chain(ends.iter().copied());
        let lengths = ends.iter().zip(starts).map(|(end, start)| (end - start) as u64);
        let files = lengths.enumerate().map(|(row, length)| (format!("row {row}"), length));
        Self::over(some(Container::in_memory(root, bytes, files))?, options, evict::folder())
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

    /// The images of a container, of which there is one at least.
    fn over(container: Container, options: &ImageOptions, keep_in: Option<PathBuf>) -> Result<Self> {
        let container = Arc::new(container);
        let ledger = Ledger::new(container.len());
        let (model, found) = first_image(&container, &ledger)?;
        let (options, shape, count) = (*options, options.apply(found), container.len());
        let mut info = DatasetInfo::new(container.root().display().to_string());
        let shaped = options.describe().map(|how| format!("images brought to shape: {how}"));
        info.notes = [shaped, container.others().describe()].into_iter().flatten().collect();
        let (labels, classes) = classes((0..count).map(|index| container.name(index)));
        let look = {
            let container = Arc::clone(&container);
            move || contents(&container, shape, &options, keep_in)
        };
        let decoded = if count > LOOKED_AT_SOON && container.is_folder() {
            Decoded::open_later(count, shape, look)
        } else {
            let (contents, folder) = look();
            Decoded::open(&contents, folder.as_deref())
        };
        let set = Self { container, labels: None, info, options, shape, model, ledger, decoded };
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
    pub fn entry_name(&self, index: usize) -> &str {
        self.container.name(index)
    }

    /// The next image with the same label, after the last the first.
    fn next_alike(&self, index: usize) -> usize {
        let count = self.container.len();
        let after = (index + 1..count).chain(0..index);
        let alike = |other: &usize| self.labels.as_ref().is_none_or(|labels| labels[*other] == labels[index]);
        after.into_iter().find(alike).unwrap_or(index)
    }

    /// Writes image `index` into `out`, from what was decoded before or from its file.
    fn show(&self, index: usize, out: &mut [f32]) -> Result<(), String> {
        match self.decoded.read(index, out) {
            Found::Image => return Ok(()),
            Found::Bad(reason) => return Err(reason),
            Found::Nothing => {}
        }
        let file = self.container.read(index);
        if file.is_err() && self.container.is_folder() {
            // The system refused the file: the next run may have more luck, so this is not kept.
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

    /// Where only few images were never decoded, decodes them, so that the file of decoded images becomes complete.
    fn decode_rest(&self) {
        self.decoded.rest().par_iter().for_each(|&index| {
            // A bad one is told when it is asked for.
            let _ = self.show(index, &mut vec![0.0; self.shape.len()]);
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

    /// Where the file is bad, writes the next good image with the same label instead.
    fn read(&self, index: usize, out: &mut [f32]) -> Result<()> {
        check_read(self, index, out)?;
        let mut at = index;
        loop {
            if !self.ledger.is_bad(at) {
                match self.show(at, out) {
                    Ok(()) => {
                        self.ledger.note_good(at);
                        self.decode_rest();
                        return Ok(());
                    }
                    Err(reason) => self.ledger.note_bad(at, || BadFile { path: self.container.path(at), reason }),
                }
                refuse_too_many(&self.container, &self.ledger)?;
            }
            at = self.next_alike(at);
            if at == index {
                return Err(none_good(&self.container, &self.ledger));
            }
        }
    }

    fn skipped(&self) -> Vec<BadFile> {
        self.ledger.bad()
    }

    fn resolved(&self, index: usize) -> usize {
        let mut at = index;
        while self.ledger.is_bad(at) {
            at = self.next_alike(at);
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

/// The images in a folder or archive, of which there must be one.
fn list(root: &Path) -> Result<Container> {
    some(Container::open(root)?)
}

/// How many images a folder or archive holds, and the shape of the first that can be read.
///
/// # Errors
/// As `Folder::open`.
pub(crate) fn layout(root: &Path) -> Result<(usize, ImageShape)> {
    let container = list(root)?;
    first_image(&container, &Ledger::new(container.len())).map(|(_, shape)| (container.len(), shape))
}

/// Refuses a container without images.
fn some(container: Container) -> Result<Container> {
    if container.len() > 0 {
        return Ok(container);
    }
    let others = container.others().describe().map_or(String::new(), |others| format!(" ({others})"));
    Err(Error::data(
        format!("{} holds no image that can be read{others}", container.root().display()),
        "expected .png, .jpg, .webp, .gif or .bmp files, at any depth",
    ))
}

/// The first image that can be decoded, and its shape. Those before it are noted as bad.
fn first_image(container: &Container, ledger: &Ledger) -> Result<(usize, ImageShape)> {
    for index in 0..container.len() {
        match container.read(index).and_then(|bytes| decode::decode(&bytes, None)) {
            Ok((shape, _)) => return Ok((index, shape)),
            Err(reason) => ledger.note_bad(index, || BadFile { path: container.path(index), reason }),
        }
        refuse_too_many(container, ledger)?;
    }
    Err(none_good(container, ledger))
}

/// An error where more than half of the files tried are bad.
fn refuse_too_many(container: &Container, ledger: &Ledger) -> Result<()> {
    let Some((bad, tried)) = ledger.too_many_bad() else { return Ok(()) };
    let what = format!("{}: {bad} of the first {tried} image files can't be used", container.root().display());
    Err(too_many(what, &ledger.bad()))
}

/// An error where nothing can stand in for a bad file.
fn none_good(container: &Container, ledger: &Ledger) -> Error {
    let what = format!("{}: no image file (of one class, at least) can be used", container.root().display());
    too_many(what, &ledger.bad())
}

fn too_many(what: String, bad: &[BadFile]) -> Error {
    let example = bad.last().map_or(String::new(), |bad| format!("; {}: {}", bad.path.display(), bad.reason));
    let sizes = bad.last().is_some_and(|bad| bad.reason.contains("(height x width), but"));
    let hint = match sizes {
        true => "give all images one size: --size 64 (or --set data.size=64)",
        false => "remove or replace the files; faussaire data check lists every bad one with its reason",
    };
    Error::data(format!("{what}{example}"), hint)
}

fn size(shape: ImageShape) -> String {
    format!("{}x{} pixels (height x width)", shape.height, shape.width)
}

/// Names and lengths of all files: what a run holds a set against when it resumes. A folder keeps it when it is packed.
fn fingerprint(container: &Container, shape: ImageShape, options: &ImageOptions) -> String {
    let mut digest = Digest::new();
    let fit = if options.fit == Fit::Pad { ", fitted" } else { "" };
    digest.update(format!("folder {}x{shape}{fit}\n", container.len()).as_bytes());
    // Folders around everything may be there or not.
    let shared = common_folders((0..container.len()).map(|index| container.name(index)));
    for index in 0..container.len() {
        digest.update(format!("{} {}\n", container.length(index), &container.name(index)[shared..]).as_bytes());
    }
    digest.finish()
}

/// What identifies the decoded images, and the folder for their file where they are worth one.
fn contents(
    container: &Container,
    shape: ImageShape,
    options: &ImageOptions,
    keep_in: Option<PathBuf>,
) -> (Contents, Option<PathBuf>) {
    let count = container.len();
    let worth = |_: &PathBuf| (0..count).map(|index| container.length(index)).sum::<u64>() >= WORTH_KEEPING;
    let keep_in = keep_in.filter(worth);
    let key = if keep_in.is_some() { key(container, shape, options) } else { String::new() };
    (Contents { count, shape, key }, keep_in)
}

/// What the decoded bytes depend on: names, lengths and versions of all files, the bytes of some, and the wanted shape.
fn key(container: &Container, shape: ImageShape, options: &ImageOptions) -> String {
    let mut digest = Digest::new();
    // Another way of decoding or resizing gets another number.
    let how = format!("decoded 1: {}x{shape} {:?} {}\n", container.len(), options.fit, options.size.is_some());
    digest.update(how.as_bytes());
    for index in 0..container.len() {
        let (length, version) = (container.length(index), container.version(index));
        digest.update(format!("{length} {version} {}\n", container.name(index)).as_bytes());
    }
    for witness in 0..WITNESSES {
        digest.update(&container.read(witness * (container.len() - 1) / (WITNESSES - 1)).unwrap_or_default());
    }
    digest.finish()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
