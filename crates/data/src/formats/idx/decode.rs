//! Decodes an IDX file. The header is checked against the file's size before allocation; a gzip stream is read only up to the
//! declared length.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::error::{Error, Result};
use crate::formats::GZIP;
use crate::in_memory::{MAX_SET_BYTES, MAX_SIDE};

/// Maximum expansion of deflate.
const MAX_INFLATION: u64 = 1032;

/// The content of an IDX file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Three dimensions: count, height, width.
    Images,
    /// One dimension: count.
    Labels,
}

impl Kind {
    /// The magic number.
    pub fn magic(self) -> u32 {
        match self {
            Self::Images => 0x0803,
            Self::Labels => 0x0801,
        }
    }

    fn dimensions(self) -> usize {
        match self {
            Self::Images => 3,
            Self::Labels => 1,
        }
    }

    /// "60000 images of 28x28".
    fn describe(self, sizes: &[u64]) -> String {
        match (self, sizes) {
            (Self::Images, [count, height, width]) => format!("{count} images of {height}x{width}"),
            _ => format!("{} labels", sizes.iter().product::<u64>()),
        }
    }
}

/// Reads an IDX file, gzipped or not: its sizes, outermost first, and its values.
///
/// # Errors
/// The file can't be read, is of another kind, or its length doesn't match its header.
pub fn read(path: &Path, kind: Kind) -> Result<(Vec<u64>, Vec<u8>)> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let length = file.metadata().map_err(Error::io("read", path))?.len();
    decode(path, BufReader::with_capacity(1 << 16, file), length, kind)
}

/// Decodes `length` bytes of an IDX file, gzipped or not; `path` is for messages.
fn decode(path: &Path, mut raw: impl BufRead, length: u64, kind: Kind) -> Result<(Vec<u64>, Vec<u8>)> {
    if length == 0 {
        return Err(damaged(path, "it is empty"));
    }
    if raw.fill_buf().map_err(Error::io("read", path))?.starts_with(&GZIP) {
        let max = length.saturating_mul(MAX_INFLATION);
        return payload(path, MultiGzDecoder::new(raw), kind, |declared| {
            (declared > max).then(|| format!("a gzip file of {length} bytes can't hold that"))
        });
    }
    payload(path, raw, kind, |declared| {
        (declared != length).then(|| format!("that makes {declared} bytes, but the file has {length}"))
    })
}

/// Reads the header, checks the declared size with `objection`, then reads exactly that many bytes.
fn payload(
    path: &Path,
    mut reader: impl Read,
    kind: Kind,
    objection: impl FnOnce(u64) -> Option<String>,
) -> Result<(Vec<u64>, Vec<u8>)> {
    let (sizes, bytes) = header(path, &mut reader, kind)?;
    let declaration = format!("its header declares {}", kind.describe(&sizes));
    if let Some(objection) = objection(4 + 4 * sizes.len() as u64 + bytes) {
        return Err(damaged(path, &format!("{declaration}; {objection}")));
    }
    let mut values = Vec::with_capacity(bytes.min(1 << 26) as usize);
    // One extra byte detects a longer stream, and makes gzip verify its checksum.
    reader.take(bytes + 1).read_to_end(&mut values).map_err(|error| cannot_read(path, error))?;
    match values.len() as u64 {
        got if got == bytes => Ok((sizes, values)),
        got if got < bytes => Err(damaged(path, &format!("{declaration}, but only {got} of {bytes} bytes follow"))),
        _ => Err(damaged(path, &format!("{declaration}, but more than those {bytes} bytes follow"))),
    }
}

/// Reads the header: the sizes, and the number of bytes of values, which must be positive and within the limit.
fn header(path: &Path, reader: &mut impl Read, kind: Kind) -> Result<(Vec<u64>, u64)> {
    let mut word = [0u8; 4];
    fill(path, reader, &mut word)?;
    check_magic(path, word, kind)?;
    let mut sizes = Vec::with_capacity(3);
    for _ in 0..kind.dimensions() {
        fill(path, reader, &mut word)?;
        sizes.push(u64::from(u32::from_be_bytes(word)));
    }
    let declaration = format!("its header declares {}", kind.describe(&sizes));
    match sizes.iter().try_fold(1u64, |product, &size| product.checked_mul(size)) {
        Some(0) => Err(damaged(path, &format!("{declaration}: nothing"))),
        Some(bytes) if bytes <= MAX_SET_BYTES && sizes[1..].iter().all(|&side| side <= MAX_SIDE) => Ok((sizes, bytes)),
        _ => Err(damaged(path, &format!("{declaration}, more than the {MAX_SET_BYTES} bytes allowed"))),
    }
}

fn check_magic(path: &Path, word: [u8; 4], kind: Kind) -> Result<()> {
    let magic = u32::from_be_bytes(word);
    if magic == kind.magic() {
        return Ok(());
    }
    let swapped = [Kind::Images, Kind::Labels].into_iter().any(|other| other != kind && other.magic() == magic);
    let (what, hint) = match (swapped, kind) {
        (true, Kind::Images) => ("it holds labels, not images", "give the images file; its labels are found beside it"),
        (true, Kind::Labels) => ("it holds images, not labels", "check that the files have their own names"),
        _ => ("", "expected an IDX file of unsigned bytes as published with MNIST, gzipped or not"),
    };
    let magic = format!("its magic number is {magic}, expected {}", kind.magic());
    Err(Error::data(format!("{}: {}", path.display(), if what.is_empty() { &magic } else { what }), hint))
}

fn fill(path: &Path, reader: &mut impl Read, word: &mut [u8; 4]) -> Result<()> {
    reader.read_exact(word).map_err(|error| cannot_read(path, error))
}

/// Converts an error of the gzip decoder or the system.
fn cannot_read(path: &Path, error: std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::UnexpectedEof => damaged(path, "it ends too early"),
        ErrorKind::InvalidData | ErrorKind::InvalidInput => {
            damaged(path, &format!("its gzip data is damaged ({error})"))
        }
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
        decode(Path::new("x-images"), bytes, bytes.len() as u64, Kind::Images)
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
            let longer = [&file[..], &[0]].concat();
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
