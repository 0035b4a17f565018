//! What fuzzing calls, a function per kind of file: by `fuzz.rs` in the tests, by libFuzzer in the folder `fuzz` of the
//! repository. A reader may refuse what it gets, but must not panic, nor return values outside [0, 1].

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::pictures::{DECODER_FAILED, decode, is_image, look};
use super::{Attributes, Background, Dataset, Fit, Folder, ImageOptions, OpenOptions, Split, check, idx, npy, npz};
use super::{cifar, pixel_csv, stl10};
use crate::error::Result;
use crate::formats::compression;

const SMALL: ImageOptions =
    ImageOptions { size: Some((8, 8)), channels: Some(3), fit: Fit::Pad, background: Background::WHITE, range: None };

/// Most bytes that are unpacked.
const MAX_UNPACKED: u64 = 1 << 24;

/// An image file.
pub fn image(bytes: &[u8]) {
    match decode(bytes, Some(3), &ImageOptions::default()) {
        Ok((shape, pixels)) => assert!(is_image(bytes) && pixels.len() == shape.len()),
        Err(reason) => assert_ne!(reason, DECODER_FAILED),
    }
    if let Err(reason) = look(bytes, &SMALL) {
        assert_ne!(reason, DECODER_FAILED);
    }
}

/// A zip or tar archive of image files, packed or not.
pub fn archive(bytes: &[u8]) {
    with_file("x", bytes, |path| {
        read_some(Folder::open(path, &SMALL));
        let _ = check(&path.to_string_lossy(), &OpenOptions::default(), &mut |_| {});
    });
}

/// A gzip, bzip2, XZ or Zstandard stream.
pub fn compressed(bytes: &[u8]) {
    if let Ok((reader, _)) = compression::unpacked(bytes) {
        let _ = reader.take(MAX_UNPACKED).read_to_end(&mut Vec::new());
    }
}

/// An IDX file.
pub fn idx(bytes: &[u8]) {
    with_file("x", bytes, |path| read_some(idx::open(path, &OpenOptions::default())));
}

/// A `.npy` array.
pub fn npy(bytes: &[u8]) {
    with_file("x.npy", bytes, |path| read_some(npy::open(path, &OpenOptions::default())));
}

/// An `.npz` archive of arrays.
pub fn npz(bytes: &[u8]) {
    with_file("x.npz", bytes, |path| {
        npz::matches(path);
        read_some(npz::open(path, &OpenOptions::default()));
    });
}

/// Rows as CIFAR-10 has them, or an archive of such.
pub fn cifar(bytes: &[u8]) {
    with_file("data_batch_1.bin", bytes, |path| {
        let _ = (cifar::is_rows(path), cifar::is_archive(path));
        read_some(cifar::open(path, Split::Train));
        if stl10::is_archive(path) {
            read_some(stl10::open(path, Split::Train));
        }
    });
}

/// A table of pixels.
pub fn pixel_csv(bytes: &[u8]) {
    with_file("x.csv", bytes, |path| {
        if pixel_csv::matches(path, &bytes[..bytes.len().min(1024)]) {
            read_some(pixel_csv::open(path, &OpenOptions::default()));
        }
    });
}

/// A table of attributes of images.
pub fn attributes(bytes: &[u8]) {
    if let Ok(table) = Attributes::parse(bytes, "x") {
        assert!(!table.is_empty() && !table.names().is_empty());
    }
}

/// A parquet table of image files.
#[cfg(feature = "parquet")]
pub fn parquet(bytes: &[u8]) {
    with_file("x.parquet", bytes, |path| read_some(super::parquet::open(path, Split::Train, &SMALL)));
}

/// Any file under a name without a meaning, or with that of a format.
pub fn any(bytes: &[u8]) {
    for name in ["x", "x.csv", "x.npy"] {
        with_file(name, bytes, |path| {
            let opened = super::open(&path.to_string_lossy(), &OpenOptions::default(), &mut |_| {});
            opened.iter().for_each(|set| read(&**set));
        });
    }
}

/// Reads the first images of a set, if it opens.
fn read_some<D: Dataset>(set: Result<D>) {
    set.iter().for_each(|set| read(set));
}

fn read(set: &dyn Dataset) {
    assert!(!set.fingerprint().is_empty());
    let mut image = vec![0.0; set.shape().len()];
    for index in 0..set.len().min(8) {
        if set.read(index, &mut image).is_ok() {
            assert!(image.iter().all(|value| (0.0..=1.0).contains(value)));
        }
    }
    assert!(set.skipped().iter().all(|bad| bad.reason != DECODER_FAILED));
}

/// Calls `load` with the path of a file of these bytes, in a folder of its own.
fn with_file(name: &str, bytes: &[u8], load: impl Fn(&Path)) {
    static SERIAL: AtomicU64 = AtomicU64::new(0);
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let folder = Scratch(std::env::temp_dir().join(format!("faussaire-fuzz-{}-{serial}", std::process::id())));
    std::fs::create_dir(&folder.0).unwrap();
    let path = folder.0.join(name);
    std::fs::write(&path, bytes).unwrap();
    load(&path);
}

/// A folder that is removed again.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
