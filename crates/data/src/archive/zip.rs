//! Zip archives: the list of members at the end of the file, then each member by itself, stored or deflated.
//! Source: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3 (zip64).

mod stream;

use std::fs::File;
use std::io::Read;

use super::MAX_FILE_BYTES;
use super::member::{Member, Others, is_image, tidy};
use crate::positioned::read_at;
pub use stream::stream;

/// The record that ends the list of members, and how long a comment may follow it.
const END: [u8; 4] = *b"PK\x05\x06";
const END_BYTES: u64 = 22;
const MAX_COMMENT: u64 = 0xffff;

/// The most bytes that the list of members may take (1 GiB: some ten million members).
const MAX_LIST_BYTES: u64 = 1 << 30;

/// Deflate makes at most this many bytes out of one.
const MAX_DEFLATE_RATIO: u64 = 1032;

/// Where a member's bytes are and how they are packed.
#[derive(Debug)]
pub struct Place {
    /// The start of the member's own header.
    header_at: u64,
    /// Bytes once unpacked.
    pub length: u64,
    /// Bytes in the archive.
    packed: u64,
    /// The CRC-32 of the unpacked bytes.
    pub crc: u32,
    method: u16,
    encrypted: bool,
}

/// True where a file that begins with `start` is a zip archive.
pub fn claims(start: &[u8]) -> bool {
    start.starts_with(b"PK\x03\x04") || start.starts_with(&END)
}

/// Lists the images in an archive, in the archive's order; other files are counted.
///
/// # Errors
/// What is wrong with the archive.
pub fn members(file: &File, others: &mut Others) -> Result<Vec<Member<Place>>, String> {
    listed(file, is_image, others)
}

/// Lists the files whose names are `wanted`, in the archive's order; other files are counted.
///
/// # Errors
/// As `members`.
pub fn listed(file: &File, wanted: impl Fn(&str) -> bool, others: &mut Others) -> Result<Vec<Member<Place>>, String> {
    let length = file.metadata().map_err(plain)?.len();
    let (list, shift) = list(file, length)?;
    let mut members = Vec::new();
    let mut rest = &list[..];
    while !rest.is_empty() {
        let (entry, after) = entry(rest).ok_or_else(|| damaged("its list of members can't be read"))?;
        rest = after;
        // The name of a folder ends in a slash.
        if entry.name.ends_with(b"/") || entry.name.ends_with(b"\\") {
            continue;
        }
        let Some(name) = tidy(entry.name) else { continue };
        if !wanted(&name) {
            others.add(&name);
            continue;
        }
        let place = Place { header_at: entry.place.header_at.saturating_add(shift), ..entry.place };
        members.push(Member { name: name.into(), place });
    }
    Ok(members)
}

/// Reads and unpacks one member.
///
/// # Errors
/// What is wrong with it.
pub fn read(file: &File, member: &Member<Place>) -> Result<Vec<u8>, String> {
    let Place { length, packed, crc, method, .. } = member.place;
    if packed > MAX_FILE_BYTES {
        return Err(format!("it takes {packed} bytes in the archive, too many"));
    }
    let at = first_byte(file, member)?;
    let mut bytes = vec![0; packed as usize];
    read_at(file, &mut bytes, at).map_err(|error| error.to_string())?;
    if method == 8 {
        bytes = inflate(&bytes, length)?;
    }
    let mut sum = flate2::Crc::new();
    sum.update(&bytes);
    if sum.sum() != crc {
        return Err(damaged("its checksum is wrong"));
    }
    Ok(bytes)
}

/// Where the packed bytes of a member begin, once it is known that they are there and can be read.
fn first_byte(file: &File, member: &Member<Place>) -> Result<u64, String> {
    let Place { header_at, length, packed, method, encrypted, .. } = member.place;
    if encrypted {
        return Err("it is encrypted; pack the archive without a password".to_owned());
    }
    match method {
        0 if packed != length => return Err(damaged("the archive gives two lengths for it")),
        8 if length > packed.saturating_mul(MAX_DEFLATE_RATIO) => {
            return Err(damaged("the archive claims more bytes than it can hold"));
        }
        0 | 8 => {}
        other => return Err(format!("it is packed with method {other}{}; use deflate", named(other))),
    }
    let mut header = [0; 30];
    let cut = || damaged("the archive ends before it does");
    read_at(file, &mut header, header_at).map_err(|_| cut())?;
    if !header.starts_with(b"PK\x03\x04") {
        return Err(damaged("the archive has no such member where it says"));
    }
    let at = header_at + 30 + u64::from(u16_at(&header, 26)) + u64::from(u16_at(&header, 28));
    if file.metadata().map_err(plain)?.len().saturating_sub(at) < packed {
        return Err(cut());
    }
    Ok(at)
}

fn inflate(packed: &[u8], length: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(length as usize);
    let mut decoder = flate2::read::DeflateDecoder::new(packed).take(length + 1);
    decoder.read_to_end(&mut bytes).map_err(|error| damaged(&error.to_string()))?;
    if bytes.len() as u64 != length {
        return Err(damaged("it does not unpack to the length that the archive gives"));
    }
    Ok(bytes)
}

/// The list of members as bytes, and by how much the archive's own offsets fall short: by what stands before it.
fn list(file: &File, length: u64) -> Result<(Vec<u8>, u64), String> {
    let tail_at = length.saturating_sub(END_BYTES + MAX_COMMENT);
    let mut tail = vec![0; (length - tail_at) as usize];
    read_at(file, &mut tail, tail_at).map_err(plain)?;
    let is_end = |&at: &usize| {
        let comment = tail.get(at..at + END_BYTES as usize).map(|end| usize::from(u16_at(end, 20)));
        tail[at..].starts_with(&END) && comment.is_some_and(|comment| at + END_BYTES as usize + comment <= tail.len())
    };
    let end_in_tail = (0..tail.len()).rev().find(is_end);
    let Some(end_in_tail) = end_in_tail else {
        return Err(damaged("its list of members is missing; the archive is cut off"));
    };
    let end = &tail[end_in_tail..];
    let mut end_at = tail_at + end_in_tail as u64;
    let (mut size, mut offset) = (u64::from(u32_at(end, 12)), u64::from(u32_at(end, 16)));
    if u16_at(end, 10) == u16::MAX || size == u64::from(u32::MAX) || offset == u64::from(u32::MAX) {
        (size, offset, end_at) = zip64_end(file, end_at)?.unwrap_or((size, offset, end_at));
    }
    let list_at = end_at.checked_sub(size).ok_or_else(|| damaged("its list of members has an impossible size"))?;
    let shift = list_at.checked_sub(offset).ok_or_else(|| damaged("its list of members is not where it says"))?;
    if size > MAX_LIST_BYTES {
        return Err(format!("its list of members has {size} bytes, more than the {MAX_LIST_BYTES} allowed"));
    }
    let mut list = vec![0; size as usize];
    read_at(file, &mut list, list_at).map_err(plain)?;
    Ok((list, shift))
}

/// Size and offset of the list, and where it ends, from the records of archives with 65,536 or more members or beyond
/// 4 GiB; none where there are no such records.
fn zip64_end(file: &File, end_at: u64) -> Result<Option<(u64, u64, u64)>, String> {
    const LOCATOR: u64 = 20;
    const RECORD: u64 = 56;
    let mut locator = [0; LOCATOR as usize];
    let Some(locator_at) = end_at.checked_sub(LOCATOR) else { return Ok(None) };
    read_at(file, &mut locator, locator_at).map_err(plain)?;
    if !locator.starts_with(b"PK\x06\x07") {
        return Ok(None);
    }
    // Where the locator says, or right before it where something was put before the archive.
    for at in [u64_at(&locator, 8), locator_at.saturating_sub(RECORD)] {
        let mut record = [0; RECORD as usize];
        if read_at(file, &mut record, at).is_ok() && record.starts_with(b"PK\x06\x06") {
            return Ok(Some((u64_at(&record, 40), u64_at(&record, 48), at)));
        }
    }
    Err(damaged("its list of members is missing"))
}

/// A member as the list gives it.
struct Entry<'a> {
    name: &'a [u8],
    place: Place,
}

/// The first member of a list, and the rest of the list.
fn entry(list: &[u8]) -> Option<(Entry<'_>, &[u8])> {
    let head = list.get(..46).filter(|head| head.starts_with(b"PK\x01\x02"))?;
    let [name, extra, comment] = [28, 30, 32].map(|at| usize::from(u16_at(head, at)));
    let rest = list.get(46 + name + extra + comment..)?;
    let flags = u16_at(head, 8);
    let mut sizes = [24, 20, 42].map(|at| u64::from(u32_at(head, at)));
    widen(&mut sizes, &list[46 + name..46 + name + extra]);
    let [length, packed, header_at] = sizes;
    let place =
        Place { header_at, length, packed, crc: u32_at(head, 16), method: u16_at(head, 10), encrypted: flags & 1 == 1 };
    Some((Entry { name: &list[46..46 + name], place }, rest))
}

/// Takes the sizes that don't fit 32 bits from the zip64 field, in its order: length, packed length, offset.
fn widen(sizes: &mut [u64; 3], mut extra: &[u8]) {
    while extra.len() >= 4 {
        let size = usize::from(u16_at(extra, 2));
        let Some(mut field) = extra.get(4..4 + size) else { return };
        if u16_at(extra, 0) == 1 {
            for wide in sizes.iter_mut().filter(|wide| **wide == u64::from(u32::MAX)) {
                let Some(value) = field.first_chunk::<8>() else { return };
                *wide = u64::from_le_bytes(*value);
                field = &field[8..];
            }
        }
        extra = &extra[4 + size..];
    }
}

/// What other packers' methods are called.
fn named(method: u16) -> &'static str {
    match method {
        9 => " (deflate64)",
        12 => " (bzip2)",
        14 => " (LZMA)",
        93 => " (zstd)",
        95 => " (xz)",
        _ => "",
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

fn damaged(what: &str) -> String {
    format!("it is damaged: {what}")
}

fn plain(error: std::io::Error) -> String {
    error.to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::positioned::write_at;
    use crate::testing::zip;

    fn file(bytes: &[u8]) -> File {
        let file = tempfile::tempfile().unwrap();
        write_at(&file, bytes, 0).unwrap();
        file
    }

    type Read = Vec<(String, Result<Vec<u8>, String>)>;

    fn all(bytes: &[u8]) -> Result<Read, String> {
        let file = file(bytes);
        let members = members(&file, &mut Others::default())?;
        Ok(members.iter().map(|member| (member.name.to_string(), read(&file, member))).collect())
    }

    fn only(bytes: &[u8]) -> Result<Vec<u8>, String> {
        all(bytes).unwrap().remove(0).1
    }

    /// Where the list of members begins in an archive without a comment.
    fn list_at(archive: &[u8]) -> usize {
        u32_at(archive, archive.len() - 6) as usize
    }

    const TEXT: &[u8] = b"some bytes, some bytes, some bytes";

    #[test]
    fn members_are_read_stored_or_deflated_and_behind_anything() {
        for deflated in [false, true] {
            let archive = zip(&[("a/b.png", TEXT), ("a/c.txt", b"x"), ("d.jpg", b"")], deflated);
            let expected = [("a/b.png".to_owned(), Ok(TEXT.to_vec())), ("d.jpg".to_owned(), Ok(Vec::new()))];
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
        assert!(with(&stored, list + 10, &[93]).starts_with("it is packed with method 93 (zstd)"));
        assert!(with(&stored, 36, b"X").ends_with("checksum is wrong"));
        assert!(with(&stored, list + 24, &[1]).ends_with("two lengths for it"));
        assert!(with(&stored, list + 20, &[0, 1, 0, 0, 0, 1, 0, 0]).ends_with("ends before it does"));
        assert!(with(&stored, list + 42, &[1]).ends_with("no such member where it says"));
        let list = list_at(&deflated);
        assert!(with(&deflated, list + 24, &[0xff, 0xff, 0xff, 0x7f]).ends_with("more bytes than it can hold"));
        assert!(with(&deflated, list + 24, &[1]).ends_with("to the length that the archive gives"));
        assert!(with(&deflated, 35, &[0xff]).starts_with("it is damaged"));
    }

    #[test]
    fn damaged_archives_say_so() {
        let archive = zip(&[("a.png", TEXT)], true);
        let said = |bytes: &[u8]| all(bytes).unwrap_err();
        assert!(said(&archive[..archive.len() - 1]).contains("list of members is missing"));
        assert!(said(b"").contains("missing"));
        let with = |back: usize, value: u8| {
            let mut changed = archive.clone();
            let at = changed.len() - back;
            changed[at] = value;
            said(&changed)
        };
        assert!(with(9, 0x7f).contains("impossible size"));
        assert!(with(5, 0xff).contains("not where it says"));
        assert!(with(10, 7).contains("can't be read"));
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
        let end = [&END[..], &[0; 4], &[0xff; 12], &[0; 2]].concat();
        let archive = [&plain[..list], &entry, &record, &locator, &end].concat();
        assert_eq!(all(&archive).unwrap(), [("a.png".to_owned(), Ok(TEXT.to_vec()))]);
        assert_eq!(all(&[&[9; 100], &archive[..]].concat()).unwrap().len(), 1);
        let cut = [&plain[..list], &entry, &record[8..], &locator, &end].concat();
        assert!(all(&cut).unwrap_err().contains("missing"));
    }
}
