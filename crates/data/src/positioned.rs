//! Reading and writing at a place in a file without moving a cursor, so that many threads share one open file.

use std::fs::File;
use std::io::{Error, ErrorKind, Result};

/// Fills `out` with the bytes from `at` on.
pub fn read_at(file: &File, mut out: &mut [u8], mut at: u64) -> Result<()> {
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

/// Writes `bytes` from `at` on; the file grows as needed.
pub fn write_at(file: &File, mut bytes: &[u8], mut at: u64) -> Result<()> {
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
    // Moves the cursor too, which nobody looks at.
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
    fn places_do_not_disturb_each_other() {
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
}
