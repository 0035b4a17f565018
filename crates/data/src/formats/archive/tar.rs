//! Tar archives: one pass over the headers locates the bytes of each member. A compressed archive has no random access, so its
//! encoded images (PNG, JPEG) and what may hold their labels are kept in memory.

use std::cell::Cell;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use ::tar::{Archive, Entries, Entry, Header};

use super::MAX_FILE_BYTES;
use super::budget::Budgeted;
use super::member::{Member, PassedOver, is_image, is_text, normalised};
use crate::formats::compression::{drain, unpacked};
use crate::pread::{ReadAt, read_at};

/// Header and padding unit.
const BLOCK: usize = 512;

/// Size limit of a member's headers, including its name and extended properties (1 MiB).
const MAX_HEADER_BYTES: u64 = 1 << 20;
const TOO_LONG: &str = "a name or property of more than 1 MiB";

/// Size limit of the images of a compressed archive in memory (1 GiB).
const MAX_KEPT_BYTES: u64 = 1 << 30;

/// Size limit of a text of a compressed archive in memory (64 MiB).
const MAX_TEXT_BYTES: u64 = 64 << 20;

/// The location of a member's bytes.
#[derive(Debug)]
pub struct Location {
    at: u64,
    /// Its bytes.
    pub length: u64,
    stored: Stored,
}

/// How a member's bytes are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stored {
    /// One after the other.
    Whole,
    /// With holes.
    Sparse,
    /// Not kept, as it is too large, or neither an image nor text.
    Nowhere,
}

/// The bytes of an archive.
pub enum Bytes {
    /// On disk.
    File(File),
    /// The images of a compressed archive, concatenated.
    Memory(Vec<u8>),
}

/// Whether a file that starts with `start` is a tar archive: the checksum of its first header is correct.
pub fn matches(start: &[u8]) -> bool {
    let Some(block) = start.first_chunk::<BLOCK>() else { return false };
    let header = Header::from_byte_slice(block);
    let mut summed = header.clone();
    summed.set_cksum();
    matches!((header.cksum(), summed.cksum()), (Ok(claimed), Ok(sum)) if claimed == sum) && header.entry_size().is_ok()
}

/// Lists the files in an archive, in the archive's order; links are counted.
///
/// # Errors
/// A description of what is wrong.
pub fn members(file: &File, passed: &mut PassedOver) -> Result<Vec<Member<Location>>, String> {
    let budget = Cell::new(0);
    let mut archive = Archive::new(Budgeted { reader: ReadAt::new(file), left: &budget, over_budget: TOO_LONG });
    let entries = archive.entries_with_seek().map_err(|error| damaged(&error))?;
    let mut members = Vec::new();
    walk(
        entries,
        &budget,
        |_| true,
        passed,
        |_, name, location| {
            members.push(Member { name, location });
            Ok(true)
        },
    )?;
    Ok(members)
}

/// Whether an archive ends with the block of zeros that marks its end.
pub fn is_ended(file: &File) -> bool {
    let mut last = [1; BLOCK];
    let at = file.metadata().ok().and_then(|about| about.len().checked_sub(BLOCK as u64));
    at.is_some_and(|at| read_at(file, &mut last, at).is_ok()) && last.iter().all(|byte| *byte == 0)
}

/// Reads the images and texts of a compressed archive into memory.
///
/// # Errors
/// A description of what is wrong, or that the archive is too large.
pub fn unpack(mut file: File, passed: &mut PassedOver) -> Result<(Bytes, Vec<Member<Location>>), String> {
    file.seek(SeekFrom::Start(0)).map_err(|error| error.to_string())?;
    let (reader, _) = unpacked(file).map_err(|error| error.to_string())?;
    let (mut kept, mut members) = (Vec::new(), Vec::new());
    each(
        reader,
        |_| true,
        passed,
        |entry, name, location| {
            let length = location.length;
            let at = kept.len() as u64;
            let is_kept = (is_image(&name) && length <= MAX_FILE_BYTES) || (is_text(&name) && length <= MAX_TEXT_BYTES);
            if !is_kept {
                members.push(Member { name, location: Location { stored: Stored::Nowhere, ..location } });
                return Ok(true);
            }
            if length > MAX_KEPT_BYTES - at {
                let limit = MAX_KEPT_BYTES >> 30;
                return Err(format!(
                    "its images have more than {limit} GiB, too much to keep unpacked; unpack it first"
                ));
            }
            let sparse = location.stored == Stored::Sparse;
            let got = if sparse { 0 } else { entry.read_to_end(&mut kept).map_err(|error| damaged(&error))? };
            members.push(Member { name, location: Location { at, ..location } });
            Ok(sparse || got as u64 == length)
        },
    )?;
    kept.shrink_to_fit();
    Ok((Bytes::Memory(kept), members))
}

/// Reads one member.
///
/// # Errors
/// A description of what is wrong.
pub fn read(bytes: &Bytes, member: &Member<Location>) -> Result<Vec<u8>, String> {
    let Location { at, length, stored } = member.location;
    match stored {
        Stored::Whole => {}
        Stored::Sparse => return Err("it is stored as a sparse file; pack the archive without --sparse".to_owned()),
        Stored::Nowhere => return Err("it is too large to keep unpacked; unpack the archive first".to_owned()),
    }
    let cut = || "the archive ends before it does".to_owned();
    match bytes {
        Bytes::Memory(bytes) => {
            let range = at as usize..(at + length) as usize;
            bytes.get(range).map(<[u8]>::to_vec).ok_or_else(cut)
        }
        Bytes::File(file) => {
            let end = file.metadata().map_err(|error| error.to_string())?.len();
            if end.saturating_sub(at) < length {
                return Err(cut());
            }
            let mut out = vec![0; length as usize];
            read_at(file, &mut out, at).map_err(|error| error.to_string())?;
            Ok(out)
        }
    }
}

/// Calls `take` with the name, length and bytes of each `wanted` file of an archive (uncompressed).
///
/// # Errors
/// A description of what is wrong with the archive, or the error of `take`.
pub fn pick(
    reader: impl Read,
    wanted: impl Fn(&str) -> bool,
    mut take: impl FnMut(&str, u64, &mut dyn Read) -> Result<(), String>,
) -> Result<(), String> {
    each(reader, wanted, &mut PassedOver::default(), |entry, name, location| {
        take(&name, location.length, entry)?;
        Ok(true)
    })
}

/// Members for concatenated files in memory.
pub fn concatenated(files: impl Iterator<Item = (String, u64)>) -> Vec<Member<Location>> {
    let mut end = 0;
    let location = |(name, length): (String, u64)| {
        let at = end;
        end += length;
        Member { name: name.into(), location: Location { at, length, stored: Stored::Whole } }
    };
    files.map(location).collect()
}

/// `walk` for readers without seeking.
fn each<R: Read>(
    mut reader: R,
    wanted: impl Fn(&str) -> bool,
    passed: &mut PassedOver,
    file: impl FnMut(&mut dyn Read, Box<str>, Location) -> Result<bool, String>,
) -> Result<(), String> {
    let budget = Cell::new(0);
    let whole = {
        let mut archive = Archive::new(Budgeted { reader: &mut reader, left: &budget, over_budget: TOO_LONG });
        let entries = archive.entries().map_err(|error| damaged(&error))?;
        walk(entries, &budget, wanted, passed, file)?
    };
    if whole {
        // The checksum of a compressed archive follows its last block.
        drain(&mut reader).map_err(|error| damaged(&error))?;
    }
    Ok(())
}

/// Reads header after header. `file` gets the bytes, name and location of each `wanted` file, and returns whether to
/// continue. Links are counted. Returns whether the archive was read to its end.
fn walk<R: Read>(
    mut entries: Entries<'_, R>,
    budget: &Cell<u64>,
    wanted: impl Fn(&str) -> bool,
    passed: &mut PassedOver,
    mut file: impl FnMut(&mut dyn Read, Box<str>, Location) -> Result<bool, String>,
) -> Result<bool, String> {
    // The rest of a member may be read to skip it.
    let mut unread = 0u64;
    loop {
        budget.set(unread.saturating_add(MAX_HEADER_BYTES));
        let Some(entry) = entries.next() else { return Ok(true) };
        let mut entry = entry.map_err(|error| damaged(&error))?;
        budget.set(u64::MAX);
        unread = entry.size();
        let kind = entry.header().entry_type();
        let is_link = kind.is_symlink() || kind.is_hard_link();
        // Folders and properties of the archive as a whole.
        if !(is_link || kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse()) {
            continue;
        }
        let raw = entry.path_bytes().into_owned();
        // The oldest format marks folders only by a trailing slash.
        let Some(name) = normalised(&raw).filter(|_| !raw.ends_with(b"/")) else { continue };
        if is_link {
            passed.link(&name);
        } else if wanted(&name) {
            if std::str::from_utf8(&raw).is_err() {
                passed.unclear_name(&name);
            }
            let sparse = kind.is_gnu_sparse() || is_sparse(&mut entry);
            let stored = if sparse { Stored::Sparse } else { Stored::Whole };
            let location = Location { at: entry.raw_file_position(), length: entry.size(), stored };
            if !file(&mut entry, name.into(), location)? {
                return Ok(false);
            }
        }
    }
}

/// Whether a member is stored as a sparse file.
fn is_sparse<R: Read>(entry: &mut Entry<'_, R>) -> bool {
    let properties = entry.pax_extensions().ok().flatten();
    properties.is_some_and(|mut all| all.any(|one| one.is_ok_and(|one| one.key_bytes().starts_with(b"GNU.sparse."))))
}

fn damaged(what: &dyn std::fmt::Display) -> String {
    format!("it is damaged: {what}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::pread::write_at;
    use crate::testing::{gzip, tar, tar_header};

    fn file(bytes: &[u8]) -> File {
        let file = tempfile::tempfile().unwrap();
        write_at(&file, bytes, 0).unwrap();
        file
    }

    type Read = Vec<(String, Result<Vec<u8>, String>)>;

    fn plain(bytes: &[u8]) -> Result<Read, String> {
        let file = file(bytes);
        let members = members(&file, &mut PassedOver::default())?;
        let bytes = Bytes::File(file);
        Ok(members.iter().map(|member| (member.name.to_string(), read(&bytes, member))).collect())
    }

    fn packed(bytes: &[u8]) -> Result<Read, String> {
        let (bytes, members) = unpack(file(bytes), &mut PassedOver::default())?;
        Ok(members.iter().map(|member| (member.name.to_string(), read(&bytes, member))).collect())
    }

    fn padded(bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        bytes
    }

    #[test]
    fn members_are_read_in_place_or_from_memory() {
        let archive = tar(&[("a/b.png", &[7; 700]), ("c.txt", b"x"), ("d.jpg", b"")]);
        assert!(matches(&archive));
        let file = |name: &str, bytes: &[u8]| (name.to_owned(), Ok(bytes.to_vec()));
        let expected = [file("a/b.png", &[7; 700]), file("c.txt", b"x"), file("d.jpg", b"")];
        assert_eq!(plain(&archive).unwrap(), expected);
        assert_eq!(packed(&gzip(&archive)).unwrap(), expected);
        let twice = [gzip(&archive[..1000]), gzip(&archive[1000..])].concat();
        assert_eq!(packed(&twice).unwrap(), expected, "gzip files may follow each other");
    }

    #[test]
    fn long_names_and_lengths_come_beforehand() {
        let long = format!("{}/x.png", "n".repeat(150));
        let gnu = [&tar_header("././@LongLink", long.len() + 1, b'L')[..], &padded(long.as_bytes())].concat();
        let properties = format!("{} path={long}\n10 size=3\n", long.len() + 10);
        let posix = [&tar_header("PaxHeader/x", properties.len(), b'x')[..], &padded(properties.as_bytes())].concat();
        let member = |length: usize| [&tar_header("short.png", length, b'0')[..], &padded(b"abc")].concat();
        let global = [&tar_header("g", 3, b'g')[..], &padded(b"abc")].concat();
        for archive in [[gnu, member(3)].concat(), [global, posix, member(0)].concat()] {
            assert_eq!(plain(&archive).unwrap(), [(long.clone(), Ok(b"abc".to_vec()))]);
        }
    }

    #[test]
    fn every_wrong_bit_of_a_compressed_archive_is_found_or_harmless() {
        let pixels: Vec<u8> = (0..300u32).map(|at| (at * at % 251) as u8).collect();
        let zipped = gzip(&tar(&[("a/b.png", &pixels), ("c.jpg", &pixels[7..])]));
        let whole = packed(&zipped).unwrap();
        let mut found = 0;
        for bit in 0..8 * zipped.len() {
            let mut wrong = zipped.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            match packed(&wrong) {
                Ok(read) => assert_eq!(read, whole, "bit {bit}"),
                Err(_) => found += 1,
            }
        }
        assert!(found > 7 * zipped.len(), "{found} of {} bits", 8 * zipped.len());
        // The checksum follows the last block of the archive.
        assert!(packed(&zipped[..zipped.len() - 1]).is_err());
        assert_eq!(packed(&[&zipped[..], &[0; 1000]].concat()).unwrap(), whole);
        assert!(packed(&[&zipped[..], b"more"].concat()).unwrap_err().contains("that are not gzip data"));
    }

    #[test]
    fn damaged_archives_and_members_say_so() {
        let archive = tar(&[("a.png", &[7; 700]), ("b.png", &[8; 10])]);
        let cut = plain(&archive[..1000]).unwrap();
        assert_eq!(cut[0].1.as_ref().unwrap_err(), "the archive ends before it does");
        assert_eq!(packed(&gzip(&archive[..1000])).unwrap(), cut);
        let mut broken = archive.clone();
        broken[3 * BLOCK] = b'X';
        assert!(!matches(&broken[3 * BLOCK..]));
        assert_eq!(plain(&broken).unwrap_err(), "it is damaged: archive header checksum mismatch");
        let gzipped = gzip(&archive);
        assert!(packed(&gzipped[..gzipped.len() / 2]).is_err());
        let mut sparse = Header::new_gnu();
        sparse.as_gnu_mut().unwrap().set_real_size(3);
        sparse.as_gnu_mut().unwrap().sparse[0].set_offset(0);
        sparse.as_gnu_mut().unwrap().sparse[0].set_length(3);
        sparse.set_entry_type(::tar::EntryType::GNUSparse);
        sparse.set_path("a.png").unwrap();
        sparse.set_size(3);
        sparse.set_cksum();
        let sparse = [&sparse.as_bytes()[..], &padded(b"abc")].concat();
        assert!(plain(&sparse).unwrap()[0].1.as_ref().unwrap_err().contains("sparse"));
        let name = [&tar_header("././@LongLink", 1 << 21, b'L')[..], &[b'n'; 1 << 21]].concat();
        assert!(plain(&name).unwrap_err().contains("a name or property of more than 1 MiB"));
        assert!(packed(&gzip(&name)).unwrap_err().contains("a name or property of more than 1 MiB"));
        let huge = tar_header("a.png", (1 << 30) + 1, b'0');
        // Passed over without being kept.
        assert!(packed(&gzip(&huge)).unwrap_err().contains("unexpected EOF"));
    }
}
