//! Checks the header of a `.npy` file before values are read: a supported type, a shape of images, and a length that matches
//! the file.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::header::Header;
use crate::dataset::ImageShape;
use crate::error::{Error, Result};
use crate::in_memory::{MAX_SET_BYTES, MAX_SIDE};

/// The supported types of values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// 0 to 255.
    U8,
    /// 0 or not.
    Bool,
    /// Floats of 4 bytes.
    F32 {
        /// Most significant byte first.
        big: bool,
    },
    /// Floats of 8 bytes.
    F64 {
        /// Most significant byte first.
        big: bool,
    },
}

impl Kind {
    /// Bytes of one value in the file.
    pub fn width(self) -> u64 {
        match self {
            Self::U8 | Self::Bool => 1,
            Self::F32 { .. } => 4,
            Self::F64 { .. } => 8,
        }
    }

    /// Bytes of one value in memory.
    pub fn stored(self) -> u64 {
        if self.width() == 1 { 1 } else { 4 }
    }

    /// One value from its bytes.
    pub fn float(self, bytes: &[u8]) -> f64 {
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

/// The checked layout of a file.
#[derive(Debug)]
pub struct Layout {
    /// The type of each value.
    pub kind: Kind,
    /// Number of images.
    pub count: usize,
    /// The shape of each.
    pub shape: ImageShape,
}

/// Opens a file and checks its header, which must describe images that exactly fill the file.
///
/// # Errors
/// The header is unsuitable; the hint is a line of numpy that fixes it.
pub fn open(path: &Path) -> Result<(BufReader<File>, Layout)> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let length = file.metadata().map_err(Error::io("read", path))?.len();
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let layout = Header::read(&mut reader)
        .map_err(|what| damaged(path, &what))
        .and_then(|header| check(path, &header, length))?;
    Ok((reader, layout))
}

/// Checks a header against the `length` of the whole file; `path` is for messages.
///
/// # Errors
/// As `open`.
pub fn check(path: &Path, header: &Header, length: u64) -> Result<Layout> {
    let kind = kind(path, header)?;
    let shape = image_shape(path, &header.shape)?;
    let values = header.shape.iter().try_fold(1u64, |product, &size| product.checked_mul(size));
    let allowed = values.filter(|&values| values <= MAX_SET_BYTES / kind.stored());
    let Some(values) = allowed else {
        return Err(damaged(
            path,
            &format!("its header declares shape {:?}, more than the {MAX_SET_BYTES} bytes allowed", header.shape),
        ));
    };
    let declared = header.offset + values * kind.width();
    if declared != length {
        return Err(damaged(
            path,
            &format!(
                "its header declares shape {:?}, that makes {declared} bytes, but the file has {length}",
                header.shape
            ),
        ));
    }
    Ok(Layout { kind, count: header.shape[0] as usize, shape })
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
                format!(
                    "{show} holds values of type '{}', expected uint8, bool, float32 or float64",
                    other.escape_debug()
                ),
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
                "{} has shape {shape:?}, expected [n, side*side], [n, height, width] or [n, height, width, 1, 3 or 4]",
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
        [_, _] => {
            return wrong("give the sides: numpy.save(\"images.npy\", a.reshape(-1, HEIGHT, WIDTH))");
        }
        [_, height, width] => (height, width, 1),
        [_, height, width, channels @ (1 | 3 | 4)] => (height, width, channels),
        [_, 1 | 3 | 4, _, _] => {
            return wrong("channels come last: numpy.save(\"images.npy\", a.transpose(0, 2, 3, 1))");
        }
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

/// The error for an incomplete file.
pub fn damaged(path: &Path, what: &str) -> Error {
    Error::data(
        format!("{} is not a whole .npy file: {what}", path.display()),
        "the file is damaged or was not downloaded completely: replace it",
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::testing::npy;

    fn promise_of(bytes: &[u8]) -> Result<Layout> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        std::fs::write(&path, bytes).unwrap();
        open(&path).map(|(_, layout)| layout)
    }

    fn file(descr: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
        npy(&format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}"), bytes)
    }

    #[test]
    fn shapes() {
        let shape = |shape: &str, count| {
            promise_of(&file("|u1", shape, &vec![7; count])).map(|layout| (layout.count, layout.shape.to_string()))
        };
        assert_eq!(shape("2, 784", 1568).unwrap(), (2, "28x28x1".to_owned()));
        assert_eq!(shape("2, 3, 5", 30).unwrap(), (2, "3x5x1".to_owned()));
        assert_eq!(shape("2, 3, 5, 3", 90).unwrap(), (2, "3x5x3".to_owned()));
        assert_eq!(shape("2, 3, 5, 4", 120).unwrap(), (2, "3x5x4".to_owned()));
        for (bad, count, hint) in [
            ("2, 10", 20, "reshape(-1, HEIGHT, WIDTH)"),
            ("2, 3, 8, 8", 384, "a.transpose(0, 2, 3, 1)"),
            ("2, 1, 784", 1568, "at least 2x2 pixels"),
            ("784,", 784, "reshape"),
            ("", 1, "reshape"),
            ("0, 784", 0, "the array is empty"),
            ("2, 5, 5, 5", 250, "CHANNELS"),
        ] {
            let error = shape(bad, count).unwrap_err();
            assert!(error.hint().contains(hint), "{bad}: {error}: {}", error.hint());
        }
    }

    #[test]
    fn damaged_files_are_errors() {
        let whole = file("|u1", "3, 4", &[7; 12]);
        for length in 0..whole.len() {
            assert!(promise_of(&whole[..length]).is_err(), "{length}");
        }
        assert!(promise_of(&[&whole[..], &[0]].concat()).unwrap_err().to_string().contains("but the file has"));
        for shape in ["2147483648, 784", "18446744073709551615, 18446744073709551615, 2", "9, 65536, 65536"] {
            let error = promise_of(&file("|u1", shape, &[7; 12])).unwrap_err();
            assert!(error.to_string().contains("shape ["), "{error}");
        }
    }

    #[test]
    fn refusals_give_the_numpy_line() {
        for (descr, expected) in [("|O", "unpickling runs code"), ("<i8", "type '<i8'"), ("<U5", "type '<U5'")] {
            let error = promise_of(&file(descr, "1, 4", &[0; 64])).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(error.hint().contains("numpy.save"), "{}", error.hint());
        }
        let fortran = npy("{'descr': '|u1', 'fortran_order': True, 'shape': (1, 4)}", &[0; 4]);
        assert!(promise_of(&fortran).unwrap_err().hint().contains("ascontiguousarray"));
        let fields = npy("{'descr': [('x', '|u1')], 'fortran_order': False, 'shape': (1, 4)}", &[0; 4]);
        assert!(promise_of(&fields).unwrap_err().to_string().contains("structured array"));
    }
}
