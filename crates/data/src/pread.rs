//! Positioned reads and writes, so that several threads can share one open file.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom};

/// Fills `out` with the bytes from offset `at`.
pub(crate) fn read_at(file: &File, mut out: &mut [u8], mut at: u64) -> Result<()> {
    while !out.is_empty() {
        match read_some(file, out, at) {
            Ok(0) => return Err(Error::new(ErrorKind::UnexpectedEof, "the file ends too early")),
            Ok(got) => {
                out = &mut out[got..];
                at += got as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes `bytes` at offset `at`; the file grows as needed.
pub(crate) fn write_at(file: &File, mut bytes: &[u8], mut at: u64) -> Result<()> {
    while !bytes.is_empty() {
        match write_some(file, bytes, at) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(put) => {
                bytes = &bytes[put..];
                at += put as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A buffered reader of a shared file with its own position. Seeking keeps the buffer.
#[derive(Debug)]
pub struct ReadAt<'a> {
    file: &'a File,
    position: u64,
    buffer: Vec<u8>,
    /// Offset of `buffer` in the file.
    buffered_at: u64,
}

impl<'a> ReadAt<'a> {
    /// Bytes per read.
    const BUFFER: usize = 1 << 16;

    /// Reads `file` from its beginning.
    pub fn new(file: &'a File) -> Self {
        Self { file, position: 0, buffer: Vec::new(), buffered_at: 0 }
    }
}

impl Read for ReadAt<'_> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        let buffered = |reader: &Self| {
            let skipped = usize::try_from(reader.position.checked_sub(reader.buffered_at)?).ok()?;
            Some(skipped).filter(|skipped| *skipped < reader.buffer.len())
        };
        if buffered(self).is_none() {
            if out.len() >= Self::BUFFER {
                let got = read_some(self.file, out, self.position)?;
                self.position += got as u64;
                return Ok(got);
            }
            self.buffer.resize(Self::BUFFER, 0);
            self.buffered_at = self.position;
            let got = read_some(self.file, &mut self.buffer, self.position);
            self.buffer.truncate(*got.as_ref().unwrap_or(&0));
            got?;
        }
        let from = &self.buffer[buffered(self).unwrap_or(self.buffer.len())..];
        let got = from.len().min(out.len());
        out[..got].copy_from_slice(&from[..got]);
        self.position += got as u64;
        Ok(got)
    }
}

impl Seek for ReadAt<'_> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let (base, offset) = match to {
            SeekFrom::Start(position) => (position, 0),
            SeekFrom::Current(offset) => (self.position, offset),
            SeekFrom::End(offset) => (self.file.metadata()?.len(), offset),
        };
        self.position = base.checked_add_signed(offset).ok_or(ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(unix)]
use std::os::unix::fs::FileExt;
#[cfg(windows)]
use std::os::windows::fs::FileExt;

#[cfg(unix)]
fn read_some(file: &File, out: &mut [u8], at: u64) -> Result<usize> {
    file.read_at(out, at)
}

#[cfg(unix)]
fn write_some(file: &File, bytes: &[u8], at: u64) -> Result<usize> {
    file.write_at(bytes, at)
}

#[cfg(windows)]
fn read_some(file: &File, out: &mut [u8], at: u64) -> Result<usize> {
    // Also moves the cursor, which is not used.
    file.seek_read(out, at)
}

#[cfg(windows)]
fn write_some(file: &File, bytes: &[u8], at: u64) -> Result<usize> {
    file.seek_write(bytes, at)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn writes_at_different_offsets_are_independent() {
        let file = tempfile::tempfile().unwrap();
        write_at(&file, b"world", 6).unwrap();
        write_at(&file, b"hello ", 0).unwrap();
        let mut out = [0; 5];
        read_at(&file, &mut out, 6).unwrap();
        assert_eq!(&out, b"world");
        read_at(&file, &mut out, 0).unwrap();
        assert_eq!(&out, b"hello");
        assert_eq!(read_at(&file, &mut out, 7).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_reader_seeks_anywhere_and_leaves_others_alone() {
        let file = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = (0..200_000u32).map(|k| (k % 251) as u8).collect();
        write_at(&file, &bytes, 0).unwrap();
        let (mut one, mut other) = (ReadAt::new(&file), ReadAt::new(&file));
        let mut out = [0; 100];
        for at in [0usize, 65_500, 10, 131_072, 199_900] {
            assert_eq!(one.seek(SeekFrom::Start(at as u64)).unwrap(), at as u64);
            one.read_exact(&mut out).unwrap();
            assert_eq!(out, bytes[at..at + 100]);
        }
        assert_eq!(one.read(&mut out).unwrap(), 0);
        one.seek(SeekFrom::End(-3)).unwrap();
        assert_eq!(one.seek(SeekFrom::Current(-1)).unwrap(), 199_996);
        assert_eq!(one.read(&mut out).unwrap(), 4);
        assert!(one.seek(SeekFrom::Current(-1_000_000)).is_err());
        let mut whole = Vec::new();
        other.read_to_end(&mut whole).unwrap();
        assert!(whole == bytes);
        one.seek(SeekFrom::Start(1 << 40)).unwrap();
        assert_eq!(one.read(&mut out).unwrap(), 0);
    }
}
