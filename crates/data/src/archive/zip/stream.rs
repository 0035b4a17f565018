//! A member of a zip archive as a stream, for members that are too large to unpack at once.

use std::fs::File;
use std::io::{BufReader, Error, ErrorKind, Read};

use super::{Place, first_byte};
use crate::archive::Member;
use crate::positioned::read_at;

/// The unpacked bytes of a member. Whoever reads to the end learns whether length and checksum are right.
pub struct Unpacked<'a> {
    bytes: Box<dyn Read + 'a>,
    /// Bytes still to come.
    left: u64,
    sum: flate2::Crc,
    expected: u32,
}

/// Opens one member.
///
/// # Errors
/// What is wrong with it.
pub fn stream<'a>(file: &'a File, member: &Member<Place>) -> Result<Unpacked<'a>, String> {
    let Place { packed, crc, method, .. } = member.place;
    let stored = Stored { file, at: first_byte(file, member)?, left: packed };
    let bytes: Box<dyn Read + 'a> = match method {
        8 => Box::new(flate2::bufread::DeflateDecoder::new(BufReader::with_capacity(1 << 16, stored))),
        _ => Box::new(stored),
    };
    Ok(Unpacked { bytes, left: member.place.length, sum: flate2::Crc::new(), expected: crc })
}

impl Read for Unpacked<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let got = self.bytes.read(out)?;
        self.sum.update(&out[..got]);
        let wrong = |what: &str| Err(Error::new(ErrorKind::InvalidData, what));
        self.left = match self.left.checked_sub(got as u64) {
            Some(left) => left,
            None => return wrong("it unpacks to more bytes than the archive says"),
        };
        match (got, self.left) {
            (0, 1..) if !out.is_empty() => Err(ErrorKind::UnexpectedEof.into()),
            (0, 0) if self.sum.sum() != self.expected => wrong("its checksum is wrong"),
            _ => Ok(got),
        }
    }
}

/// Bytes as they are in the archive.
struct Stored<'a> {
    file: &'a File,
    at: u64,
    left: u64,
}

impl Read for Stored<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let wanted = out.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        read_at(self.file, &mut out[..wanted], self.at)?;
        self.at += wanted as u64;
        self.left -= wanted as u64;
        Ok(wanted)
    }
}
