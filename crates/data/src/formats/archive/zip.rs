//! Zip archives: reads the central directory, keeps the locations of the wanted members, and reads members in location, from several
//! threads at once.

use std::cell::Cell;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use ::zip::read::{ZipFile, read_zipfile_from_stream_with_options};
use ::zip::result::ZipError;
use ::zip::{CompressionMethod, SUPPORTED_COMPRESSION_METHODS, ZipArchive, ZipReadOptions};

use super::MAX_FILE_BYTES;
use super::budget::Budgeted;
use super::member::{Member, OtherFiles, PassedOver, normalised};
use crate::pread::ReadAt;

/// Size limit of the central directory (256 MiB: about three million members).
const MAX_LIST_BYTES: u64 = 256 << 20;

/// Maximum expansion of deflate.
const MAX_DEFLATE_RATIO: u64 = 1032;

/// The location and compression of a member's bytes.
#[derive(Debug)]
pub struct Location {
    /// Offset of the member's local header.
    header_at: u64,
    /// Length unpacked.
    pub length: u64,
    /// Length in the archive.
    packed: u64,
    /// The CRC-32 of the unpacked bytes.
    pub crc: u32,
    method: CompressionMethod,
    encrypted: bool,
}

/// Whether a file that starts with `start` is a zip archive.
pub fn matches(start: &[u8]) -> bool {
    start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06")
}

/// Lists the files in an archive, in the archive's order.
///
/// # Errors
/// A description of what is wrong.
pub fn members(file: &File, passed: &mut PassedOver) -> Result<Vec<Member<Location>>, String> {
    list(file, |_| true, &mut OtherFiles::default(), passed)
}

/// Lists the files whose names are `wanted`, in the archive's order; other files are counted.
///
/// # Errors
/// As `members`.
pub fn listed(
    file: &File,
    wanted: impl Fn(&str) -> bool,
    others: &mut OtherFiles,
) -> Result<Vec<Member<Location>>, String> {
    list(file, wanted, others, &mut PassedOver::default())
}

fn list(
    file: &File,
    wanted: impl Fn(&str) -> bool,
    others: &mut OtherFiles,
    passed: &mut PassedOver,
) -> Result<Vec<Member<Location>>, String> {
    let unreadable = |error: ZipError| damaged(&format!("its central directory can't be read ({error})"));
    let budget = Cell::new(MAX_LIST_BYTES);
    let reader = Budgeted { reader: ReadAt::new(file), left: &budget, over_budget: "it takes more than 256 MiB" };
    // The zip crate's list has about 300 bytes per member; it is dropped after ours is built.
    let archive = ZipArchive::new(reader).map_err(unreadable)?;
    let mut members = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_data(index).map_err(unreadable)?;
        let raw = entry.name_raw();
        // The name of a folder ends in a slash.
        if raw.ends_with(b"/") || raw.ends_with(b"\\") {
            continue;
        }
        let Some(name) = normalised(raw) else { continue };
        if !wanted(&name) {
            others.add(&name);
            continue;
        }
        if std::str::from_utf8(raw).is_err() {
            passed.unclear_name(&name);
        }
        let location = Location {
            header_at: entry.header_start(),
            length: entry.size(),
            packed: entry.compressed_size(),
            crc: entry.crc32(),
            method: entry.compression(),
            encrypted: entry.encrypted(),
        };
        members.push(Member { name: name.into(), location });
    }
    Ok(members)
}

/// Refuses members none of which can be unpacked.
///
/// # Errors
/// Why the first one can't.
pub fn refuse_unreadable(members: &[Member<Location>]) -> Result<(), String> {
    let is_readable =
        |location: &Location| !location.encrypted && SUPPORTED_COMPRESSION_METHODS.contains(&location.method);
    match members.first().map(|member| &member.location) {
        Some(first) if !members.iter().any(|member| is_readable(&member.location)) => Err(match first.encrypted {
            true => "its files are encrypted: unpack it with its password, and give the folder".to_owned(),
            false => {
                format!("its files are packed with {}, which is not read: unpack it, and give the folder", first.method)
            }
        }),
        _ => Ok(()),
    }
}

/// Reads and unpacks one member.
///
/// # Errors
/// A description of what is wrong.
pub fn read(file: &File, member: &Member<Location>) -> Result<Vec<u8>, String> {
    let Location { length, packed, .. } = member.location;
    if packed > MAX_FILE_BYTES {
        return Err(format!("it takes {packed} bytes in the archive, too many"));
    }
    let mut reader = ReadAt::new(file);
    let mut bytes = Vec::new();
    // Reading to the end makes the zip crate verify the checksum.
    stream(&mut reader, member)?.read_to_end(&mut bytes).map_err(|error| damaged(&error.to_string()))?;
    if bytes.len() as u64 != length {
        return Err(damaged("it does not unpack to the length that the archive gives"));
    }
    Ok(bytes)
}

/// Opens one member as a stream of its unpacked bytes, for members too large to unpack at once. Reading to the end verifies
/// the checksum.
///
/// # Errors
/// A description of what is wrong.
pub fn stream<'a, 'f>(
    reader: &'a mut ReadAt<'f>,
    member: &Member<Location>,
) -> Result<ZipFile<'a, ReadAt<'f>>, String> {
    let Location { header_at, length, packed, crc, method, encrypted } = member.location;
    if encrypted {
        return Err("it is encrypted; pack the archive without a password".to_owned());
    }
    if !SUPPORTED_COMPRESSION_METHODS.contains(&method) {
        return Err(format!("it is packed with {method}; use deflate"));
    }
    if method == CompressionMethod::Stored && packed != length {
        return Err(damaged("the archive gives two lengths for it"));
    }
    if method == CompressionMethod::Deflated && length > packed.saturating_mul(MAX_DEFLATE_RATIO) {
        return Err(damaged("the archive claims more bytes than it can hold"));
    }
    let end = reader.seek(SeekFrom::End(0)).map_err(|error| error.to_string())?;
    if end.saturating_sub(header_at) < packed {
        return Err(damaged("the archive ends before it does"));
    }
    reader.seek(SeekFrom::Start(header_at)).map_err(|error| error.to_string())?;
    // The central directory is authoritative; a local header may omit these numbers.
    let options =
        ZipReadOptions::new().override_compressed_size(packed).override_uncompressed_size(length).override_crc(crc);
    match read_zipfile_from_stream_with_options(reader, options) {
        Ok(Some(member)) => Ok(member),
        Ok(None) | Err(ZipError::InvalidArchive(_)) => Err(damaged("the archive has no such member where it says")),
        Err(error) => Err(damaged(&error.to_string())),
    }
}

fn damaged(what: &str) -> String {
    format!("it is damaged: {what}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::pread::write_at;
    use crate::testing::zip;

    fn file(bytes: &[u8]) -> File {
        let file = tempfile::tempfile().unwrap();
        write_at(&file, bytes, 0).unwrap();
        file
    }

    type Read = Vec<(String, Result<Vec<u8>, String>)>;

    fn all(bytes: &[u8]) -> Result<Read, String> {
        let file = file(bytes);
        let members = members(&file, &mut PassedOver::default())?;
        Ok(members.iter().map(|member| (member.name.to_string(), read(&file, member))).collect())
    }

    fn only(bytes: &[u8]) -> Result<Vec<u8>, String> {
        all(bytes).unwrap().remove(0).1
    }

    /// Where the list of members begins in an archive without a comment.
    fn list_at(archive: &[u8]) -> usize {
        u32::from_le_bytes(*archive[..archive.len() - 2].last_chunk().unwrap()) as usize
    }

    const TEXT: &[u8] = b"some bytes, some bytes, some bytes";

    #[test]
    fn members_are_read_stored_or_deflated_and_behind_anything() {
        for deflated in [false, true] {
            let archive = zip(&[("a/b.png", TEXT), ("a/c.txt", b"x"), ("d.jpg", b"")], deflated);
            let file = |name: &str, bytes: &[u8]| (name.to_owned(), Ok(bytes.to_vec()));
            let expected = [file("a/b.png", TEXT), file("a/c.txt", b"x"), file("d.jpg", b"")];
            assert_eq!(all(&archive).unwrap(), expected);
            let behind = [b"a program of any length", &archive[..]].concat();
            assert_eq!(all(&behind).unwrap(), expected);
            let mut commented = [&archive[..], b"PK\x05\x06 in a comment"].concat();
            let end = archive.len() - 2;
            commented[end] = 17;
            assert_eq!(all(&commented).unwrap(), expected);
        }
        assert_eq!(all(&zip(&[], false)).unwrap(), []);
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let stored = zip(&[("a.png", TEXT)], false);
        let deflated = zip(&[("a.png", TEXT)], true);
        let list = list_at(&stored);
        let with = |archive: &[u8], at: usize, bytes: &[u8]| {
            let mut changed = archive.to_vec();
            changed[at..at + bytes.len()].copy_from_slice(bytes);
            only(&changed).unwrap_err()
        };
        assert!(with(&stored, list + 8, &[1]).starts_with("it is encrypted"));
        assert!(with(&stored, list + 10, &[93]).starts_with("it is packed with Zstd"));
        assert!(with(&stored, 36, b"X").ends_with("Invalid checksum"));
        assert!(with(&stored, list + 24, &[1]).ends_with("two lengths for it"));
        assert!(with(&stored, list + 20, &[0, 1, 0, 0, 0, 1, 0, 0]).ends_with("ends before it does"));
        assert!(with(&stored, list + 42, &[1]).ends_with("no such member where it says"));
        let list = list_at(&deflated);
        assert!(with(&deflated, list + 24, &[0xff, 0xff, 0xff, 0x7f]).ends_with("more bytes than it can hold"));
        assert!(with(&deflated, list + 24, &[1]).ends_with("larger than its declared uncompressed size"));
        assert!(with(&deflated, 35, &[0xff]).starts_with("it is damaged"));
    }

    #[test]
    fn archives_of_nothing_readable_are_refused() {
        let refused = |method: u8, flags: u8, count: usize| {
            let names = ["a.png", "b.png"];
            let files: Vec<(&str, &[u8])> = names[..count].iter().map(|name| (*name, TEXT)).collect();
            let mut archive = zip(&files, false);
            let list = list_at(&archive);
            (archive[list + 8], archive[list + 10]) = (flags, method);
            refuse_unreadable(&members(&file(&archive), &mut PassedOver::default()).unwrap())
        };
        assert!(refused(0, 1, 1).unwrap_err().starts_with("its files are encrypted: unpack"));
        assert!(refused(14, 0, 1).unwrap_err().starts_with("its files are packed with Lzma"));
        // One of two can be read.
        assert_eq!((refused(14, 0, 2), refused(0, 0, 1), refuse_unreadable(&[])), (Ok(()), Ok(()), Ok(())));
    }

    #[test]
    fn damaged_archives_say_so() {
        let archive = zip(&[("a.png", TEXT)], true);
        let said = |bytes: &[u8]| all(bytes).unwrap_err();
        assert!(said(&archive[..archive.len() - 1]).contains("central directory can't be read"));
        assert!(said(b"").contains("central directory can't be read"));
        let with = |back: usize, value: u8| {
            let mut changed = archive.clone();
            let at = changed.len() - back;
            changed[at] = value;
            changed
        };
        assert!(said(&with(5, 0xff)).contains("central directory can't be read"), "where the list begins");
        assert!(said(&with(12, 7)).contains("central directory can't be read"), "how many members there are");
        // A wrong length of the directory is harmless: its start is found by its signature.
        for harmless in [with(9, 0x7f), with(10, 7)] {
            assert_eq!(only(&harmless).unwrap(), TEXT);
        }
    }

    #[test]
    fn large_archives_have_longer_records() {
        // The same archive in zip64: an offset of 64 bits in the list, and the longer end records.
        let plain = zip(&[("a.png", TEXT)], true);
        let list = list_at(&plain);
        let mut entry = plain[list..list + 51].to_vec();
        entry[42..46].copy_from_slice(&[0xff; 4]);
        entry[30] = 12;
        entry.extend([1, 0, 8, 0]);
        entry.extend(0u64.to_le_bytes());
        let mut record = [b"PK\x06\x06", &44u64.to_le_bytes()[..], &[0; 12]].concat();
        for number in [1, 1, entry.len() as u64, list as u64] {
            record.extend(number.to_le_bytes());
        }
        let at = (list + entry.len()) as u64;
        let locator = [b"PK\x06\x07", &[0; 4][..], &at.to_le_bytes(), &[1, 0, 0, 0]].concat();
        let end = [&b"PK\x05\x06"[..], &[0; 4], &[0xff; 12], &[0; 2]].concat();
        let archive = [&plain[..list], &entry, &record, &locator, &end].concat();
        assert_eq!(all(&archive).unwrap(), [("a.png".to_owned(), Ok(TEXT.to_vec()))]);
        assert_eq!(all(&[&[9; 100], &archive[..]].concat()).unwrap().len(), 1);
        let cut = [&plain[..list], &entry, &record[8..], &locator, &end].concat();
        assert!(all(&cut).unwrap_err().contains("central directory can't be read"));
    }
}
