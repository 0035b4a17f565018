//! Sets as TensorFlow Datasets keeps them: TFRecord files of `tf.train.Example` messages with a PNG image and a label each, in
//! `NAME/VERSION/NAME-SPLIT.tfrecord-00000-of-00001`. They are read where a set by name is asked for; other records are not.
//! The records' own checksums are not compared: each PNG file has its own.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{ImageFormat, ImageReader, Limits};
use rayon::prelude::*;

use crate::dataset::ImageShape;
use crate::error::{Error, Result};
use crate::in_memory::InMemory;
use crate::open_options::Split;

/// A larger file is not one of these sets.
const LARGEST: u64 = 1 << 30;

/// What every image of a set has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    /// The set's name there.
    pub name: &'a str,
    pub shape: ImageShape,
    pub classes: &'a [&'a str],
}

/// The files of a split in one of `places`, in order, of the newest version that has all of them.
pub(crate) fn find(places: &[PathBuf], name: &str, split: Split) -> Option<Vec<PathBuf>> {
    let split = if split == Split::Train { "train" } else { "test" };
    places.iter().find_map(|place| {
        let mut versions = entries(&place.join(name));
        versions.sort();
        versions.iter().rev().find_map(|version| {
            let prefix = format!("{name}-{split}.tfrecord-");
            let is_part = |path: &PathBuf| file_name(path).starts_with(&prefix);
            let mut parts: Vec<PathBuf> = entries(version).into_iter().filter(is_part).collect();
            parts.sort();
            let count: usize = file_name(parts.first()?).rsplit_once("-of-")?.1.parse().ok()?;
            (parts.len() == count).then_some(parts)
        })
    })
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Reads the images and labels in `files`.
///
/// # Errors
/// A file that can't be read, is cut short, or holds other records.
pub(crate) fn open(files: &[PathBuf], wanted: Wanted) -> Result<InMemory> {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for file in files {
        let about = std::fs::metadata(file).map_err(Error::io("read", file))?;
        if about.len() > LARGEST {
            return Err(damaged(file, format!("it has {} bytes", about.len())));
        }
        let bytes = std::fs::read(file).map_err(Error::io("read", file))?;
        let records = records(&bytes).ok_or_else(|| damaged(file, "it is cut short"))?;
        let read: Vec<(Vec<u8>, u32)> = records
            .par_iter()
            .enumerate()
            .map(|(at, record)| example(record, wanted).map_err(|what| damaged(file, format!("record {at}: {what}"))))
            .collect::<Result<_>>()?;
        for (image, label) in read {
            pixels.extend(image);
            labels.push(label);
        }
    }
    let classes = wanted.classes.iter().map(ToString::to_string).collect();
    InMemory::from_bytes(wanted.name, wanted.shape, pixels)?.with_labels(labels, classes)
}

fn damaged(file: &Path, what: impl std::fmt::Display) -> Error {
    Error::data(
        format!("{} can't be read: {what}", file.display()),
        "let TensorFlow Datasets make it anew, or move its folder away, so that the set is fetched",
    )
}

/// The records of a file: a length of 8 bytes, 4 bytes of checksum, the bytes, 4 bytes of checksum. None where it is cut short.
fn records(mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let length = usize::try_from(u64::from_le_bytes(bytes.get(..8)?.try_into().ok()?)).ok()?;
        let end = length.checked_add(12)?;
        all.push(bytes.get(12..end)?);
        bytes = bytes.get(end.checked_add(4)?..)?;
    }
    Some(all)
}

/// The pixels and the label of a record.
fn example(record: &[u8], wanted: Wanted) -> std::result::Result<(Vec<u8>, u32), String> {
    let broken = || "it is no message with features".to_owned();
    let features = fields(record).ok_or_else(broken)?.into_iter().find(|field| field.0 == 1).ok_or_else(broken)?.1;
    let (mut png, mut label) = (None, None);
    for (_, entry) in fields(features).ok_or_else(broken)? {
        let entry = fields(entry).ok_or_else(broken)?;
        let part = |number: u64| entry.iter().find(|field| field.0 == number).map(|field| field.1);
        // The value is a list of bytes (1) or of whole numbers (3), with its values in field 1.
        let value = |kind: u64| {
            let list = fields(part(2)?)?.into_iter().find(|field| field.0 == kind)?.1;
            Some(fields(list)?.into_iter().find(|field| field.0 == 1)?.1)
        };
        match part(1) {
            Some(b"image") => png = value(1),
            Some(b"label") => label = value(3).and_then(|packed| varint(&mut &*packed)),
            _ => {}
        }
    }
    let (png, label) = png.zip(label).ok_or("it has no `image` and `label`")?;
    let mut reader = ImageReader::with_format(Cursor::new(png), ImageFormat::Png);
    let mut limits = Limits::default();
    limits.max_alloc = Some(1 << 20);
    reader.limits(limits);
    let image = reader.decode().map_err(|error| format!("its image: {error}"))?;
    let ImageShape { height, width, channels } = wanted.shape;
    let found = (image.height() as usize, image.width() as usize, usize::from(image.color().channel_count()));
    if found != (height, width, channels) || image.as_bytes().len() != wanted.shape.len() {
        return Err(format!("its image is {}x{}x{}, expected {}", found.0, found.1, found.2, wanted.shape));
    }
    let label = u32::try_from(label).map_err(|_| format!("its label is {label}"))?;
    Ok((image.into_bytes(), label))
}

/// The fields of a protobuf message: number and bytes; of a number its bytes as a varint.
fn fields(mut message: &[u8]) -> Option<Vec<(u64, &[u8])>> {
    let mut all = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message)?;
        let length = match key & 7 {
            0 => message.iter().position(|byte| byte & 0x80 == 0)? + 1,
            1 => 8,
            2 => usize::try_from(varint(&mut message)?).ok()?,
            5 => 4,
            _ => return None,
        };
        all.push((key >> 3, message.get(..length)?));
        message = message.get(length..)?;
    }
    Some(all)
}

/// Reads a number of seven bits per byte, the lowest first.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7F) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Dataset;

    const WANTED: Wanted =
        Wanted { name: "mnist", shape: ImageShape { height: 2, width: 3, channels: 1 }, classes: &["a", "b", "c"] };

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let length = bytes.len();
        let mut field = vec![number << 3 | 2];
        if length < 128 {
            field.push(length as u8)
        } else {
            field.extend([length as u8 & 0x7F | 0x80, (length >> 7) as u8])
        }
        field.extend_from_slice(bytes);
        field
    }

    fn record(grey: u8, label: u8) -> Vec<u8> {
        let mut png = Cursor::new(Vec::new());
        image::GrayImage::from_pixel(3, 2, image::Luma([grey])).write_to(&mut png, ImageFormat::Png).unwrap();
        let entry = |key: &str, value: Vec<u8>| field(1, &[field(1, key.as_bytes()), field(2, &value)].concat());
        let image = entry("image", field(1, &field(1, png.get_ref())));
        let label = entry("label", field(3, &field(1, &[label])));
        field(1, &[label, image].concat())
    }

    fn file(records: &[Vec<u8>]) -> Vec<u8> {
        let framed = |record: &Vec<u8>| [&(record.len() as u64).to_le_bytes()[..], &[0; 4], record, &[0; 4]].concat();
        records.iter().flat_map(framed).collect()
    }

    #[test]
    fn shards_are_read_in_order_with_their_labels() {
        let folder = tempfile::tempdir().unwrap();
        let places = [folder.path().to_path_buf()];
        for (version, greys) in [("1.0.0", [1u8, 2]), ("3.0.1", [70, 90])] {
            let root = folder.path().join("mnist").join(version);
            std::fs::create_dir_all(&root).unwrap();
            for (nth, grey) in greys.into_iter().enumerate() {
                let path = root.join(format!("mnist-train.tfrecord-0000{nth}-of-00002"));
                std::fs::write(path, file(&[record(grey, 2), record(grey + 1, 0)])).unwrap();
            }
        }
        assert_eq!(find(&places, "mnist", Split::Test), None);
        let files = find(&places, "mnist", Split::Train).unwrap();
        assert!(files.len() == 2 && files[0].to_string_lossy().contains("3.0.1"), "{files:?}");
        let set = open(&files, WANTED).unwrap();
        assert_eq!(
            (set.len(), set.shape(), set.classes()),
            (4, WANTED.shape, vec!["a".into(), "b".into(), "c".into()])
        );
        let mut image = [0.0; 6];
        set.read(2, &mut image).unwrap();
        assert!(image.iter().all(|v| (v * 255.0 - 90.0).abs() < 0.01), "{image:?}");
        assert_eq!([0, 1, 2, 3].map(|at| set.label(at)), [Some(2), Some(0), Some(2), Some(0)]);
        std::fs::remove_file(&files[1]).unwrap();
        assert!(
            find(&places, "mnist", Split::Train).unwrap()[0].to_string_lossy().contains("1.0.0"),
            "a part is missing"
        );
    }

    #[test]
    fn other_and_damaged_records_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let whole = file(&[record(9, 1)]);
        let said = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            open(std::slice::from_ref(&path), WANTED).map_or_else(|error| error.to_string(), |_| "read".into())
        };
        assert_eq!(said(&whole), "read");
        for cut in 1..whole.len() {
            assert!(said(&whole[..cut]).contains("cut short"), "{cut}");
        }
        assert!(said(&file(&[record(9, 3)])).contains("label 0 is 3"));
        assert!(said(&file(&[field(1, &field(1, &field(1, b"audio")))])).contains("no `image` and `label`"));
        assert!(said(&file(&[vec![0xFF; 30]])).contains("no message"));
        let other = Wanted { shape: ImageShape { height: 3, width: 3, channels: 1 }, ..WANTED };
        std::fs::write(&path, &whole).unwrap();
        let error = open(std::slice::from_ref(&path), other).unwrap_err().to_string();
        assert!(error.contains("its image is 2x3x1, expected 3x3x1"), "{error}");
    }
}
