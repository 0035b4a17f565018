//! `.npy` files of images, as `numpy.save` writes them: `[n, 784]` (any square), `[n, height, width]` or
//! `[n, height, width, channels]`, as bytes, booleans or floats. Arrays of Python objects are refused: they are
//! pickles, and unpickling runs code.

mod header;
mod write;

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use super::memory::{MAX_SET_BYTES, MAX_SIDE, Memory};
use super::source::ImageShape;
use crate::error::{Error, Result};
use header::Header;
pub use write::{NpyWriter, write_npy_u8};

/// True where these first bytes are those of a `.npy` file.
pub(super) fn claims(start: &[u8]) -> bool {
    start.starts_with(&header::MAGIC)
}

/// The types of values that are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    U8,
    Bool,
    F32 { big: bool },
    F64 { big: bool },
}

impl Kind {
    /// Bytes of one value in the file.
    fn width(self) -> u64 {
        match self {
            Self::U8 | Self::Bool => 1,
            Self::F32 { .. } => 4,
            Self::F64 { .. } => 8,
        }
    }

    /// Bytes of one value in memory.
    fn stored(self) -> u64 {
        if self.width() == 1 { 1 } else { 4 }
    }

    /// One value from its bytes.
    fn float(self, bytes: &[u8]) -> f64 {
        let mut word = [0u8; 8];
        let width = bytes.len();
        word[..width].copy_from_slice(bytes);
        match self {
            Self::F32 { big } | Self::F64 { big } if big => word[..width].reverse(),
            _ => {}
        }
        match self {
            Self::F64 { .. } => f64::from_le_bytes(word),
            _ => f64::from(f32::from_le_bytes([word[0], word[1], word[2], word[3]])),
        }
    }
}

/// What a file promises, held against its size.
struct Layout {
    kind: Kind,
    count: usize,
    shape: ImageShape,
}

/// Opens a `.npy` file of images. Bytes are 0 to 255 (or 0 to 1 where no byte is larger); the range of floats is seen
/// from their extremes: [0, 1], [-1, 1] or [0, 255].
///
/// # Errors
/// Where the file can't be read, holds more or less than its header promises, or no images.
pub fn open(path: &Path) -> Result<Memory> {
    let (mut reader, layout) = promise(path)?;
    let values = layout.count * layout.shape.len();
    let name = path.display().to_string();
    match layout.kind {
        Kind::U8 | Kind::Bool => {
            let mut bytes = vec![0u8; values];
            reader.read_exact(&mut bytes).map_err(Error::io("read", path))?;
            if layout.kind == Kind::Bool || bytes.iter().all(|&byte| byte <= 1) {
                bytes.iter_mut().for_each(|byte| *byte = if *byte == 0 { 0 } else { 255 });
            }
            Memory::from_bytes(name, layout.shape, bytes)
        }
        kind @ (Kind::F32 { .. } | Kind::F64 { .. }) => {
            let floats = read_floats(path, &mut reader, kind, values, layout.shape)?;
            Memory::from_floats(name, layout.shape, to_unit(path, floats)?)
        }
    }
}

/// The number and shape of the images in a `.npy` file, from its header and size only.
///
/// # Errors
/// As `open`, save for what only the values show.
pub fn layout(path: &Path) -> Result<(usize, ImageShape)> {
    promise(path).map(|(_, layout)| (layout.count, layout.shape))
}

/// Opens the file and reads its header: what it promises must be images and exactly fill the file.
fn promise(path: &Path) -> Result<(BufReader<File>, Layout)> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let length = file.metadata().map_err(Error::io("read", path))?.len();
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let header = Header::read(&mut reader).map_err(|what| damaged(path, &what))?;
    let kind = kind(path, &header)?;
    let shape = image_shape(path, &header.shape)?;
    let values = header.shape.iter().try_fold(1u64, |product, &size| product.checked_mul(size));
    let allowed = values.filter(|&values| values <= MAX_SET_BYTES / kind.stored());
    let Some(values) = allowed else {
        return Err(damaged(path, &format!("its header promises shape {:?}, more than the {MAX_SET_BYTES} bytes allowed", header.shape)));
    };
    let promised = header.offset + values * kind.width();
    if promised != length {
        return Err(damaged(
            path,
            &format!("its header promises shape {:?}, that makes {promised} bytes, but the file has {length}", header.shape),
        ));
    }
    Ok((reader, Layout { kind, count: header.shape[0] as usize, shape }))
}

fn kind(path: &Path, header: &Header) -> Result<Kind> {
    let show = path.display();
    let kind = match header.descr.as_str() {
        "|u1" | "u1" | "<u1" | ">u1" | "|B" => Kind::U8,
        "|b1" | "?" | "|?" => Kind::Bool,
        "<f4" => Kind::F32 { big: false },
        ">f4" => Kind::F32 { big: true },
        "<f8" => Kind::F64 { big: false },
        ">f8" => Kind::F64 { big: true },
        object if object.starts_with("|O") || object.starts_with('O') => {
            return Err(Error::data(
                format!("{show} holds Python objects (a pickle), which are not read: unpickling runs code"),
                "save a plain array: numpy.save(\"images.npy\", numpy.stack(list(a)).astype(\"uint8\"))",
            ));
        }
        list if list.starts_with('[') => {
            return Err(Error::data(
                format!("{show} holds a structured array, {}", list.escape_debug()),
                "save the field with the images alone: numpy.save(\"images.npy\", a[\"FIELD\"])",
            ));
        }
        other => {
            return Err(Error::data(
                format!("{show} holds values of type '{}', expected uint8, bool, float32 or float64", other.escape_debug()),
                "numpy.save(\"images.npy\", a.astype(\"uint8\")) where pixels are 0 to 255, else a.astype(\"float32\")",
            ));
        }
    };
    if header.fortran_order {
        return Err(Error::data(
            format!("{show} is in Fortran order, expected C order"),
            "numpy.save(\"images.npy\", numpy.ascontiguousarray(a))",
        ));
    }
    Ok(kind)
}

/// The shape of one image in an array of this shape.
fn image_shape(path: &Path, shape: &[u64]) -> Result<ImageShape> {
    let wrong = |hint: &str| {
        Err(Error::data(
            format!(
                "{} has shape {shape:?}, expected [n, side*side], [n, height, width] or [n, height, width, 1 or 3]",
                path.display()
            ),
            hint,
        ))
    };
    if shape.contains(&0) {
        return wrong("the array is empty: save it again with images in it");
    }
    let (height, width, channels) = match *shape {
        [_, values] if values.isqrt().pow(2) == values => (values.isqrt(), values.isqrt(), 1),
        [_, _] => return wrong("give the sides: numpy.save(\"images.npy\", a.reshape(-1, HEIGHT, WIDTH))"),
        [_, height, width] => (height, width, 1),
        [_, height, width, channels @ (1 | 3)] => (height, width, channels),
        [_, 1 | 3, _, _] => return wrong("channels come last: numpy.save(\"images.npy\", a.transpose(0, 2, 3, 1))"),
        _ => return wrong("numpy.save(\"images.npy\", a.reshape(-1, HEIGHT, WIDTH, CHANNELS))"),
    };
    if height < 2 || width < 2 {
        return wrong("images have at least 2x2 pixels: numpy.save(\"images.npy\", a.reshape(-1, HEIGHT, WIDTH))");
    }
    if height > MAX_SIDE || width > MAX_SIDE {
        return wrong(&format!("images have sides of at most {MAX_SIDE} pixels"));
    }
    Ok(ImageShape { height: height as usize, width: width as usize, channels: channels as usize })
}

fn read_floats(path: &Path, reader: &mut impl Read, kind: Kind, count: usize, shape: ImageShape) -> Result<Vec<f32>> {
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

/// Maps floats to [0, 1] from whichever of the three usual ranges they fill. A hair beyond a range, as resampling
/// leaves it, is cut off.
fn to_unit(path: &Path, mut floats: Vec<f32>) -> Result<Vec<f32>> {
    const HAIR: f32 = 1e-3;
    let (low, high) = floats.iter().fold((f32::MAX, f32::MIN), |(low, high), &value| (low.min(value), high.max(value)));
    let (from, to) = match () {
        () if low >= -HAIR && high <= 1.0 + HAIR => (0.0, 1.0),
        () if low >= -1.0 - HAIR && high <= 1.0 + HAIR => (-1.0, 1.0),
        () if low >= -255.0 * HAIR && high <= 255.0 * (1.0 + HAIR) => (0.0, 255.0),
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

fn damaged(path: &Path, what: &str) -> Error {
    Error::data(
        format!("{} is not a whole .npy file: {what}", path.display()),
        "the file is damaged or was not downloaded completely: replace it",
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::super::testing::{npy, shared_data};
    use super::*;
    use crate::data::Dataset;

    fn open_bytes(bytes: &[u8]) -> Result<Memory> {
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
    fn shapes() {
        let shape = |shape: &str, count| open_bytes(&file("|u1", shape, &vec![7; count])).map(|set| (set.len(), set.shape().to_string()));
        assert_eq!(shape("2, 784", 1568).unwrap(), (2, "28x28x1".to_owned()));
        assert_eq!(shape("2, 3, 5", 30).unwrap(), (2, "3x5x1".to_owned()));
        assert_eq!(shape("2, 3, 5, 3", 90).unwrap(), (2, "3x5x3".to_owned()));
        for (bad, count, hint) in [
            ("2, 10", 20, "reshape(-1, HEIGHT, WIDTH)"),
            ("2, 3, 8, 8", 384, "a.transpose(0, 2, 3, 1)"),
            ("2, 1, 784", 1568, "at least 2x2 pixels"),
            ("784,", 784, "reshape"),
            ("", 1, "reshape"),
            ("0, 784", 0, "the array is empty"),
            ("2, 5, 5, 4", 200, "CHANNELS"),
        ] {
            let error = shape(bad, count).unwrap_err();
            assert!(error.hint().contains(hint), "{bad}: {error}: {}", error.hint());
        }
    }

    #[test]
    fn damaged_files_are_errors() {
        let whole = file("|u1", "3, 4", &[7; 12]);
        for length in 0..whole.len() {
            assert!(open_bytes(&whole[..length]).is_err(), "{length}");
        }
        assert!(open_bytes(&[&whole[..], &[0]].concat()).unwrap_err().to_string().contains("but the file has"));
        for shape in ["2147483648, 784", "18446744073709551615, 18446744073709551615, 2", "9, 65536, 65536"] {
            let error = open_bytes(&file("|u1", shape, &[7; 12])).unwrap_err();
            assert!(error.to_string().contains("shape ["), "{error}");
        }
    }

    #[test]
    fn refusals_give_the_numpy_line() {
        for (descr, expected) in [("|O", "unpickling runs code"), ("<i8", "type '<i8'"), ("<U5", "type '<U5'")] {
            let error = open_bytes(&file(descr, "1, 4", &[0; 64])).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(error.hint().contains("numpy.save"), "{}", error.hint());
        }
        let fortran = npy("{'descr': '|u1', 'fortran_order': True, 'shape': (1, 4)}", &[0; 4]);
        assert!(open_bytes(&fortran).unwrap_err().hint().contains("ascontiguousarray"));
        let fields = npy("{'descr': [('x', '|u1')], 'fortran_order': False, 'shape': (1, 4)}", &[0; 4]);
        assert!(open_bytes(&fields).unwrap_err().to_string().contains("structured array"));
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
