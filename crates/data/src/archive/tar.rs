//! Tar archives: one pass over the headers says where each member's bytes are. A gzipped one can't be entered in its
//! middle, so its images stay in memory, packed as they are (PNG, JPEG).
//! Source: POSIX.1-2017 `pax`, sections "ustar Interchange Format" and "pax Header File Format"; GNU tar's long names.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

use flate2::read::MultiGzDecoder;

use super::member::{Member, Others, is_image, tidy};
use crate::positioned::read_at;

/// Header and padding unit.
const BLOCK: usize = 512;

/// The longest name, and the longest set of extended properties, that are read.
const MAX_NAME_BYTES: u64 = 64 << 10;
const MAX_PROPERTIES_BYTES: u64 = 1 << 20;

/// The most bytes of images that are kept in memory from a gzipped archive (1 GiB).
const MAX_KEPT_BYTES: u64 = 1 << 30;

/// Where a member's bytes are: from here on, unless it is of a kind that can't be read.
#[derive(Debug)]
pub struct Place {
    at: u64,
    /// Its bytes.
    pub length: u64,
    sparse: bool,
}

/// The bytes of an archive.
pub enum Bytes {
    /// On the disk.
    File(File),
    /// The images of a gzipped archive, one after the other.
    Memory(Vec<u8>),
}

/// True where a file that begins with `start` is a tar archive: its first header has the right checksum.
pub fn claims(start: &[u8]) -> bool {
    start.first_chunk::<BLOCK>().is_some_and(|block| header(block).is_some())
}

/// Lists the images in an archive, in the archive's order; other files are counted.
///
/// # Errors
/// What is wrong with the archive.
pub fn members(file: &File, others: &mut Others) -> Result<Vec<Member<Place>>, String> {
    let mut reader = BufReader::new(file);
    reader.seek(SeekFrom::Start(0)).map_err(|error| error.to_string())?;
    let mut members = Vec::new();
    walk(&mut reader, skip_by_seeking, is_image, others, |_, name, place| {
        members.push(Member { name, place });
        Ok(0)
    })?;
    Ok(members)
}

/// Unpacks a gzipped archive and keeps its images.
///
/// # Errors
/// What is wrong with the archive, or that it is too large.
pub fn unzip(mut file: File, others: &mut Others) -> Result<(Bytes, Vec<Member<Place>>), String> {
    file.seek(SeekFrom::Start(0)).map_err(|error| error.to_string())?;
    let mut reader = MultiGzDecoder::new(BufReader::new(file));
    let (mut kept, mut members) = (Vec::new(), Vec::new());
    walk(&mut reader, skip_by_reading, is_image, others, |reader, name, place| {
        let length = place.length;
        let at = kept.len() as u64;
        if length > MAX_KEPT_BYTES - at {
            let limit = MAX_KEPT_BYTES >> 30;
            return Err(format!("its images have more than {limit} GiB, too much to keep unpacked; gunzip it first"));
        }
        let got = reader.take(length).read_to_end(&mut kept).map_err(|error| damaged(&error.to_string()))? as u64;
        members.push(Member { name, place: Place { at, ..place } });
        Ok(got)
    })?;
    kept.shrink_to_fit();
    Ok((Bytes::Memory(kept), members))
}

/// Reads one member.
///
/// # Errors
/// What is wrong with it.
pub fn read(bytes: &Bytes, member: &Member<Place>) -> Result<Vec<u8>, String> {
    let Place { at, length, sparse } = member.place;
    if sparse {
        return Err("it is stored as a sparse file; pack the archive without --sparse".to_owned());
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

/// What is said about the next member before its own header.
#[derive(Default)]
struct Announced {
    name: Option<Vec<u8>>,
    length: Option<u64>,
    sparse: bool,
}

/// Goes through an archive (already gunzipped) and hands each file whose name is `wanted` to `take`: its name, its
/// length, and its bytes.
///
/// # Errors
/// What is wrong with the archive, or what `take` says.
pub fn pick(
    mut reader: impl Read,
    wanted: impl Fn(&str) -> bool,
    mut take: impl FnMut(&str, u64, &mut dyn Read) -> Result<(), String>,
) -> Result<(), String> {
    walk(&mut reader, skip_by_reading, wanted, &mut Others::default(), |reader, name, place| {
        let mut bytes = reader.take(place.length);
        take(&name, place.length, &mut bytes)?;
        Ok(place.length - bytes.limit())
    })
}

/// Files that lie in memory one after the other.
pub fn in_a_row(files: impl Iterator<Item = (String, u64)>) -> Vec<Member<Place>> {
    let mut end = 0;
    let place = |(name, length): (String, u64)| {
        let at = end;
        end += length;
        Member { name: name.into(), place: Place { at, length, sparse: false } }
    };
    files.map(place).collect()
}

/// Goes from header to header. `file` gets the name and place of each file whose name is `wanted`, with the reader at
/// its first byte, and says how many bytes it took.
fn walk<R: Read>(
    reader: &mut R,
    skip: impl Fn(&mut R, u64) -> Result<(), String>,
    wanted: impl Fn(&str) -> bool,
    others: &mut Others,
    mut file: impl FnMut(&mut R, Box<str>, Place) -> Result<u64, String>,
) -> Result<(), String> {
    let mut at = 0u64;
    let mut announced = Announced::default();
    while let Some(block) = block(reader)? {
        at += BLOCK as u64;
        // A block of zeros ends the archive.
        if block.iter().all(|&byte| byte == 0) {
            return Ok(());
        }
        let header = header(&block).ok_or_else(|| damaged(&format!("no header at byte {}", at - BLOCK as u64)))?;
        let mut length = header.length;
        let mut taken = 0;
        match header.kind {
            b'L' => announced.name = Some(text(reader, length, MAX_NAME_BYTES, &mut taken)?),
            b'x' => announced.properties(&text(reader, length, MAX_PROPERTIES_BYTES, &mut taken)?),
            b'0' | 0 | b'7' | b'S' => {
                let said = std::mem::take(&mut announced);
                length = said.length.unwrap_or(length);
                let name = tidy(&said.name.unwrap_or(header.name));
                // The oldest archives mark a folder by the end of its name only.
                let place = Place { at, length, sparse: said.sparse || header.kind == b'S' };
                match name {
                    Some(name) if wanted(&name) => taken = file(reader, name.into(), place)?,
                    Some(name) if !header.folder => others.add(&name),
                    _ => {}
                }
            }
            b'g' | b'K' => {}
            // Folders and links: they have no content of their own.
            _ => announced = Announced::default(),
        }
        let padded = length.checked_next_multiple_of(BLOCK as u64).ok_or_else(|| damaged("an impossible length"))?;
        skip(reader, padded.saturating_sub(taken))?;
        at = at.checked_add(padded).ok_or_else(|| damaged("an impossible length"))?;
    }
    Ok(())
}

impl Announced {
    /// Takes name and length from lines `LENGTH KEY=VALUE\n`.
    fn properties(&mut self, mut lines: &[u8]) {
        while let Some(space) = lines.iter().position(|&byte| byte == b' ') {
            let length = std::str::from_utf8(&lines[..space]).ok().and_then(|digits| digits.parse::<usize>().ok());
            let Some(line) = length.and_then(|length| lines.get(space + 1..length)) else { return };
            lines = &lines[length.unwrap_or(lines.len())..];
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let Some(equals) = line.iter().position(|&byte| byte == b'=') else { continue };
            let value = &line[equals + 1..];
            match &line[..equals] {
                b"path" => self.name = Some(value.to_vec()),
                b"size" => self.length = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok()),
                key if key.starts_with(b"GNU.sparse.") => self.sparse = true,
                _ => {}
            }
        }
    }
}

/// The next block; none at the end of the archive.
fn block(reader: &mut impl Read) -> Result<Option<[u8; BLOCK]>, String> {
    let mut block = Vec::with_capacity(BLOCK);
    reader.take(BLOCK as u64).read_to_end(&mut block).map_err(|error| damaged(&error.to_string()))?;
    match block.len() {
        0 => Ok(None),
        // What is cut off within a header had nothing more to tell.
        short if short < BLOCK => Ok(None),
        _ => Ok(block.first_chunk().copied()),
    }
}

/// A name or properties that stand where a file's content would.
fn text(reader: &mut impl Read, length: u64, most: u64, taken: &mut u64) -> Result<Vec<u8>, String> {
    if length > most {
        return Err(damaged(&format!("a name or property of {length} bytes")));
    }
    let mut bytes = Vec::new();
    *taken = reader.take(length).read_to_end(&mut bytes).map_err(|error| damaged(&error.to_string()))? as u64;
    // Names end in a zero byte.
    if bytes.last() == Some(&0) {
        bytes.pop();
    }
    Ok(bytes)
}

fn skip_by_seeking(reader: &mut BufReader<&File>, bytes: u64) -> Result<(), String> {
    let bytes = i64::try_from(bytes).map_err(|_| damaged("an impossible length"))?;
    reader.seek_relative(bytes).map_err(|error| damaged(&error.to_string()))
}

fn skip_by_reading(reader: &mut impl Read, bytes: u64) -> Result<(), String> {
    std::io::copy(&mut reader.take(bytes), &mut std::io::sink()).map(drop).map_err(|error| damaged(&error.to_string()))
}

/// What a header block says.
struct Header {
    name: Vec<u8>,
    length: u64,
    kind: u8,
    folder: bool,
}

/// Reads a header; none where its checksum or its length is wrong.
fn header(block: &[u8; BLOCK]) -> Option<Header> {
    const CHECKSUM: std::ops::Range<usize> = 148..156;
    let sum: u64 = block.iter().map(|&byte| u64::from(byte)).sum();
    let own: u64 = block[CHECKSUM].iter().map(|&byte| u64::from(byte)).sum();
    // The checksum counts itself as spaces.
    if number(&block[CHECKSUM])? != sum - own + 8 * u64::from(b' ') {
        return None;
    }
    let until_zero = |field: &[u8]| field.split(|&byte| byte == 0).next().unwrap_or_default().to_vec();
    let mut name = until_zero(&block[..100]);
    let prefix = until_zero(&block[345..500]);
    // GNU tar uses the place of the prefix otherwise.
    if block[257..263] == *b"ustar\0" && !prefix.is_empty() {
        name = [&prefix[..], b"/", &name].concat();
    }
    let folder = name.ends_with(b"/");
    Some(Header { length: number(&block[124..136])?, kind: block[156], folder, name })
}

/// A number in octal digits, or in binary where its first bit is set.
fn number(field: &[u8]) -> Option<u64> {
    if let [first, rest @ ..] = field
        && first & 0x80 != 0
    {
        let digits = std::iter::once(first & 0x7f).chain(rest.iter().copied());
        return digits.map(u64::from).try_fold(0u64, |value, digit| value.checked_mul(256)?.checked_add(digit));
    }
    let text = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
}

fn damaged(what: &str) -> String {
    format!("it is damaged: {what}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::positioned::write_at;
    use crate::testing::{gzip, tar, tar_header};

    fn file(bytes: &[u8]) -> File {
        let file = tempfile::tempfile().unwrap();
        write_at(&file, bytes, 0).unwrap();
        file
    }

    type Read = Vec<(String, Result<Vec<u8>, String>)>;

    fn plain(bytes: &[u8]) -> Result<Read, String> {
        let file = file(bytes);
        let members = members(&file, &mut Others::default())?;
        let bytes = Bytes::File(file);
        Ok(members.iter().map(|member| (member.name.to_string(), read(&bytes, member))).collect())
    }

    fn packed(bytes: &[u8]) -> Result<Read, String> {
        let (bytes, members) = unzip(file(bytes), &mut Others::default())?;
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
        assert!(claims(&archive));
        let expected = [("a/b.png".to_owned(), Ok(vec![7; 700])), ("d.jpg".to_owned(), Ok(Vec::new()))];
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
    fn damaged_archives_and_members_say_so() {
        let archive = tar(&[("a.png", &[7; 700]), ("b.png", &[8; 10])]);
        let cut = plain(&archive[..1000]).unwrap();
        assert_eq!(cut[0].1.as_ref().unwrap_err(), "the archive ends before it does");
        assert_eq!(packed(&gzip(&archive[..1000])).unwrap(), cut);
        let mut broken = archive.clone();
        broken[3 * BLOCK] = b'X';
        assert!(!claims(&broken[3 * BLOCK..]));
        assert_eq!(plain(&broken).unwrap_err(), "it is damaged: no header at byte 1536");
        let gzipped = gzip(&archive);
        assert!(packed(&gzipped[..gzipped.len() / 2]).is_err());
        let sparse = [&tar_header("a.png", 3, b'S')[..], &padded(b"abc")].concat();
        assert!(plain(&sparse).unwrap()[0].1.as_ref().unwrap_err().contains("sparse"));
        let name = tar_header("././@LongLink", 1 << 20, b'L');
        assert!(plain(&name).unwrap_err().contains("a name or property of 1048576 bytes"));
        let huge = tar_header("a.png", (1 << 30) + 1, b'0');
        assert!(packed(&gzip(&huge)).unwrap_err().contains("gunzip it first"));
    }

    #[test]
    fn numbers_are_octal_or_binary() {
        assert_eq!(number(b"0000017\0"), Some(15));
        assert_eq!(number(b"    12 \0"), Some(10));
        assert_eq!(number(&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]), Some(258));
        assert_eq!((number(&[0xff; 12]), number(b"9      \0")), (None, None));
        assert_eq!((number(&[0x80, 0, 0, 0, 0, 0, 0, 7]), number(b"")), (Some(7), Some(0)));
    }
}
