//! A data set of image files in a folder, at any depth, or in archives. `image_files` finds the files, their parts and labels.
//! They are decoded on reading. An unusable file is reported once and replaced by another image.

mod check;
mod file_states;
mod files;
pub(crate) mod scan;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::cache::{Contents, Decoded, Found, evict};
use crate::class_labels::ClassLabels;
use crate::dataset::BadFile;
use crate::dataset::{Dataset, DatasetInfo, ImageShape, Sample};
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::formats::archive::{Container, OtherFiles, is_archive_name};
use crate::image_files;
use crate::in_memory::{check_read, copy_bytes};
use crate::parts::common_folders;
use crate::pictures::{FORMATS, decode};
use crate::resize::{Fit, ImageOptions, resize};
use crate::signatures;
use crate::spread::spread;
use crate::survey::Survey;
pub(crate) use check::check;
use file_states::{FileStates, MIN_TRIED};
pub(crate) use files::{Files, Listing};

/// Sets with fewer bytes of files are decoded by each run, without a cache file (4 MiB).
const MIN_CACHED_BYTES: u64 = 4 << 20;

/// With more files than this, the cache file is opened in the background.
const MAX_FOREGROUND_FILES: usize = 20_000;

/// Number of files whose bytes are in the key of the cache file; it also has the time at which each file was last changed.
const KEY_FILES: usize = 16;

/// Sets with fewer bytes of files have all of them in their fingerprint (64 MiB); of larger ones, it has `FINGERPRINT_FILES`.
const MAX_DIGESTED_BYTES: u64 = 64 << 20;

/// Number of files of a large set whose bytes are in the fingerprint, spread over it.
const FINGERPRINT_FILES: usize = 256;

/// Images in the files of a folder or an archive.
pub struct Folder {
    files: Arc<Files>,
    labels: Option<Arc<[Option<u32>]>>,
    /// Whether the labels are not in the names of the files, so that they are part of the fingerprint.
    labels_apart: bool,
    info: DatasetInfo,
    options: ImageOptions,
    shape: ImageShape,
    /// The file whose image determined the shape.
    model: usize,
    sample: Sample,
    file_states: FileStates,
    decoded: Decoded,
}

impl Folder {
    /// Opens the training images in a folder, a .zip, a .tar or a .tar.gz, with their classes. A few images spread over it
    /// determine what `options` leave open: the usual size, of which images of another size are then bad files, and colour,
    /// unless nearly all are grey.
    ///
    /// # Errors
    /// The folder or archive can't be read or has no image, or most of these images can't be used.
    pub fn open(root: &Path, options: &ImageOptions) -> Result<Self> {
        image_files::open_folder(root, options, evict::folder())
    }

    /// Concatenated image files in memory; `ends` are the end offsets in `bytes`, `root` is their origin.
    ///
    /// # Errors
    /// There is no image, or most of those looked at can't be used.
    pub(crate) fn in_memory(root: &Path, bytes: Vec<u8>, ends: &[usize], options: &ImageOptions) -> Result<Self> {
        let starts = [0].into_iter().chain(ends.iter().copied());
        let lengths = ends.iter().zip(starts).map(|(end, start)| (end - start) as u64);
        let names = lengths.enumerate().map(|(row, length)| (format!("row {row}"), length));
        let listing = Listing::in_memory(Container::in_memory(root, bytes, names));
        require_images(&listing)?;
        let files = listing.select(0..listing.len(), 0);
        Self::over(files, options, evict::folder())
    }

    /// The same images with the classes of `classes`, which has one label per image; without them if no image has a label.
    pub(crate) fn with_labels(mut self, classes: ClassLabels) -> Self {
        if classes.labels.len() == self.files.len() && !classes.names.is_empty() {
            let labels: Arc<[Option<u32>]> = classes.labels.into();
            self.labels = Some(Arc::clone(&labels));
            self.info = self.info.with_classes(classes.names, move |index| labels.get(index).copied().flatten());
            self.info.notes.extend(classes.notes);
        }
        self
    }

    /// `with_labels` of labels that are not in the names of the files.
    pub(crate) fn with_labels_apart(self, classes: ClassLabels) -> Self {
        let labels_apart = !classes.names.is_empty();
        Self { labels_apart, ..self.with_labels(classes) }
    }

    /// The same images under another name.
    pub(crate) fn named(mut self, name: String) -> Self {
        self.info.name = name;
        self
    }

    /// The same images with more notes, and the reasons why files that may hold labels are not used.
    pub(crate) fn with_notes(mut self, notes: Vec<String>, unused_labels: Vec<String>) -> Self {
        self.info.notes.extend(notes);
        self.info.unused_labels = unused_labels;
        self
    }

    /// The images in `files`, of which there is at least one, without labels.
    pub(crate) fn over(files: Files, options: &ImageOptions, cache_folder: Option<PathBuf>) -> Result<Self> {
        options.check()?;
        let files = Arc::new(files);
        let file_states = FileStates::new(files.len());
        let (survey, model, found) = survey(&files, options)?;
        let (options, shape, count) = (*options, options.apply(found), files.len());
        let mut info = DatasetInfo::new(files.root().display().to_string());
        let shaped = options.describe().map(|how| format!("images resized: {how}"));
        info.notes = [shaped, options.describe_values()].into_iter().flatten().collect();
        info.notes.extend(survey.remarks(&options, |index| files.path(index)));
        let sample = survey.facts();
        let look = {
            let files = Arc::clone(&files);
            move || contents(&files, shape, &options, cache_folder)
        };
        let decoded = if count > MAX_FOREGROUND_FILES && files.is_folder() {
            Decoded::open_later(count, shape, look)
        } else {
            let (contents, folder) = look();
            Decoded::open(&contents, folder.as_deref())
        };
        Ok(Self { files, labels: None, labels_apart: false, info, options, shape, model, sample, file_states, decoded })
    }

    /// The file of image `index`.
    pub fn file(&self, index: usize) -> Option<PathBuf> {
        (index < self.files.len()).then(|| self.files.path(index))
    }

    /// The next image with the same label, cyclically; any next image for one without label.
    fn next_with_label(&self, index: usize) -> usize {
        let count = self.files.len();
        let after = (index + 1..count).chain(0..index);
        let alike = |other: &usize| {
            self.labels.as_ref().is_none_or(|labels| labels[index].is_none() || labels[*other] == labels[index])
        };
        after.into_iter().find(alike).unwrap_or(index)
    }

    /// Writes image `index` into `out`, from the cache or from its file.
    fn read_image(&self, index: usize, out: &mut [f32]) -> Result<(), String> {
        match self.decoded.read(index, out) {
            Found::Image => return Ok(()),
            Found::Bad(reason) => return Err(reason),
            Found::Nothing => {}
        }
        let file = self.files.read(index);
        if file.is_err() && self.files.is_folder() {
            // A read error may be temporary, so it is not cached.
            return file.map(drop);
        }
        let image = file.and_then(|bytes| self.decode(&bytes));
        self.decoded.keep(index, image.as_deref().map_err(String::as_str));
        copy_bytes(&image?, out);
        Ok(())
    }

    fn decode(&self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let (shape, pixels) = decode(bytes, Some(self.shape.channels), &self.options)?;
        let wanted = self.shape;
        if self.options.size.is_none() && (shape.height, shape.width) != (wanted.height, wanted.width) {
            let model = self.files.path(self.model);
            return Err(format!("it has {}, but most have {}, as {}", size(shape), size(wanted), model.display()));
        }
        Ok(resize(pixels, shape, wanted, self.options.fit))
    }

    /// `images`, a digest of the images, with the labels if these are not in the names of the files.
    fn with_labels_digest(&self, images: String) -> String {
        match &self.labels {
            Some(labels) if self.labels_apart => labelled(&images, self.info.labels.classes(), labels),
            _ => images,
        }
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
        self.files.len()
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
                    Err(reason) => self.file_states.mark_bad(at, || BadFile { path: self.files.path(at), reason }),
                }
                refuse_too_many(&self.files, &self.file_states)?;
            }
            at = self.next_with_label(at);
            if at == index {
                return Err(none_good(&self.files, &self.file_states));
            }
        }
    }

    fn skipped(&self) -> Vec<BadFile> {
        self.file_states.bad()
    }

    fn sample(&self) -> Sample {
        self.sample
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

    fn image_name(&self, index: usize) -> String {
        self.file(index).map_or_else(|| format!("image {index}"), |path| path.display().to_string())
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
        self.info.digest(|| {
            let names = names_digest(&self.files, self.shape, &self.options);
            self.with_labels_digest(content_digest(&self.files, &names))
        })
    }

    fn earlier_fingerprints(&self) -> Vec<String> {
        // The content of the files was not in it; until labels beside the images were read, they were not either.
        let names = names_digest(&self.files, self.shape, &self.options);
        vec![self.with_labels_digest(names.clone()), names]
    }
}

/// The number of training images in a folder or archive, and their usual shape.
///
/// # Errors
/// As `Folder::open`.
pub(crate) fn layout(root: &Path) -> Result<(usize, ImageShape)> {
    let files = image_files::files(root)?;
    survey(&files, &ImageOptions::default()).map(|(_, _, shape)| (files.len(), shape))
}

/// Refuses a listing without images.
pub(crate) fn require_images(listing: &Listing) -> Result<()> {
    if listing.len() > 0 {
        return Ok(());
    }
    let names = || (0..listing.others()).map(|index| listing.other_name(index));
    let mut others = OtherFiles::default();
    names().for_each(|name| others.add(name));
    let notes: Vec<String> = others.describe().into_iter().chain(listing.passed().describe()).collect();
    let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join("; ")) };
    let hint = match names().find(|name| is_archive_name(name)) {
        Some(name) if !listing.is_folder() => {
            format!("an archive in an archive is not read: unpack the outer one, then use {name}")
        }
        _ => match names().find(|name| signatures::is_data_file(name)) {
            Some(name) if !listing.is_folder() => format!("unpack it, and give the folder of {name}"),
            _ => format!("expected {FORMATS} files, at any depth"),
        },
    };
    if listing.others() > 0 && !listing.is_folder() && names().all(|name| name.ends_with(".npy")) {
        let what = format!("{} holds {} arrays, no image files", listing.root().display(), listing.others());
        return Err(Error::data(what, "unpack it: a folder with one image in each .npy file is read"));
    }
    if let (Some((name, remedy)), false) = (signatures::of_members_named(names()), listing.is_folder()) {
        return Err(Error::data(format!("{} can't be read as images: it is {name}", listing.root().display()), remedy));
    }
    let what = format!("{} holds no image that can be read{notes}", listing.root().display());
    // What the first member of an archive is says less than that it is to be unpacked.
    let has_data = names().any(signatures::is_data_file);
    match signatures::of_file(listing.root()) {
        Some(kind) if !listing.is_folder() && !kind.is_packing() && !has_data => {
            Err(Error::data(format!("{what}: it is {}", kind.name), kind.remedy))
        }
        _ => Err(Error::data(what, hint)),
    }
}

/// Looks at a few images: returns the first one of the usual size, and the usual shape.
///
/// # Errors
/// Most of them can't be used, or have different sizes and are not to be resized.
fn survey(files: &Files, options: &ImageOptions) -> Result<(Survey, usize, ImageShape)> {
    let (survey, root) = (Survey::of(files.len(), options, |index| files.read(index)), files.root().display());
    let bad = |(index, reason): (usize, &str)| BadFile { path: files.path(index), reason: reason.to_owned() };
    let bad: Vec<BadFile> = survey.bad().map(bad).collect();
    let tried = survey.tried();
    if tried >= MIN_TRIED && 2 * bad.len() > tried {
        return Err(too_many(format!("{root}: {} of {tried} image files looked at can't be used", bad.len()), &bad));
    }
    let (Some(model), Some(shape)) = (survey.model(), survey.shape()) else {
        return Err(too_many(format!("{root}: no image file can be used"), &bad));
    };
    let (odd, good) = survey.odd_sizes();
    if options.size.is_none() && 2 * odd > good {
        let [least, most] = survey.extremes().unwrap_or_default().map(|(height, width)| format!("{height}x{width}"));
        let what = format!(
            "{root}: the {good} images looked at have several sizes, from {least} to {most} pixels (height x width)"
        );
        return Err(Error::data(what, SIZES_HINT));
    }
    Ok((survey, model, shape))
}

/// What to do where images have different sizes.
const SIZES_HINT: &str = "give all images one size, such as 64 (`data.size`)";

/// Whether a set was refused because its images have several sizes and none was given.
pub fn is_of_sizes(error: &Error) -> bool {
    error.hint() == SIZES_HINT
}

/// Returns an error if more than half of the files read are bad.
fn refuse_too_many(files: &Files, file_states: &FileStates) -> Result<()> {
    let Some((bad, tried)) = file_states.too_many_bad() else { return Ok(()) };
    let what = format!("{}: {bad} of the first {tried} image files can't be used", files.root().display());
    Err(too_many(what, &file_states.bad()))
}

/// The error if no image can replace a bad file.
fn none_good(files: &Files, file_states: &FileStates) -> Error {
    let what = format!("{}: no image file (of one class, at least) can be used", files.root().display());
    too_many(what, &file_states.bad())
}

fn too_many(what: String, bad: &[BadFile]) -> Error {
    let example = bad.last().map_or(String::new(), |bad| format!("; {}: {}", bad.path.display(), bad.reason));
    let sizes = bad.last().is_some_and(|bad| bad.reason.contains("(height x width), but"));
    let hint = match sizes {
        true => SIZES_HINT,
        false => "remove or replace the files; faussaire data check lists every bad one with its reason",
    };
    Error::data(format!("{what}{example}"), hint)
}

fn size(shape: ImageShape) -> String {
    format!("{}x{} pixels (height x width)", shape.height, shape.width)
}

/// A digest of the names and lengths of all files. Packing a folder doesn't change it.
fn names_digest(files: &Files, shape: ImageShape, options: &ImageOptions) -> String {
    let mut digest = Digest::new();
    let fit = if options.fit == Fit::Pad { ", fitted" } else { "" };
    digest.update(format!("folder {}x{shape}{fit}{}\n", files.len(), options.values_key()).as_bytes());
    // Common folders are left out.
    let shared = common_folders((0..files.len()).map(|index| files.name(index)));
    for index in 0..files.len() {
        digest.update(format!("{} {}\n", files.length(index), &files.name(index)[shared..]).as_bytes());
    }
    digest.finish()
}

/// A digest of the names and lengths of all files, given by their digest, and of the bytes of all files of a small set, of some
/// of a large one: files without compression, such as .bmp, all have one length.
fn content_digest(files: &Files, names: &str) -> String {
    let mut digest = Digest::new();
    digest.update(format!("files {names}\n").as_bytes());
    let is_small = (0..files.len()).map(|index| files.length(index)).sum::<u64>() <= MAX_DIGESTED_BYTES;
    let count = if is_small { files.len() } else { FINGERPRINT_FILES };
    spread(files.len(), count).for_each(|index| digest.update(&files.read(index).unwrap_or_default()));
    digest.finish()
}

/// A digest of images, given by their digest, and of their labels.
fn labelled(images: &str, names: &[String], labels: &[Option<u32>]) -> String {
    let mut digest = Digest::new();
    digest.update(format!("{images} {}\n", names.join("\n")).as_bytes());
    labels.iter().for_each(|label| digest.update(&label.unwrap_or(u32::MAX).to_le_bytes()));
    digest.finish()
}

/// The identity of the cached images, and the folder of the cache file if the set is large enough for one.
fn contents(
    files: &Files,
    shape: ImageShape,
    options: &ImageOptions,
    cache_folder: Option<PathBuf>,
) -> (Contents, Option<PathBuf>) {
    let count = files.len();
    let worth = |_: &PathBuf| (0..count).map(|index| files.length(index)).sum::<u64>() >= MIN_CACHED_BYTES;
    let cache_folder = cache_folder.filter(worth);
    let key = if cache_folder.is_some() { key(files, shape, options) } else { String::new() };
    (Contents { count, shape, key }, cache_folder)
}

/// A digest of everything the decoded bytes depend on: names, lengths and versions of all files, the bytes of some, and the
/// target shape.
fn key(files: &Files, shape: ImageShape, options: &ImageOptions) -> String {
    let mut digest = Digest::new();
    // Change the number when decoding or resizing changes.
    let how = format!("decoded 2: {}x{shape} {:?} {}", files.len(), options.fit, options.size.is_some());
    digest.update(format!("{how}{}\n", options.values_key()).as_bytes());
    for index in 0..files.len() {
        let (length, version) = (files.length(index), files.version(index));
        digest.update(format!("{length} {version} {}\n", files.cached_name(index)).as_bytes());
    }
    spread(files.len(), KEY_FILES).for_each(|index| digest.update(&files.read(index).unwrap_or_default()));
    digest.finish()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
