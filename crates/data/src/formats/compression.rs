//! Compressed streams, told by their first bytes: gzip always, bzip2, XZ and Zstandard with the feature `compression`. A
//! reader that is read to its end has verified the checksum and the length of every part of the stream.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result};

use flate2::bufread::GzDecoder;

/// The compression of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    Gzip,
    Bzip2,
    Xz,
    Zstandard,
}

impl Compression {
    /// That of a stream that begins with `start`.
    pub fn of(start: &[u8]) -> Option<Self> {
        let block = |magic: &[u8]| start.get(4..10) == Some(magic);
        match start {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            // After the digit, a block or the end of an empty stream.
            [b'B', b'Z', b'h', b'1'..=b'9', ..] if block(b"1AY&SY") || block(b"\x17\x72\x45\x38\x50\x90") => {
                Some(Self::Bzip2)
            }
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstandard),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "XZ",
            Self::Zstandard => "Zstandard",
        }
    }

    /// The uncompressed bytes of `raw`, which has this compression.
    fn unpack<'a>(self, raw: impl BufRead + 'a) -> Result<Box<dyn Read + 'a>> {
        Ok(match self {
            Self::Gzip => Box::new(Members { current: Some(GzDecoder::new(raw)) }),
            #[cfg(feature = "compression")]
            Self::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(raw)),
            #[cfg(feature = "compression")]
            Self::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(raw, true, MAX_XZ_KIB)),
            #[cfg(feature = "compression")]
            Self::Zstandard => Box::new(Frames::new(raw)),
            #[cfg(not(feature = "compression"))]
            _ => {
                let name = self.name();
                let what =
                    format!("it is packed with {name}, and this program was built without the feature `compression`");
                return Err(Error::new(ErrorKind::Unsupported, what));
            }
        })
    }
}

/// Memory limit of an XZ decoder: the largest dictionary of `xz -9` is 64 MiB.
#[cfg(feature = "compression")]
const MAX_XZ_KIB: u32 = 256 << 10;

/// The bytes of `raw`, uncompressed if it is compressed, and its compression.
///
/// # Errors
/// `raw` can't be read, or its compression is not supported by this build. Later, errors in compressed data have the kind
/// `InvalidData` and name the compression; a stream that is cut off, `UnexpectedEof`.
pub(crate) fn unpacked<'a>(raw: impl Read + 'a) -> Result<(Box<dyn Read + 'a>, Option<Compression>)> {
    let mut raw = BufReader::with_capacity(1 << 16, raw);
    let Some(compression) = Compression::of(raw.fill_buf()?) else { return Ok((Box::new(raw), None)) };
    let reader = Named { reader: compression.unpack(raw)?, compression };
    Ok((Box::new(BufReader::with_capacity(1 << 16, reader)), Some(compression)))
}

/// Reads the rest of a stream, so that its checksum is verified.
///
/// # Errors
/// The rest can't be read or is damaged.
pub(crate) fn drain(reader: &mut dyn Read) -> Result<u64> {
    std::io::copy(reader, &mut std::io::sink())
}

/// Names the compression in errors.
struct Named<R> {
    reader: R,
    compression: Compression,
}

impl<R: Read> Read for Named<R> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        self.reader.read(out).map_err(|error| match error.kind() {
            ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::Other => {
                let what = format!("its {} data is damaged ({error})", self.compression.name());
                Error::new(ErrorKind::InvalidData, what)
            }
            ErrorKind::UnexpectedEof => Error::new(ErrorKind::UnexpectedEof, "it ends too early"),
            _ => error,
        })
    }
}

/// The members of a gzip file, one after the other. Zeros after the last one are padding, as for `gzip` itself.
struct Members<R> {
    current: Option<GzDecoder<R>>,
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        while let Some(current) = &mut self.current {
            let got = current.read(out)?;
            if got > 0 || out.is_empty() {
                return Ok(got);
            }
            let rest = self.current.take().map(GzDecoder::into_inner);
            self.current = rest.map(next_member).transpose()?.flatten();
        }
        Ok(0)
    }
}

/// The member that follows; `None` at the end.
fn next_member<R: BufRead>(mut rest: R) -> Result<Option<GzDecoder<R>>> {
    loop {
        let (length, first) = match rest.fill_buf()? {
            [] => return Ok(None),
            bytes => (bytes.len(), bytes.iter().position(|byte| *byte != 0)),
        };
        match first {
            None => rest.consume(length),
            Some(first) => {
                rest.consume(first);
                // The magic bytes may be at the end of the buffer.
                return match rest.fill_buf()? {
                    [0x1f, ..] => Ok(Some(GzDecoder::new(rest))),
                    _ => Err(Error::new(ErrorKind::InvalidData, "bytes that are not gzip data follow its end")),
                };
            }
        }
    }
}

/// Frames of Zstandard, one after the other, each with a checksum or not.
#[cfg(feature = "compression")]
struct Frames<R> {
    raw: R,
    decoder: ruzstd::decoding::FrameDecoder,
    /// Whether `raw` is within a frame.
    inside: bool,
    /// Bytes of this frame so far.
    given: u64,
}

#[cfg(feature = "compression")]
impl<R: BufRead> Frames<R> {
    fn new(raw: R) -> Self {
        Self { raw, decoder: ruzstd::decoding::FrameDecoder::new(), inside: false, given: 0 }
    }

    /// Begins the next frame; false at the end. Frames with other data than content are passed over.
    fn begin(&mut self) -> Result<bool> {
        use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
        while !self.raw.fill_buf()?.is_empty() {
            match self.decoder.init(&mut self.raw) {
                Ok(()) => {
                    (self.inside, self.given) = (true, 0);
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    if drain(&mut (&mut self.raw).take(length.into()))? < length.into() {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(cut_or_damaged(error)),
            }
        }
        Ok(false)
    }

    /// Compares the length and checksum of a frame with those it declares.
    fn end(&mut self) -> Result<()> {
        self.inside = false;
        let decoder = &self.decoder;
        let declared = [decoder.content_size(), self.given];
        let sums = [decoder.get_checksum_from_data(), decoder.get_calculated_checksum()];
        if declared[0] != 0 && declared[0] != declared[1] || sums[0].is_some() && sums[0] != sums[1] {
            return Err(Error::new(ErrorKind::InvalidData, "its checksum or length is wrong"));
        }
        Ok(())
    }
}

#[cfg(feature = "compression")]
impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        use ruzstd::decoding::BlockDecodingStrategy::UptoBlocks;
        while !out.is_empty() && (self.inside || self.begin()?) {
            if self.decoder.can_collect() > 0 {
                let got = self.decoder.read(out)?;
                self.given += got as u64;
                return Ok(got);
            }
            if self.decoder.is_finished() {
                self.end()?;
            } else {
                self.decoder.decode_blocks(&mut self.raw, UptoBlocks(1)).map_err(cut_or_damaged)?;
            }
        }
        Ok(0)
    }
}

/// `UnexpectedEof` if that is the cause.
#[cfg(feature = "compression")]
fn cut_or_damaged(error: ruzstd::decoding::errors::FrameDecoderError) -> Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(inner) = cause {
        match inner.downcast_ref::<Error>().map(Error::kind) {
            Some(ErrorKind::UnexpectedEof) => return ErrorKind::UnexpectedEof.into(),
            _ => cause = inner.source(),
        }
    }
    Error::new(ErrorKind::InvalidData, error.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::testing::{gzip, stream};

    /// The bytes of one tar archive, packed by the usual program for each compression.
    fn samples() -> (Vec<u8>, Vec<(Compression, Vec<u8>)>) {
        let mut all = vec![(Compression::Gzip, stream("images.tar.gz"))];
        if cfg!(feature = "compression") {
            use Compression::{Bzip2, Xz, Zstandard};
            let others = [(Bzip2, "images.tar.bz2"), (Xz, "images.tar.xz"), (Zstandard, "images.tar.zst")];
            all.extend(others.map(|(compression, name)| (compression, stream(name))));
        }
        (read(&all[0].1).unwrap(), all)
    }

    fn read(bytes: &[u8]) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        unpacked(bytes)?.0.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn streams_are_told_by_their_first_bytes_and_unpacked() {
        let (plain, packed) = samples();
        assert_eq!((plain.len(), read(&plain).unwrap() == plain), (10_240, true));
        assert_eq!((read(b"").unwrap(), read(b"BZh9 is text").unwrap()), (vec![], b"BZh9 is text".to_vec()));
        for (compression, bytes) in packed {
            assert_eq!(unpacked(&bytes[..]).unwrap().1, Some(compression));
            assert!(bytes.len() < plain.len() && read(&bytes).unwrap() == plain, "{compression:?}");
            let twice = [&bytes[..], &bytes].concat();
            assert_eq!(read(&twice).unwrap(), plain.repeat(2), "{compression:?}");
            let garbage = read(&[&bytes[..], b"garbage"].concat());
            assert!(garbage.unwrap_err().to_string().contains(compression.name()), "{compression:?}");
            for length in 10..bytes.len() {
                let error = read(&bytes[..length]).unwrap_err();
                assert!(!error.to_string().is_empty(), "{compression:?} {length}");
            }
        }
        let padded = [gzip(&plain), vec![0; 70_000], gzip(&plain), vec![0; 3]].concat();
        assert_eq!(read(&padded).unwrap(), plain.repeat(2));
    }

    #[test]
    fn every_wrong_bit_is_found_or_harmless() {
        let (plain, packed) = samples();
        for (compression, bytes) in packed {
            let mut harmless = 0;
            for bit in 0..8 * bytes.len() {
                let mut wrong = bytes.clone();
                wrong[bit / 8] ^= 1 << (bit % 8);
                match (Compression::of(&wrong), read(&wrong)) {
                    // No longer a stream of this kind, which its reader then refuses.
                    (None, _) | (_, Err(_)) => {}
                    (_, Ok(read)) => {
                        assert_eq!(read, plain, "{compression:?}: bit {bit}");
                        harmless += 1;
                    }
                }
            }
            // Time and system in the header of gzip, codes that are not used, padding bits.
            assert!(harmless < bytes.len() / 2, "{compression:?}: {harmless}");
        }
    }
}
