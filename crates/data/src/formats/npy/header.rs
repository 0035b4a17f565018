//! The header of a `.npy` file: a magic string, a version, and a Python dictionary with the keys `descr` (the type),
//! `fortran_order` and `shape`. Versions 1 to 3 differ in the width of the length field and in the text's encoding.
//! Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

use std::io::Read;

/// The first bytes of every `.npy` file.
pub(crate) const MAGIC: [u8; 6] = *b"\x93NUMPY";

/// The longest header text accepted; numpy itself stops at 10,000 characters.
const MAX_TEXT: usize = 1 << 16;

/// A parsed header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The type in numpy's notation: `|u1`, `<f4`. For a structured type, the list as written.
    pub descr: String,
    /// Whether the first index varies fastest.
    pub fortran_order: bool,
    /// The sizes, outermost first.
    pub shape: Vec<u64>,
    /// Offset of the values in the file.
    pub offset: u64,
}

impl Header {
    /// Reads the header at the start of `reader`, and leaves the reader at the first value.
    ///
    /// # Errors
    /// A description of what is wrong, as the end of a sentence.
    pub fn read(reader: &mut impl Read) -> Result<Self, String> {
        let mut start = [0u8; 8];
        exact(reader, &mut start)?;
        if start[..6] != MAGIC {
            return Err("it does not begin with \"\\x93NUMPY\"".to_owned());
        }
        let (length, width) = match start[6] {
            1 => {
                let mut field = [0u8; 2];
                exact(reader, &mut field)?;
                (usize::from(u16::from_le_bytes(field)), 2)
            }
            2 | 3 => {
                let mut field = [0u8; 4];
                exact(reader, &mut field)?;
                (u32::from_le_bytes(field) as usize, 4)
            }
            version => {
                return Err(format!("its format version is {version}, expected 1, 2 or 3"));
            }
        };
        if length > MAX_TEXT {
            return Err(format!("its header claims {length} bytes, more than the {MAX_TEXT} allowed"));
        }
        let mut text = vec![0u8; length];
        exact(reader, &mut text)?;
        let text = std::str::from_utf8(&text).map_err(|_| "its header is not text".to_owned())?;
        let (descr, fortran_order, shape) = Literal { rest: text }.dictionary()?;
        Ok(Self { descr, fortran_order, shape, offset: (8 + width + length) as u64 })
    }

    /// The header text for C-ordered bytes of this shape, padded so that the values start at a multiple of 64.
    pub(crate) fn for_bytes(shape: &[usize]) -> Vec<u8> {
        let sizes: String = shape.iter().map(|size| format!("{size}, ")).collect();
        // Python writes a trailing comma only in a tuple of one.
        let sizes = if shape.len() == 1 { sizes.trim_end() } else { sizes.trim_end_matches(", ") };
        let mut text = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({sizes}), }}");
        while !(10 + text.len() + 1).is_multiple_of(64) {
            text.push(' ');
        }
        text.push('\n');
        let mut bytes = MAGIC.to_vec();
        bytes.extend([1, 0]);
        bytes.extend((text.len() as u16).to_le_bytes());
        bytes.extend(text.as_bytes());
        bytes
    }
}

fn exact(reader: &mut impl Read, buffer: &mut [u8]) -> Result<(), String> {
    reader.read_exact(buffer).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "it ends within its header".to_owned(),
        _ => format!("its header can't be read: {error}"),
    })
}

/// A parser of the Python literals of a header.
struct Literal<'a> {
    rest: &'a str,
}

impl<'a> Literal<'a> {
    fn dictionary(mut self) -> Result<(String, bool, Vec<u64>), String> {
        let (mut descr, mut order, mut shape) = (None, None, None);
        self.expect('{')?;
        while !self.take('}') {
            let key = self.string()?;
            self.expect(':')?;
            match key {
                "descr" => descr = Some(self.descr()?),
                "fortran_order" => order = Some(self.boolean()?),
                "shape" => shape = Some(self.tuple()?),
                other => {
                    return Err(format!("its header has an unknown key '{}'", other.escape_debug()));
                }
            }
            if !self.take(',') {
                self.expect('}')?;
                break;
            }
        }
        if !self.rest.trim().is_empty() {
            return Err("its header goes on after the closing '}'".to_owned());
        }
        let missing = |key| format!("its header has no '{key}'");
        Ok((
            descr.ok_or_else(|| missing("descr"))?,
            order.ok_or_else(|| missing("fortran_order"))?,
            shape.ok_or_else(|| missing("shape"))?,
        ))
    }

    /// Consumes `wanted` if it is next.
    fn take(&mut self, wanted: char) -> bool {
        let rest = self.rest.trim_start();
        let found = rest.strip_prefix(wanted);
        self.rest = found.unwrap_or(rest);
        found.is_some()
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        if self.take(wanted) {
            return Ok(());
        }
        let found = match self.rest.chars().next() {
            Some(found) => format!("'{}'", found.escape_debug()),
            None => "its end".to_owned(),
        };
        Err(format!("its header has {found} where '{wanted}' was expected"))
    }

    fn string(&mut self) -> Result<&'a str, String> {
        let quote = if self.take('"') { '"' } else { self.expect('\'').map(|()| '\'')? };
        let (text, rest) = self.rest.split_once(quote).ok_or("its header has a string without end")?;
        self.rest = rest;
        Ok(text)
    }

    /// A type: a string, or the list of a structured type, kept only for messages.
    fn descr(&mut self) -> Result<String, String> {
        if !self.take('[') {
            return self.string().map(str::to_owned);
        }
        let mut depth = 1usize;
        for (at, letter) in self.rest.char_indices() {
            match letter {
                '[' => depth += 1,
                ']' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let list = format!("[{}", &self.rest[..=at]);
                self.rest = &self.rest[at + 1..];
                return Ok(list);
            }
        }
        Err("its header has a list without end".to_owned())
    }

    fn boolean(&mut self) -> Result<bool, String> {
        for (word, value) in [("True", true), ("False", false)] {
            if let Some(rest) = self.rest.trim_start().strip_prefix(word) {
                self.rest = rest;
                return Ok(value);
            }
        }
        Err("its header's fortran_order is neither True nor False".to_owned())
    }

    fn tuple(&mut self) -> Result<Vec<u64>, String> {
        let mut sizes = Vec::new();
        self.expect('(')?;
        while !self.take(')') {
            let digits = self.rest.trim_start();
            let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
            let size = digits[..end].parse().map_err(|_| "its header's shape has something else than sizes")?;
            sizes.push(size);
            // Python 2 wrote long integers with an L.
            self.rest = digits[end..].strip_prefix('L').unwrap_or(&digits[end..]);
            if !self.take(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(sizes)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::testing::npy;
    use proptest::prelude::*;

    fn header(text: &str) -> Result<Header, String> {
        Header::read(&mut &npy(text, b"")[..])
    }

    #[test]
    fn headers_as_numpy_writes_them() {
        let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (60000, 784), }   ";
        let read = header(text).unwrap();
        assert_eq!((read.descr.as_str(), read.fortran_order), ("<f4", false));
        assert_eq!((&read.shape[..], read.offset), (&[60000, 784][..], 10 + text.len() as u64 + 1));
        let read = header("{\"shape\":(5L,),\"fortran_order\":True,\"descr\":\"|u1\"}").unwrap();
        assert_eq!((&read.shape[..], read.fortran_order), (&[5][..], true));
        assert_eq!(header("{'descr': '|u1', 'fortran_order': False, 'shape': ()}").unwrap().shape, Vec::<u64>::new());
        let read =
            header("{'descr': [('x', '<f4', (2,)), ('y', '|u1')], 'fortran_order': False, 'shape': (3,)}").unwrap();
        assert_eq!(read.descr, "[('x', '<f4', (2,)), ('y', '|u1')]");
    }

    #[test]
    fn versions_two_and_three_have_a_wider_length() {
        let text = "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2, 3)}";
        for version in [2, 3] {
            let mut file = MAGIC.to_vec();
            file.extend([version, 0]);
            file.extend((text.len() as u32).to_le_bytes());
            file.extend(text.as_bytes());
            let read = Header::read(&mut &file[..]).unwrap();
            assert_eq!((&read.shape[..], read.offset), (&[1, 2, 3][..], file.len() as u64));
            file[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
            assert!(Header::read(&mut &file[..]).unwrap_err().contains("4294967295 bytes, more than"));
            file[6] = version + 4;
            assert!(Header::read(&mut &file[..]).unwrap_err().contains("format version"));
        }
    }

    #[test]
    fn damaged_headers_say_what_is_wrong() {
        for (text, expected) in [
            ("", "its header has its end where '{' was expected"),
            ("{'descr': '|u1', 'shape': (1,)}", "its header has no 'fortran_order'"),
            ("{'descr': '|u1'; 'shape': (1,)}", "its header has ';' where '}' was expected"),
            ("{'descr': '|u1', 'shape': (-1,)}", "its header's shape has something else than sizes"),
            ("{'shape': (99999999999999999999,)}", "its header's shape has something else than sizes"),
            ("{'shape': (1 2)}", "its header has '2' where ')' was expected"),
            ("{'fortran_order': 0}", "its header's fortran_order is neither True nor False"),
            ("{'colour': 'red'}", "its header has an unknown key 'colour'"),
            ("{'descr", "its header has a string without end"),
            ("{'descr': [(", "its header has a list without end"),
            ("{} + 1", "its header goes on after the closing '}'"),
        ] {
            assert_eq!(header(text).unwrap_err(), expected, "{text}");
        }
        assert_eq!(Header::read(&mut &b"PK\x03\x04____"[..]).unwrap_err(), "it does not begin with \"\\x93NUMPY\"");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(shape in prop::collection::vec(0usize..1_000_000, 0..5)) {
            let bytes = Header::for_bytes(&shape);
            prop_assert_eq!(bytes.len() % 64, 0);
            let read = Header::read(&mut &bytes[..]).unwrap();
            prop_assert_eq!(read.shape, shape.iter().map(|&size| size as u64).collect::<Vec<_>>());
            prop_assert_eq!((read.descr.as_str(), read.fortran_order), ("|u1", false));
            prop_assert_eq!(read.offset, bytes.len() as u64);
        }

        #[test]
        fn random_text_never_panics(
            text in prop::collection::vec(
                prop_oneof![
                    prop::sample::select("{}()[],:'\" LTFasdefhipr0123456789".chars().collect::<Vec<_>>()),
                    any::<char>(),
                ],
                0..80,
            )
        ) {
            let text: String = text.into_iter().collect();
            let _ = header(&text);
            let _ = header(&format!("{{'descr': '|u1', 'shape': ({text}"));
        }

        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), magic in any::<bool>()) {
            let file = if magic { [&MAGIC[..], &[1, 0, 60, 0], &bytes].concat() } else { bytes };
            let _ = Header::read(&mut &file[..]);
        }
    }
}
