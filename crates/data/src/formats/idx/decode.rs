//! Decodes an IDX file. The header is checked against the file's size before allocation; a compressed stream is read only up to
//! the declared length.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use crate::error::{Error, Result};
use crate::formats::array::{Scalar, scalar};
use crate::formats::compression::{Compression, unpacked};
use crate::in_memory::{MAX_SET_BYTES, MAX_SIDE};

/// Maximum expansion of deflate.
const MAX_INFLATION: u64 = 1032;

/// The content of an IDX file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Three dimensions: count, height, width; or four, with channels.
    Images,
    /// One dimension: count; or two, with several numbers per image.
    Labels,
}

impl Kind {
    /// The kind of a file with this number of dimensions.
    fn of(dimensions: u8) -> Option<Self> {
        match dimensions {
            1 | 2 => Some(Self::Labels),
            3 | 4 => Some(Self::Images),
            _ => None,
        }
    }

    /// The usual magic number.
    fn magic(self) -> u32 {
        match self {
            Self::Images => 0x0803,
            Self::Labels => 0x0801,
        }
    }

    /// "60000 images of 28x28".
    fn describe(self, sizes: &[u64]) -> String {
        let count = sizes.first().copied().unwrap_or(0);
        let rest = sizes.iter().skip(1).map(u64::to_string).collect::<Vec<_>>().join("x");
        match self {
            Self::Images => format!("{count} images of {rest}"),
            Self::Labels if rest.is_empty() => format!("{count} labels"),
            Self::Labels => format!("{count} labels of {rest} numbers"),
        }
    }
}

/// The values of an IDX file.
#[derive(Debug, PartialEq, Eq)]
pub struct Values {
    pub scalar: Scalar,
    /// Outermost first.
    pub sizes: Vec<u64>,
    pub bytes: Vec<u8>,
}

/// The type of values, and the number of dimensions, of a file that starts with `magic`.
fn types(magic: [u8; 4]) -> Option<(Scalar, u8)> {
    let [0, 0, kind, dimensions] = magic else { return None };
    let (kind, width) = match kind {
        0x08 => (scalar::Kind::Unsigned, 1),
        0x09 => (scalar::Kind::Signed, 1),
        0x0b => (scalar::Kind::Signed, 2),
        0x0c => (scalar::Kind::Signed, 4),
        0x0d => (scalar::Kind::Float, 4),
        0x0e => (scalar::Kind::Float, 8),
        _ => return None,
    };
    Some((Scalar { kind, width, big: true }, dimensions))
}

/// What a file that starts with `start` (uncompressed) holds; `None` if it is no IDX file.
pub fn kind_of(start: &[u8]) -> Option<Kind> {
    let (_, dimensions) = types(*start.first_chunk()?)?;
    Kind::of(dimensions)
}

/// Reads an IDX file, compressed or not.
///
/// # Errors
/// The file can't be read, is of another kind, or its length doesn't match its header.
pub fn read(path: &Path, kind: Kind) -> Result<Values> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let length = file.metadata().map_err(Error::io("read", path))?.len();
    decode(path, file, length, kind)
}

/// The number of images that a file declares.
///
/// # Errors
/// The file can't be read, or is of another kind.
pub fn count(path: &Path) -> Result<u64> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let (mut reader, _) = unpacked(file).map_err(Error::io("read", path))?;
    let (_, sizes, _) = header(path, &mut reader, Kind::Images)?;
    Ok(sizes.first().copied().unwrap_or(0))
}

/// Decodes `length` bytes of an IDX file, compressed or not; `path` is for messages.
fn decode(path: &Path, raw: impl Read, length: u64, kind: Kind) -> Result<Values> {
    if length == 0 {
        return Err(damaged(path, "it is empty"));
    }
    let (reader, compression) = unpacked(raw).map_err(Error::io("read", path))?;
    payload(path, reader, kind, |declared| match compression {
        None => (declared != length).then(|| format!("that makes {declared} bytes, but the file has {length}")),
        Some(Compression::Gzip) if declared > length.saturating_mul(MAX_INFLATION) => {
            Some(format!("a gzip file of {length} bytes can't hold that"))
        }
        Some(_) => None,
    })
}

/// Reads the header, checks the declared size with `objection`, then reads exactly that many bytes.
fn payload(
    path: &Path,
    mut reader: impl Read,
    kind: Kind,
    objection: impl FnOnce(u64) -> Option<String>,
) -> Result<Values> {
    let (scalar, sizes, bytes) = header(path, &mut reader, kind)?;
    let declaration = format!("its header declares {}", kind.describe(&sizes));
    if let Some(objection) = objection(4 + 4 * sizes.len() as u64 + bytes) {
        return Err(damaged(path, &format!("{declaration}; {objection}")));
    }
    let mut values = Vec::with_capacity(bytes.min(1 << 26) as usize);
    // One extra byte detects a longer stream, and makes a decoder verify its checksum.
    reader.take(bytes + 1).read_to_end(&mut values).map_err(|error| cannot_read(path, error))?;
    match values.len() as u64 {
        got if got == bytes => Ok(Values { scalar, sizes, bytes: values }),
        got if got < bytes => Err(damaged(path, &format!("{declaration}, but only {got} of {bytes} bytes follow"))),
        _ => Err(damaged(path, &format!("{declaration}, but more than those {bytes} bytes follow"))),
    }
}

/// Reads the header: the type, the sizes, and the number of bytes of values, which must be positive and within the limit.
fn header(path: &Path, reader: &mut impl Read, kind: Kind) -> Result<(Scalar, Vec<u64>, u64)> {
    let mut word = [0u8; 4];
    fill(path, reader, &mut word)?;
    let (scalar, dimensions) = check_magic(path, word, kind)?;
    let mut sizes = Vec::with_capacity(4);
    for _ in 0..dimensions {
        fill(path, reader, &mut word)?;
        sizes.push(u64::from(u32::from_be_bytes(word)));
    }
    let declaration = format!("its header declares {}", kind.describe(&sizes));
    let width = scalar.width as u64;
    let bytes = sizes.iter().try_fold(width, |product, &size| product.checked_mul(size));
    match bytes {
        Some(0) => Err(damaged(path, &format!("{declaration}: nothing"))),
        // Values of several bytes become floats.
        Some(bytes)
            if bytes / width <= MAX_SET_BYTES / scalar.stored() && sizes[1..].iter().all(|&side| side <= MAX_SIDE) =>
        {
            Ok((scalar, sizes, bytes))
        }
        _ => Err(damaged(path, &format!("{declaration}, more than the {MAX_SET_BYTES} bytes allowed"))),
    }
}

fn check_magic(path: &Path, word: [u8; 4], kind: Kind) -> Result<(Scalar, u8)> {
    let types = types(word);
    let found = types.and_then(|(_, dimensions)| Kind::of(dimensions));
    if let Some(types) = types.filter(|_| found == Some(kind)) {
        return Ok(types);
    }
    let (what, hint) = match (found, kind) {
        (Some(_), Kind::Images) => {
            ("it holds labels, not images".to_owned(), "give the images file; its labels are found beside it")
        }
        (Some(_), Kind::Labels) => {
            ("it holds images, not labels".to_owned(), "check that the files have their own names")
        }
        (None, _) => (
            format!("its magic number is {}, expected {}", u32::from_be_bytes(word), kind.magic()),
            "expected an IDX file as published with MNIST, compressed or not",
        ),
    };
    Err(Error::data(format!("{}: {what}", path.display()), hint))
}

fn fill(path: &Path, reader: &mut impl Read, word: &mut [u8; 4]) -> Result<()> {
    reader.read_exact(word).map_err(|error| cannot_read(path, error))
}

/// Converts an error of a decoder or the system.
fn cannot_read(path: &Path, error: std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::UnexpectedEof => damaged(path, "it ends too early"),
        ErrorKind::InvalidData | ErrorKind::InvalidInput => damaged(path, &error.to_string()),
        _ => Error::io("read", path)(error),
    }
}

/// An error that names the file and says what is wrong with it.
pub fn damaged(path: &Path, what: &str) -> Error {
    Error::data(
        format!("{} is not a whole IDX file: {what}", path.display()),
        "the file is damaged or was not downloaded completely: replace it",
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::testing::{gzip, idx_images, idx_labels};
    use proptest::prelude::*;

    fn images(bytes: &[u8]) -> Result<(Vec<u64>, Vec<u8>)> {
        let values = decode(Path::new("x-images"), bytes, bytes.len() as u64, Kind::Images)?;
        Ok((values.sizes, values.bytes))
    }

    fn message(bytes: &[u8]) -> String {
        images(bytes).unwrap_err().to_string()
    }

    #[test]
    fn plain_and_gzipped_read_alike() {
        let plain = idx_images(5, 4, 3);
        let (sizes, values) = images(&plain).unwrap();
        assert_eq!((sizes, values.len()), (vec![5, 4, 3], 60));
        assert_eq!(images(&gzip(&plain)).unwrap(), images(&plain).unwrap());
        assert_eq!(values[..], plain[16..]);
    }

    #[test]
    fn every_truncation_is_an_error() {
        let plain = idx_images(5, 4, 3);
        let zipped = gzip(&plain);
        for file in [&plain, &zipped] {
            for length in 0..file.len() {
                assert!(images(&file[..length]).is_err(), "{length} of {}", file.len());
            }
            let longer = [&file[..], &[7]].concat();
            assert!(images(&longer).is_err());
        }
        assert!(message(&plain[..40]).ends_with("5 images of 4x3; that makes 76 bytes, but the file has 40"));
    }

    #[test]
    fn a_header_is_only_a_promise() {
        let mut huge = idx_images(5, 4, 3);
        huge[4..8].copy_from_slice(&(1u32 << 31).to_be_bytes());
        assert!(message(&huge).contains("2147483648 images of 4x3, more than"), "{}", message(&huge));
        // Within the limit, but more than the file can hold.
        huge[4..8].copy_from_slice(&300_000_000u32.to_be_bytes());
        assert!(message(&huge).contains("3600000016 bytes, but the file has 76"), "{}", message(&huge));
        assert!(message(&gzip(&huge)).contains("can't hold that"), "{}", message(&gzip(&huge)));
        let mut none = idx_images(5, 4, 3);
        none[4..8].copy_from_slice(&[0; 4]);
        assert!(message(&none).contains("nothing"));
        for header in [[u8::MAX; 12], [0x80; 12]] {
            let mut wild = idx_images(5, 4, 3);
            wild[4..16].copy_from_slice(&header);
            assert!(images(&wild).is_err());
        }
    }

    #[test]
    fn a_gzip_bomb_is_not_inflated() {
        // 1 GB of zeros behind an honest header for five images; and zeros only.
        let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let zeros = vec![0u8; 1 << 20];
        std::io::Write::write_all(&mut bomb, &idx_images(5, 4, 3)).unwrap();
        for _ in 0..1000 {
            std::io::Write::write_all(&mut bomb, &zeros).unwrap();
        }
        let bomb = bomb.finish().unwrap();
        assert!(bomb.len() < 20_000_000);
        let mut rest = &bomb[..];
        let length = bomb.len() as u64;
        let error = decode(Path::new("x"), &mut rest, length, Kind::Images).unwrap_err();
        assert!(error.to_string().contains("more than those 60 bytes follow"), "{error}");
        assert!(rest.len() > bomb.len() / 10 * 9, "{} of {length} bytes are left", rest.len());
        assert!(message(&gzip(&zeros)).contains("magic number is 0, expected 2051"));
    }

    #[test]
    fn other_types_and_dimensions() {
        let file = |kind: u8, sizes: &[u32], bytes: &[u8]| {
            let mut file = vec![0, 0, kind, sizes.len() as u8];
            sizes.iter().for_each(|size| file.extend(size.to_be_bytes()));
            [&file[..], bytes].concat()
        };
        let read = |kind, bytes: &[u8]| decode(Path::new("x"), bytes, bytes.len() as u64, kind);
        let ints = read(Kind::Labels, &file(0x0c, &[2, 2], &[0, 0, 0, 7, 0, 0, 1, 0, 0, 0, 0, 9, 0, 0, 0, 0])).unwrap();
        assert_eq!((ints.sizes, ints.scalar.float(&ints.bytes[4..8])), (vec![2, 2], 256.0));
        let floats = read(Kind::Images, &file(0x0d, &[1, 2, 2], &[0; 16])).unwrap();
        assert_eq!((floats.scalar.name(), floats.bytes.len()), ("float32".to_owned(), 16));
        assert!(read(Kind::Images, &file(0x0d, &[1, 2, 2], &[0; 15])).is_err());
        assert!(read(Kind::Images, &file(0x08, &[1, 2, 2, 3], &[0; 12])).is_ok());
        assert_eq!(
            (kind_of(&file(0x0c, &[2, 2], &[])), kind_of(&file(8, &[1; 4], &[]))),
            (Some(Kind::Labels), Some(Kind::Images))
        );
        assert_eq!(
            (kind_of(&file(0x0a, &[1], &[])), kind_of(&file(8, &[1; 5], &[])), kind_of(b"\0\0\x08")),
            (None, None, None)
        );
    }

    #[test]
    fn swapped_files_are_named() {
        let labels = idx_labels(&[1, 2]);
        assert!(message(&labels).contains("holds labels, not images"));
        let error = decode(Path::new("x"), &idx_images(1, 2, 2)[..], 20, Kind::Labels).unwrap_err();
        assert!(error.to_string().contains("holds images, not labels"));
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(images(&bytes).is_err());
            let _ = images(&gzip(&bytes));
        }

        #[test]
        fn random_headers_never_panic(sizes in any::<[u8; 12]>(), tail in prop::collection::vec(any::<u8>(), 0..64)) {
            let file = [&[0, 0, 8, 3][..], &sizes, &tail].concat();
            if let Ok((sizes, values)) = images(&file) {
                prop_assert_eq!(sizes.iter().product::<u64>(), values.len() as u64);
            }
            let _ = images(&gzip(&file));
        }

        #[test]
        fn a_flipped_byte_in_gzip_is_seen_or_harmless(at in 10usize..70, flip in 1u8..) {
            let whole = idx_images(5, 4, 3);
            let mut zipped = gzip(&whole);
            prop_assume!(at < zipped.len());
            zipped[at] ^= flip;
            // Harmless: the bits that pad the last byte.
            prop_assert!(images(&zipped).map_or(true, |(_, values)| values == whole[16..]));
        }
    }
}
