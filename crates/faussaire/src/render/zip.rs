//! Zip archives of files that are compressed already (PNG): stored as they are. Equal files give equal archives, because
//! every file has the same date.

use std::io::{Read, Result, Seek, Write};

use ::zip::write::{SimpleFileOptions, ZipWriter};
use ::zip::{CompressionMethod, DateTime};

/// An archive in the making. The list of its members, which is written last, is kept in memory: about 200 bytes for each.
#[derive(Debug)]
pub struct Zip<W: Write + Seek>(ZipWriter<W>);

impl<W: Write + Seek> Zip<W> {
    /// Begins an archive at the beginning of `out`.
    pub fn new(out: W) -> Self {
        Self(ZipWriter::new(out))
    }

    /// Adds a file with the bytes of `from`. `name` has `/` between folders.
    ///
    /// # Errors
    /// Where the file can't be read or written, has 4 GiB or more, or the archive holds a file of that name.
    pub fn add(&mut self, name: &str, mut from: impl Read) -> Result<()> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::DEFAULT)
            .unix_permissions(0o644);
        self.0.start_file(name, options)?;
        std::io::copy(&mut from, &mut self.0).map(drop)
    }

    /// Ends the archive and gives back what it was written to.
    ///
    /// # Errors
    /// Where the list of members can't be written.
    pub fn finish(self) -> Result<W> {
        Ok(self.0.finish()?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn made(count: usize) -> Vec<u8> {
        let mut zip = Zip::new(Cursor::new(Vec::new()));
        for i in 0..count {
            zip.add(&format!("{}/é{i}.png", i % 10), format!("content {i}").as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn everything_is_found_again() {
        // Beyond 65,535 files the places are 64 bits wide.
        for count in [0, 3, 70_000] {
            let mut archive = ::zip::ZipArchive::new(Cursor::new(made(count))).unwrap();
            assert_eq!(archive.len(), count);
            for i in (0..count).step_by(9_999) {
                let mut file = archive.by_index(i).unwrap();
                assert_eq!(file.name().unwrap(), format!("{}/é{i}.png", i % 10));
                assert_eq!(file.unix_mode(), Some(0o100_644));
                let mut text = String::new();
                // Compares the checksum, too.
                file.read_to_string(&mut text).unwrap();
                assert_eq!(text, format!("content {i}"));
            }
        }
    }

    #[test]
    fn equal_files_give_equal_archives_of_the_first_date() {
        let bytes = made(3);
        assert_eq!(bytes, made(3));
        let mut archive = ::zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let date = archive.by_index(2).unwrap().last_modified().unwrap();
        assert_eq!((date.year(), date.month(), date.day(), date.hour()), (1980, 1, 1, 0));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut zip = Zip::new(Cursor::new(Vec::new()));
        assert!(zip.add(&"x".repeat(70_000), &b""[..]).is_err());
        let mut zip = Zip::new(Cursor::new(Vec::new()));
        zip.add("a", &b"12"[..]).unwrap();
        assert!(zip.add("a", &b"12"[..]).is_err());
    }
}
