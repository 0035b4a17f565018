//! `.npy` files of images, as `numpy.save` writes them: `[n, 784]` (any square), `[n, height, width]` or
//! `[n, height, width, channels]`, as bytes, booleans or floats. Arrays of Python objects are refused: they are
//! pickles, and unpickling runs code.

mod header;
mod layout;
mod write;

use std::io::Read;
use std::path::Path;

use crate::dataset::ImageShape;
use crate::error::{Error, Result};
use crate::in_memory::InMemory;
pub(crate) use header::Header;
use layout::{Kind, Layout};
pub(crate) use layout::{check, damaged};
pub use write::{NpyWriter, write_npy_u8};

/// Whether these first bytes are those of a `.npy` file.
pub(crate) fn matches(start: &[u8]) -> bool {
    start.starts_with(&header::MAGIC)
}

/// Opens a `.npy` file of images. Bytes are 0 to 255 (or 0 to 1 if no byte is larger); the range of floats is
/// inferred from their extremes: [0, 1], [-1, 1] or [0, 255].
///
/// # Errors
/// Where the file can't be read, holds more or less than its header declares, or no images.
pub fn open(path: &Path) -> Result<InMemory> {
    let (mut reader, layout) = layout::open(path)?;
    read(path, &mut reader, &layout)
}

/// Reads the values that follow a header; `path` is the set's name and for messages.
pub(crate) fn read(path: &Path, reader: &mut (impl Read + ?Sized), layout: &Layout) -> Result<InMemory> {
    let values = layout.count * layout.shape.len();
    let name = path.display().to_string();
    match layout.kind {
        Kind::U8 | Kind::Bool => {
            let mut bytes = vec![0u8; values];
            reader.read_exact(&mut bytes).map_err(Error::io("read", path))?;
            if layout.kind == Kind::Bool || bytes.iter().all(|&byte| byte <= 1) {
                bytes.iter_mut().for_each(|byte| *byte = if *byte == 0 { 0 } else { 255 });
            }
            InMemory::from_bytes(name, layout.shape, bytes)
        }
        kind @ (Kind::F32 { .. } | Kind::F64 { .. }) => {
            let floats = read_floats(path, reader, kind, values, layout.shape)?;
            InMemory::from_floats(name, layout.shape, to_unit(path, floats)?)
        }
    }
}

/// The number and shape of the images in a `.npy` file, from its header and size only.
///
/// # Errors
/// As `open`, except for errors in the values.
pub fn layout(path: &Path) -> Result<(usize, ImageShape)> {
    layout::open(path).map(|(_, layout)| (layout.count, layout.shape))
}

fn read_floats(
    path: &Path,
    reader: &mut (impl Read + ?Sized),
    kind: Kind,
    count: usize,
    shape: ImageShape,
) -> Result<Vec<f32>> {
    let width = kind.width() as usize;
    let mut floats = Vec::with_capacity(count);
    let mut chunk = vec![0u8; 8192 * width];
    while floats.len() < count {
        let bytes = (count - floats.len()).min(8192) * width;
        reader.read_exact(&mut chunk[..bytes]).map_err(Error::io("read", path))?;
        for value in chunk[..bytes].chunks_exact(width).map(|bytes| kind.float(bytes)) {
            if !value.is_finite() {
                return Err(Error::data(
                    format!("{}: a value of image {} is {value}", path.display(), floats.len() / shape.len()),
                    "expected finite pixels: numpy.isfinite(a) shows where they are not",
                ));
            }
            floats.push(value as f32);
        }
    }
    Ok(floats)
}

/// Maps floats to [0, 1] from the smallest of the three usual ranges that contains them. Values slightly outside, as after
/// resampling, are clamped.
fn to_unit(path: &Path, mut floats: Vec<f32>) -> Result<Vec<f32>> {
    const TOLERANCE: f32 = 1e-3;
    let (low, high) = floats.iter().fold((f32::MAX, f32::MIN), |(low, high), &value| (low.min(value), high.max(value)));
    let (from, to) = match () {
        () if low >= -TOLERANCE && high <= 1.0 + TOLERANCE => (0.0, 1.0),
        () if low >= -1.0 - TOLERANCE && high <= 1.0 + TOLERANCE => (-1.0, 1.0),
        () if low >= -255.0 * TOLERANCE && high <= 255.0 * (1.0 + TOLERANCE) => (0.0, 255.0),
        () => {
            return Err(Error::data(
                format!("{} has values from {low} to {high}, expected [0, 1], [-1, 1] or [0, 255]", path.display()),
                "numpy.save(\"images.npy\", (a - a.min()) / (a.max() - a.min()))",
            ));
        }
    };
    for value in &mut floats {
        *value = ((*value - from) / (to - from)).clamp(0.0, 1.0);
    }
    Ok(floats)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::Dataset;
    use crate::testing::{npy, shared_data};

    fn open_bytes(bytes: &[u8]) -> Result<InMemory> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        std::fs::write(&path, bytes).unwrap();
        open(&path)
    }

    fn file(descr: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
        npy(&format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}"), bytes)
    }

    fn first(bytes: &[u8]) -> Vec<f32> {
        let set = open_bytes(bytes).unwrap();
        let mut image = vec![9.0; set.shape().len()];
        set.read(0, &mut image).unwrap();
        image
    }

    fn f32s(values: [f32; 4]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    #[test]
    fn every_type_reads_alike() {
        let want = [0.0, 0.2, 0.4, 1.0];
        assert_eq!(first(&file("|u1", "1, 4", &[0, 51, 102, 255])), want);
        assert_eq!(first(&file("<f4", "1, 2, 2", &f32s(want))), want);
        let doubled: Vec<u8> = [0.0f64, 0.2, 0.4, 1.0].iter().flat_map(|value| value.to_be_bytes()).collect();
        assert_eq!(first(&file(">f8", "1, 2, 2, 1", &doubled)), want);
        assert_eq!(first(&file("|b1", "1, 2, 2", &[0, 1, 1, 0])), [0.0, 1.0, 1.0, 0.0]);
        // A mask saved as bytes.
        assert_eq!(first(&file("|u1", "1, 2, 2", &[0, 1, 1, 0])), [0.0, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn the_range_of_floats_is_seen() {
        assert_eq!(first(&file("<f4", "1, 4", &f32s([-1.0, -0.5, 0.0, 1.0]))), [0.0, 0.25, 0.5, 1.0]);
        assert_eq!(first(&file("<f4", "1, 4", &f32s([0.0, 51.0, 102.0, 255.0]))), [0.0, 0.2, 0.4, 1.0]);
        assert_eq!(first(&file("<f4", "1, 4", &f32s([-0.0005, 0.5, 0.5, 1.0005]))), [0.0, 0.5, 0.5, 1.0]);
        let error = open_bytes(&file("<f4", "1, 4", &f32s([-3.0, 0.0, 0.0, 2.5]))).unwrap_err();
        assert!(error.to_string().contains("values from -3 to 2.5"), "{error}");
        let error = open_bytes(&file("<f4", "1, 4", &f32s([0.0, f32::NAN, 0.0, 1.0]))).unwrap_err();
        assert!(error.to_string().ends_with("a value of image 0 is NaN"), "{error}");
    }

    #[test]
    fn sheep_themselves() {
        let Some(data) = shared_data() else { return };
        let set = open(&data.join("sheep-market/aaron_sheep_28x28.npy")).unwrap();
        assert_eq!((set.len(), set.shape().to_string()), (8000, "28x28x1".to_owned()));
        let error = open(&data.join("sheep-market/aaron_sheep.npz")).unwrap_err();
        assert!(error.to_string().contains("does not begin with"), "{error}");
    }
}
