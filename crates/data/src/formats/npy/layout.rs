//! Checks the header of a `.npy` file before values are read: a supported type, a shape of images, and a length that matches
//! the file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::header::Header;
use crate::error::{Error, Result};
use crate::formats::array::{Images, Scalar};
use crate::formats::compression::unpacked;

/// An open file, its header read.
pub struct Opened {
    /// At the first value.
    pub reader: Box<dyn Read>,
    pub header: Header,
    /// Bytes of the file; `None` for a compressed one.
    pub length: Option<u64>,
}

/// Opens a file, compressed or not, and reads its header.
///
/// # Errors
/// The file can't be read or is no `.npy` file.
pub fn open(path: &Path) -> Result<Opened> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let length = file.metadata().map_err(Error::io("read", path))?.len();
    let (mut reader, compression) = unpacked(file).map_err(Error::io("read", path))?;
    let header = Header::read(&mut reader).map_err(|what| damaged(path, &what))?;
    Ok(Opened { reader, header, length: compression.is_none().then_some(length) })
}

/// Checks a header, which must describe images that exactly fill a file of `length` bytes, and is known to describe `many` or may
/// describe one; `path` is for messages.
///
/// # Errors
/// The header is unsuitable; the hint is a line of numpy that fixes it.
pub fn check(path: &Path, header: &Header, length: Option<u64>, many: bool) -> Result<Images> {
    let images = Images::check(path, scalar(path, header)?, &header.shape, header.fortran_order, many)?;
    let declared = header.offset + images.bytes();
    match length.filter(|length| *length != declared) {
        None => Ok(images),
        Some(length) if length > declared => Err(Error::data(
            format!(
                "{} has {} bytes after the array that its header declares (shape {:?})",
                path.display(),
                length - declared,
                header.shape
            ),
            "if several arrays were saved to it, save them as one: f = open(FILE, \"rb\"); numpy.save(\"images.npy\", \
             numpy.concatenate([numpy.load(f), numpy.load(f)])); else the file is damaged: replace it",
        )),
        Some(length) => Err(damaged(
            path,
            &format!(
                "its header declares shape {:?}, that makes {declared} bytes, but the file has {length}",
                header.shape
            ),
        )),
    }
}

fn scalar(path: &Path, header: &Header) -> Result<Scalar> {
    let (show, descr) = (path.display(), header.descr.as_str());
    if let Some(scalar) = Scalar::of_descr(descr) {
        return Ok(scalar);
    }
    Err(match descr {
        list if list.starts_with('[') => Error::data(
            format!("{show} holds a structured array, {}", list.escape_debug()),
            "save the field with the images alone: numpy.save(\"images.npy\", a[\"FIELD\"])",
        ),
        object if object.contains('O') => Error::data(
            format!("{show} holds Python objects (a pickle), which are not read: unpickling runs code"),
            "save a plain array: numpy.save(\"images.npy\", numpy.stack(list(a)).astype(\"uint8\"))",
        ),
        other => Error::data(
            format!("{show} holds values of type '{}', expected bool, integers or floats", other.escape_debug()),
            "numpy.save(\"images.npy\", a.astype(\"uint8\")) where pixels are 0 to 255, else a.astype(\"float32\")",
        ),
    })
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

    fn images_of(bytes: &[u8]) -> Result<Images> {
        let folder = crate::testing::folder();
        let path = folder.path().join("a.npy");
        std::fs::write(&path, bytes).unwrap();
        let opened = open(&path)?;
        check(&path, &opened.header, opened.length, false)
    }

    fn file(descr: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
        npy(&format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}"), bytes)
    }

    #[test]
    fn damaged_files_are_errors() {
        let whole = file("|u1", "3, 4", &[7; 12]);
        let images = images_of(&whole).unwrap();
        assert_eq!((images.count(), images.shape().to_string()), (3, "2x2x1".to_owned()));
        for length in 0..whole.len() {
            assert!(images_of(&whole[..length]).is_err(), "{length}");
        }
        assert!(images_of(&[&whole[..], &[0]].concat()).unwrap_err().to_string().contains("1 bytes after the array"));
        for shape in ["2147483648, 784", "18446744073709551615, 18446744073709551615, 2", "9, 65536, 65536"] {
            let error = images_of(&file("|u1", shape, &[7; 12])).unwrap_err();
            assert!(error.to_string().contains("shape ["), "{error}");
        }
    }

    #[test]
    fn refusals_give_the_numpy_line() {
        for (descr, expected) in [("|O", "unpickling runs code"), ("<c8", "type '<c8'"), ("<U5", "type '<U5'")] {
            let error = images_of(&file(descr, "1, 4", &[0; 64])).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(error.hint().contains("numpy.save"), "{}", error.hint());
        }
        let fields = npy("{'descr': [('x', '|u1')], 'fortran_order': False, 'shape': (1, 4)}", &[0; 4]);
        assert!(images_of(&fields).unwrap_err().to_string().contains("structured array"));
        let error = images_of(&file("|u1", "48, 64, 3", &[0; 48 * 64 * 3])).unwrap_err();
        assert!(error.to_string().contains("a.npy has shape [48, 64, 3], which may be one image"), "{error}");
    }
}
