//! Zip archives of files that are compressed already (PNG), written from front to back: any number of them, in a memory that
//! doesn't grow. The list of contents, which stands at an archive's end, is kept aside by whoever asks for the archive: in
//! a file, or in memory where there are few.

use std::io::{Read, Result, Write};

/// Names are UTF-8.
const FLAGS: u16 = 1 << 11;
/// 1 January 1980, the first day there is: equal images give equal archives.
const DATE: u16 = (1 << 5) | 1;
/// Versions of the format: the ordinary one, and the one with 64-bit places.
const PLAIN: u16 = 20;
const WIDE: u16 = 45;
/// An ordinary file that its owner may change, in Unix's terms.
const ATTRIBUTES: u32 = 0o100_644 << 16;
const UNIX: u16 = 3 << 8;
/// Stands where a number doesn't fit.
const BEYOND: u32 = u32::MAX;

/// Length and checksum (CRC-32) of bytes that are written bit by bit.
#[derive(Debug, Default)]
pub struct Checksum {
    size: u64,
    crc: flate2::Crc,
}

impl Checksum {
    /// Of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.crc.update(bytes);
        self.size += bytes.len() as u64;
    }
}

/// An archive in the making.
#[derive(Debug)]
pub struct Zip<W> {
    out: W,
    at: u64,
    entries: u64,
    listed: u64,
}

impl<W: Write> Zip<W> {
    /// Begins an archive at the beginning of `out`.
    pub fn new(out: W) -> Self {
        Self { out, at: 0, entries: 0, listed: 0 }
    }

    /// Adds a file, and its line to the `list`. `name` has `/` between folders.
    ///
    /// # Errors
    /// Where one of both can't be written, or the file has 4 GiB or more.
    pub fn add(&mut self, name: &str, bytes: &[u8], list: &mut impl Write) -> Result<()> {
        let mut sum = Checksum::new();
        sum.update(bytes);
        self.add_from(name, bytes, &sum, list)
    }

    /// Adds a file whose length and checksum are known.
    ///
    /// # Errors
    /// As [`Self::add`], or where `from` can't be read or has another size.
    pub fn add_from(&mut self, name: &str, mut from: impl Read, sum: &Checksum, list: &mut impl Write) -> Result<()> {
        let (size, checksum) = (sum.size, sum.crc.sum());
        let too_large = |_| std::io::Error::other(format!("{name} is too large for an archive"));
        let (short, length) = (u32::try_from(size).map_err(too_large)?, u16::try_from(name.len()).map_err(too_large)?);
        let offset = u32::try_from(self.at).unwrap_or(BEYOND);
        let wide = offset == BEYOND;
        // What stands both before the file and in the list.
        let mut common = Vec::with_capacity(26);
        for part in [if wide { WIDE } else { PLAIN }, FLAGS, 0, 0, DATE] {
            common.extend(part.to_le_bytes());
        }
        for part in [checksum, short, short] {
            common.extend(part.to_le_bytes());
        }
        common.extend(length.to_le_bytes());

        let mut line = b"PK\x01\x02".to_vec();
        line.extend((UNIX | WIDE).to_le_bytes());
        line.extend(&common);
        line.extend(if wide { 12u16 } else { 0 }.to_le_bytes());
        line.extend([0; 6]);
        line.extend(ATTRIBUTES.to_le_bytes());
        line.extend(offset.to_le_bytes());
        line.extend(name.as_bytes());
        if wide {
            line.extend([1, 0, 8, 0]);
            line.extend(self.at.to_le_bytes());
        }
        list.write_all(&line)?;

        let head = [b"PK\x03\x04", &common[..], &[0, 0], name.as_bytes()].concat();
        self.out.write_all(&head)?;
        if std::io::copy(&mut from, &mut self.out)? != size {
            return Err(std::io::Error::other(format!("{name} has changed its size")));
        }
        self.at += head.len() as u64 + size;
        self.listed += line.len() as u64;
        self.entries += 1;
        Ok(())
    }

    /// Ends the archive with the `list`, read from its beginning, and gives back what it was written to.
    ///
    /// # Errors
    /// Where the list can't be read or the end not written.
    pub fn finish(mut self, mut list: impl Read) -> Result<W> {
        if std::io::copy(&mut list, &mut self.out)? != self.listed {
            return Err(std::io::Error::other("the list of contents has changed its size"));
        }
        let (entries, listed, begin) = (self.entries, self.listed, self.at);
        let mut end = Vec::new();
        if entries >= 0xffff || begin + listed >= u64::from(BEYOND) {
            end.extend(b"PK\x06\x06");
            end.extend(44u64.to_le_bytes());
            [UNIX | WIDE, WIDE].iter().for_each(|part| end.extend(part.to_le_bytes()));
            end.extend([0; 8]);
            [entries, entries, listed, begin].iter().for_each(|part| end.extend(part.to_le_bytes()));
            end.extend(b"PK\x06\x07\0\0\0\0");
            end.extend((begin + listed).to_le_bytes());
            end.extend(1u32.to_le_bytes());
        }
        let short = |value: u64| u32::try_from(value).unwrap_or(BEYOND).to_le_bytes();
        let count = u16::try_from(entries).unwrap_or(u16::MAX).to_le_bytes();
        end.extend(b"PK\x05\x06\0\0\0\0");
        [count, count].iter().for_each(|part| end.extend(part));
        [short(listed), short(begin)].iter().for_each(|part| end.extend(part));
        end.extend([0, 0]);
        self.out.write_all(&end)?;
        Ok(self.out)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn made(count: usize, start: u64) -> Vec<u8> {
        let (mut zip, mut list) = (Zip::new(Vec::new()), Vec::new());
        zip.at = start;
        for i in 0..count {
            zip.add(&format!("{}/é{i}.png", i % 10), format!("content {i}").as_bytes(), &mut list).unwrap();
        }
        zip.finish(list.as_slice()).unwrap()
    }

    #[test]
    fn another_reader_finds_everything() {
        // Beyond 65,535 files the places are 64 bits wide.
        for count in [0, 3, 70_000] {
            let mut archive = ::zip::ZipArchive::new(Cursor::new(made(count, 0))).unwrap();
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
    fn beyond_four_gigabytes_places_are_wide() {
        // As if 5 GB stood before: the list names places that only a 64-bit number can hold.
        let start = 5_000_000_000;
        let bytes = made(2, start);
        let list = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
        assert_eq!(&bytes[list + 42..list + 46], &[255; 4]);
        let name = "0/é0.png".len();
        assert_eq!(&bytes[list + 46 + name..][..12], [&[1, 0, 8, 0][..], &start.to_le_bytes()].concat());
        let wide = bytes.windows(4).position(|w| w == b"PK\x06\x06").unwrap();
        assert_eq!(&bytes[wide + 48..wide + 56], (start + list as u64).to_le_bytes());
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let (mut zip, mut list) = (Zip::new(Vec::new()), Vec::new());
        assert!(zip.add(&"x".repeat(70_000), b"", &mut list).is_err());
        let mut sum = Checksum::new();
        sum.update(b"123");
        assert!(zip.add_from("a", &b"12"[..], &sum, &mut list).unwrap_err().to_string().contains("changed its size"));
        let large = Checksum { size: 1 << 33, ..Checksum::new() };
        assert!(zip.add_from("a", &b""[..], &large, &mut list).unwrap_err().to_string().contains("too large"));
    }
}
