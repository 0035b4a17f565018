//! A data set in memory: one byte or one `f32` per value, as in the source. Programs use it to pass their own images.

use super::alpha;
use super::class_labels::ClassLabels;
use super::dataset::{Dataset, DatasetInfo, ImageShape};
use super::digest::Digest;
use crate::error::{Error, Result};

/// Size limit of a data set in memory (4 GiB); a file that declares more is refused before allocation.
pub const MAX_SET_BYTES: u64 = 4 << 30;

/// Maximum height and width of an image, in pixels.
pub const MAX_SIDE: u64 = 16_384;

/// The values of all images, one after the other.
enum Pixels {
    /// 0 to 255, read as 0 to 1.
    Bytes(Vec<u8>),
    /// In [0, 1].
    Floats(Vec<f32>),
}

impl Pixels {
    fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Floats(floats) => floats.len(),
        }
    }
}

/// A data set in memory.
///
/// ```
/// use faussaire_data::{Dataset, ImageShape, InMemory}; // faussaire::data
///
/// # fn main() -> faussaire_data::Result<()> {
/// let shape = ImageShape { height: 2, width: 2, channels: 1 };
/// let images = InMemory::from_bytes("two", shape, vec![0, 51, 102, 255, 9, 9, 9, 9])?
///     .with_labels(vec![1, 0], vec!["plain".into(), "mixed".into()])?;
/// let mut pixels = [0.0; 4];
/// images.read(0, &mut pixels)?;
/// assert_eq!(pixels, [0.0, 0.2, 0.4, 1.0]);
/// assert_eq!((images.len(), images.info().labels.class(1)), (2, Some(0)));
/// assert!(InMemory::from_bytes("cut", shape, vec![0; 5]).is_err());
/// # Ok(())
/// # }
/// ```
pub struct InMemory {
    shape: ImageShape,
    count: usize,
    pixels: Pixels,
    info: DatasetInfo,
    /// The labels in the fingerprint.
    digested: Vec<u32>,
    /// The values of a file that became black and white, if that is known.
    levels: Option<(f64, f64)>,
    /// Labels that are not used, as they may be the numbers of the images.
    aside: Option<ClassLabels>,
}

impl InMemory {
    /// A set of images of `shape` from one byte per value, channels-last, image after image. The colour of transparent pixels
    /// becomes 0.
    ///
    /// # Errors
    /// `bytes` is empty or not a whole number of images.
    pub fn from_bytes(name: impl Into<String>, shape: ImageShape, bytes: Vec<u8>) -> Result<Self> {
        Self::new(name.into(), shape, Pixels::Bytes(bytes))
    }

    /// A set of images of `shape` from floats in [0, 1], channels-last, image after image.
    ///
    /// # Errors
    /// `values` is empty, not a whole number of images, or has a value outside [0, 1].
    pub fn from_floats(name: impl Into<String>, shape: ImageShape, values: Vec<f32>) -> Result<Self> {
        let name = name.into();
        if let Some(at) = values.iter().position(|value| !(0.0..=1.0).contains(value)) {
            return Err(Error::data(
                format!("{name}: value {at} is {}, outside [0, 1]", values[at]),
                "scale the pixels to [0, 1]",
            ));
        }
        Self::new(name, shape, Pixels::Floats(values))
    }

    fn new(name: String, shape: ImageShape, mut pixels: Pixels) -> Result<Self> {
        let values = pixels.len();
        if !shape.is_picture() {
            return Err(Error::data(
                format!("{name}: images of {shape} are not supported"),
                "expected at least one pixel, and 1 (grey), 3 (RGB) or 4 (RGBA) channels",
            ));
        }
        if values == 0 || !values.is_multiple_of(shape.len()) {
            return Err(Error::data(
                format!("{name}: {values} values are not one or more images of {shape} ({} values each)", shape.len()),
                "check the shape",
            ));
        }
        if shape.channels == 4 {
            match &mut pixels {
                Pixels::Bytes(bytes) => alpha::clear(bytes),
                Pixels::Floats(floats) => alpha::clear(floats),
            }
        }
        let count = values / shape.len();
        Ok(Self { shape, count, pixels, info: DatasetInfo::new(name), digested: Vec::new(), levels: None, aside: None })
    }

    /// The same images with one label each; label `k` means `classes[k]`.
    ///
    /// # Errors
    /// The counts differ or a label has no class.
    pub fn with_labels(mut self, labels: Vec<u32>, classes: Vec<String>) -> Result<Self> {
        self.check_count(labels.len())?;
        if let Some(at) = labels.iter().position(|&label| label as usize >= classes.len()) {
            return Err(Error::data(
                format!("{}: label {at} is {}, but there are {} classes", self.info.name, labels[at], classes.len()),
                format!("expected labels from 0 to {}", classes.len().saturating_sub(1)),
            ));
        }
        self.digested.clone_from(&labels);
        self.info = self.info.with_classes(classes, move |index| labels.get(index).copied());
        Ok(self)
    }

    /// The same images with the classes of `classes`; without them if no image has a label. They are part of the fingerprint.
    ///
    /// # Errors
    /// The counts differ.
    pub(crate) fn with_class_labels(self, classes: ClassLabels) -> Result<Self> {
        let digested = classes.labels.iter().map(|label| label.unwrap_or(u32::MAX)).collect();
        self.with_digested_labels(classes, digested)
    }

    /// The same images with the classes of `classes`, for which `digested` is in the fingerprint: nothing for labels that earlier
    /// versions did not read, so that their runs resume.
    ///
    /// # Errors
    /// The counts differ.
    pub(crate) fn with_digested_labels(mut self, classes: ClassLabels, digested: Vec<u32>) -> Result<Self> {
        let ClassLabels { labels, names, notes } = classes;
        self.check_count(labels.len())?;
        self.digested = digested;
        if !names.is_empty() {
            self.info = self.info.with_classes(names, move |index| labels.get(index).copied().flatten());
            self.info.notes.extend(notes);
        }
        Ok(self)
    }

    /// The same images with attributes, image by image.
    ///
    /// # Errors
    /// The counts differ.
    pub(crate) fn with_attributes(mut self, names: Vec<String>, has: Vec<bool>) -> Result<Self> {
        let (width, count) = (names.len().max(1), self.count);
        self.check_count(has.len() / width)?;
        self.info = self.info.with_attributes(names, move |index, attribute| {
            (index < count && attribute < width).then(|| has.get(index * width + attribute).copied()).flatten()
        });
        Ok(self)
    }

    fn check_count(&self, labels: usize) -> Result<()> {
        if labels == self.count {
            return Ok(());
        }
        Err(Error::data(
            format!("{}: {} images but {labels} labels", self.info.name, self.count),
            "images and labels must come from the same set",
        ))
    }

    /// The same images with the bytes of `range`, if given, as black and white.
    pub(crate) fn ranged(mut self, range: Option<(f32, f32)>) -> Self {
        if let (Some((black, white)), Pixels::Bytes(bytes)) = (range, &mut self.pixels) {
            let level =
                |byte: u8| (255.0 * ((f32::from(byte) - black) / (white - black)).clamp(0.0, 1.0)).round() as u8;
            bytes.iter_mut().for_each(|byte| *byte = level(*byte));
            self.info.notes.push(format!("pixel values from {black} to {white} become black to white"));
        }
        self
    }

    /// The images with these numbers, in this order, with their labels.
    ///
    /// # Errors
    /// There are none, or there is no such image.
    pub(crate) fn only(self, images: &[usize]) -> Result<Self> {
        if let Some(at) = images.iter().find(|at| **at >= self.count) {
            return Err(Error::data(format!("{} has no image {at}", self.info.name), "give numbers of its images"));
        }
        fn of<T: Copy>(values: &[T], length: usize, images: &[usize]) -> Vec<T> {
            images.iter().flat_map(|at| &values[at * length..][..length]).copied().collect()
        }
        let length = self.shape.len();
        let pixels = match &self.pixels {
            Pixels::Bytes(bytes) => Pixels::Bytes(of(bytes, length, images)),
            Pixels::Floats(floats) => Pixels::Floats(of(floats, length, images)),
        };
        let digested = if self.digested.is_empty() { Vec::new() } else { of(&self.digested, 1, images) };
        let info = self.info.at(&images.into());
        Ok(Self { info, digested, ..Self::new(String::new(), self.shape, pixels)? })
    }

    /// The same set with labels that are not used, and why not.
    pub(crate) fn with_labels_aside(self, classes: ClassLabels, reason: String) -> Self {
        Self { aside: Some(classes), ..self }.with_unused_labels(reason)
    }

    /// The labels that are not used, as they may be the numbers of the images.
    pub(crate) fn labels_aside(&self) -> Option<&ClassLabels> {
        self.aside.as_ref()
    }

    /// The same set, whose black and white were these values in its file.
    pub(crate) fn with_levels(self, black: f64, white: f64) -> Self {
        Self { levels: Some((black, white)), ..self }
    }

    /// The values of a file that became black and white, if that is known.
    pub(crate) fn levels(&self) -> Option<(f64, f64)> {
        self.levels
    }

    /// The same set with the reason why what may be its labels is not used.
    pub(crate) fn with_unused_labels(mut self, reason: String) -> Self {
        self.info.unused_labels.push(reason);
        self
    }

    /// The same set with these notes for the user, and no others.
    pub(crate) fn only_notes(mut self, notes: Vec<String>) -> Self {
        self.info.notes = notes;
        self
    }

    /// The same set with more notes for the user.
    pub(crate) fn with_notes(mut self, notes: impl IntoIterator<Item = String>) -> Self {
        self.info.notes.extend(notes);
        self
    }

    /// The images of all `sets`, one after the other, without labels.
    ///
    /// # Errors
    /// Their shapes differ, or they exceed the memory limit.
    pub(crate) fn concatenated(name: impl Into<String>, sets: Vec<Self>) -> Result<Self> {
        let name = name.into();
        let Some(shape) = sets.first().map(|set| set.shape) else {
            return Err(Error::data(format!("{name} holds no images"), "give it images"));
        };
        let (values, all_bytes) = (
            sets.iter().map(|set| set.pixels.len() as u64).sum::<u64>(),
            sets.iter().all(|set| matches!(set.pixels, Pixels::Bytes(_))),
        );
        if sets.iter().any(|set| set.shape != shape) || values > MAX_SET_BYTES / if all_bytes { 1 } else { 4 } {
            return Err(Error::data(
                format!("{name}: its images differ in shape, or take more than {MAX_SET_BYTES} bytes of memory"),
                "name one of its files",
            ));
        }
        let (mut bytes, mut floats, mut notes) = (Vec::new(), Vec::new(), Vec::new());
        for set in sets {
            match set.pixels {
                Pixels::Bytes(more) if all_bytes => bytes.extend(more),
                Pixels::Bytes(more) => floats.extend(more.into_iter().map(|byte| f32::from(byte) / 255.0)),
                Pixels::Floats(more) => floats.extend(more),
            }
            notes.extend(set.info.notes.into_iter().filter(|note| !notes.contains(note)).collect::<Vec<_>>());
        }
        let set =
            if all_bytes { Self::from_bytes(name, shape, bytes)? } else { Self::from_floats(name, shape, floats)? };
        Ok(set.with_notes(notes))
    }

    /// The same set under another name.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.info.name = name.into();
        self
    }

    fn digest(&self) -> String {
        let mut digest = Digest::new();
        let kind = match &self.pixels {
            Pixels::Bytes(_) => "u8",
            Pixels::Floats(_) => "f32",
        };
        digest.update(format!("{kind} {}x{}\n", self.count, self.shape).as_bytes());
        match &self.pixels {
            Pixels::Bytes(bytes) => digest.update(bytes),
            Pixels::Floats(floats) => {
                let mut bytes = Vec::with_capacity(4 * self.shape.len());
                for image in floats.chunks(self.shape.len()) {
                    bytes.clear();
                    bytes.extend(image.iter().flat_map(|value| value.to_le_bytes()));
                    digest.update(&bytes);
                }
            }
        }
        self.digested.iter().for_each(|label| digest.update(&label.to_le_bytes()));
        digest.finish()
    }
}

impl std::fmt::Debug for InMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InMemory({}: {} images of {})", self.info.name, self.count, self.shape)
    }
}

impl Dataset for InMemory {
    fn len(&self) -> usize {
        self.count
    }

    fn shape(&self) -> ImageShape {
        self.shape
    }

    fn read(&self, index: usize, out: &mut [f32]) -> Result<()> {
        let size = self.shape.len();
        check_read(self, index, out)?;
        let range = index * size..(index + 1) * size;
        match &self.pixels {
            Pixels::Bytes(bytes) => copy_bytes(&bytes[range], out),
            Pixels::Floats(floats) => out.copy_from_slice(&floats[range]),
        }
        Ok(())
    }

    fn info(&self) -> &DatasetInfo {
        &self.info
    }

    fn fingerprint(&self) -> String {
        self.info.digest(|| self.digest())
    }
}

/// Bytes 0 to 255 as floats 0 to 1.
pub(super) fn copy_bytes(bytes: &[u8], out: &mut [f32]) {
    for (value, &byte) in out.iter_mut().zip(bytes) {
        *value = f32::from(byte) / 255.0;
    }
}

/// Refuses an index past the end, and a buffer that is not the size of one image.
pub(super) fn check_read(dataset: &dyn Dataset, index: usize, out: &[f32]) -> Result<()> {
    if index >= dataset.len() {
        return Err(Error::usage(
            format!("{}: image {index} of {} images was requested", dataset.name(), dataset.len()),
            format!("expected an index from 0 to {}", dataset.len().saturating_sub(1)),
        ));
    }
    if out.len() != dataset.shape().len() {
        return Err(Error::usage(
            format!("{}: a buffer of {} values for an image of {}", dataset.name(), out.len(), dataset.shape()),
            format!("expected {} values", dataset.shape().len()),
        ));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    const SHAPE: ImageShape = ImageShape { height: 1, width: 2, channels: 1 };

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|k| k.to_string()).collect()
    }

    #[test]
    fn transparent_pixels_have_no_colour() {
        let shape = ImageShape { height: 1, width: 2, channels: 4 };
        let bytes = InMemory::from_bytes("x", shape, vec![9, 9, 9, 0, 51, 0, 0, 255]).unwrap();
        let floats = InMemory::from_floats("x", shape, vec![0.1, 0.1, 0.1, 0.0, 0.2, 0.0, 0.0, 1.0]).unwrap();
        for set in [&bytes, &floats] {
            let mut image = [7.0; 8];
            set.read(0, &mut image).unwrap();
            assert_eq!(image, [0.0, 0.0, 0.0, 0.0, 0.2, 0.0, 0.0, 1.0]);
        }
    }

    #[test]
    fn bytes_read_as_zero_to_one() {
        let set = InMemory::from_bytes("x", SHAPE, vec![0, 255, 51, 102]).unwrap();
        let mut image = [9.0; 2];
        set.read(1, &mut image).unwrap();
        assert_eq!(image, [0.2, 0.4]);
        set.read(0, &mut image).unwrap();
        assert_eq!(image, [0.0, 1.0]);
        assert_eq!((set.len(), set.label(0)), (2, None));
    }

    #[test]
    fn wrong_requests_are_errors() {
        let set = InMemory::from_bytes("x", SHAPE, vec![1, 2, 3, 4]).unwrap();
        assert!(set.read(2, &mut [0.0; 2]).is_err());
        assert!(set.read(0, &mut [0.0; 3]).is_err());
        assert!(InMemory::from_bytes("x", SHAPE, vec![1, 2, 3]).is_err());
        assert!(InMemory::from_bytes("x", SHAPE, vec![]).is_err());
        assert!(InMemory::from_floats("x", SHAPE, vec![0.5, 1.5]).is_err());
        assert!(InMemory::from_floats("x", SHAPE, vec![0.5, f32::NAN]).is_err());
        let two_channels = ImageShape { channels: 2, ..SHAPE };
        assert!(InMemory::from_bytes("x", two_channels, vec![1, 2, 3, 4]).is_err());
    }

    #[test]
    fn labels_must_fit_images_and_classes() {
        let set = || InMemory::from_bytes("x", SHAPE, vec![1, 2, 3, 4]).unwrap();
        let labelled = set().with_labels(vec![1, 0], names(2)).unwrap();
        assert_eq!((labelled.label(0), labelled.label(1), labelled.label(2)), (Some(1), Some(0), None));
        let error = set().with_labels(vec![0], names(2)).unwrap_err();
        assert_eq!(error.to_string(), "x: 2 images but 1 labels");
        let error = set().with_labels(vec![0, 2], names(2)).unwrap_err();
        assert_eq!(error.to_string(), "x: label 1 is 2, but there are 2 classes");
    }

    #[test]
    fn fingerprint_follows_content_not_name() {
        let print = |bytes: &[u8]| InMemory::from_bytes("x", SHAPE, bytes.to_vec()).unwrap().fingerprint();
        let base = print(&[1, 2, 3, 4]);
        assert_eq!(base.len(), 64);
        assert_eq!(base, InMemory::from_bytes("y", SHAPE, vec![1, 2, 3, 4]).unwrap().fingerprint());
        assert_ne!(base, print(&[1, 2, 3, 5]));
        let tall = ImageShape { height: 2, width: 1, channels: 1 };
        assert_ne!(base, InMemory::from_bytes("x", tall, vec![1, 2, 3, 4]).unwrap().fingerprint());
        let labelled = InMemory::from_bytes("x", SHAPE, vec![1, 2, 3, 4]).unwrap().with_labels(vec![0, 1], names(2));
        assert_ne!(base, labelled.unwrap().fingerprint());
        let floats = |v: f32| InMemory::from_floats("x", SHAPE, vec![v, 1.0]).unwrap().fingerprint();
        assert_ne!(floats(0.5), floats(0.25));
    }
}
