//! The text of a recipe file, in the encodings that editors and shells write: UTF-8 with or without a mark, and UTF-16, which
//! PowerShell 5 writes behind `>`.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use crate::data;
use crate::error::{Error, Result};

/// Largest recipe that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

const FOLDER_HINT: &str = "name a recipe file (TOML); that of a run is its config.toml";
const KIND_HINT: &str = "a recipe is a TOML file; each preset is a complete one to compare with";

/// Reads the recipe file at `path`.
///
/// # Errors
/// A folder, a file that can't be read, one that is too large or no text.
pub(super) fn read(path: &Path) -> Result<String> {
    let name = path.display();
    if path.is_dir() {
        return Err(Error::recipe(format!("{name} is a folder, expected a recipe file"), FOLDER_HINT));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(Error::io("read", path))?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    text_of(path, &bytes)
}

/// Reads the recipe file at `path`, which must be a regular file: in a folder that others may write to.
///
/// # Errors
/// As [`read`].
pub(super) fn read_plain(path: &Path) -> Result<String> {
    let bytes = data::read_plain(path, MAX_BYTES).map_err(Error::io("read", path))?;
    text_of(path, &bytes)
}

fn text_of(path: &Path, bytes: &[u8]) -> Result<String> {
    let name = path.display();
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::recipe(format!("{name} is no recipe: it is larger than {MAX_BYTES} bytes"), KIND_HINT));
    }
    decoded(bytes).map_err(|why| match why {
        Undecoded::NoText => Error::recipe(format!("{name} is no recipe: it is not text"), KIND_HINT),
        Undecoded::Line(line) => Error::recipe(
            format!("{name}, line {line}: not UTF-8, the encoding of recipes"),
            "save the file as UTF-8 in your editor",
        ),
    })
}

/// What people write instead of true and false.
const SWITCHES: [&str; 6] = ["true", "false", "yes", "no", "on", "off"];

/// What to do about text that is no TOML from the place `at` on, by what people write instead.
pub(super) fn remedy(text: &str, at: Option<Range<usize>>) -> &'static str {
    if text.trim_start().starts_with('{') {
        return "this looks like JSON, and a recipe is a TOML file: write [train] on a line, batch = 32 on the next";
    }
    let at = at.map_or(0, |at| at.start).min(text.len());
    let start = text.as_bytes()[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let line = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default().trim();
    let (key, value) = line.split_once('=').map_or((line, ""), |(key, value)| (key, value.trim()));
    let plain = value.split('#').next().unwrap_or_default().trim();
    let is_name = |text: &str| text.chars().all(|c| c.is_alphanumeric() || "_.-".contains(c));
    match () {
        () if value.contains('\\') => {
            "a backslash begins an escape in double quotes: write a path in single quotes, 'C:\\images', or with /"
        }
        () if value
            .split_once(',')
            .is_some_and(|(a, b)| a.parse::<i64>().is_ok() && b.starts_with(|c: char| c.is_ascii_digit())) =>
        {
            "numbers have a decimal point: 0.5, not 0,5"
        }
        () if value.is_empty() && key.split_once(':').is_some_and(|(key, _)| is_name(key.trim())) => {
            "this looks like YAML, and a recipe is a TOML file: write key = value, with text in quotes"
        }
        () if SWITCHES.iter().any(|word| word.eq_ignore_ascii_case(plain)) => {
            "write true or false, in small letters and without quotes"
        }
        () if value.starts_with(|c: char| c.is_alphabetic()) => "put text in quotes, as in source = \"mnist\"",
        () => KIND_HINT,
    }
}

/// Why bytes are no text.
#[derive(Debug, PartialEq)]
enum Undecoded {
    NoText,
    /// Text but for this line.
    Line(usize),
}

fn decoded(bytes: &[u8]) -> std::result::Result<String, Undecoded> {
    let utf_16 = |from: fn([u8; 2]) -> u16, bytes: &[u8]| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| from(*pair)).collect();
        String::from_utf16(&units).ok().filter(|_| rest.is_empty()).ok_or(Undecoded::NoText)
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => return utf_16(u16::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => return utf_16(u16::from_be_bytes, rest),
        // Without a mark: the first character of a recipe is an ASCII one.
        [_, 0, ..] => return utf_16(u16::from_le_bytes, bytes),
        [0, _, ..] => return utf_16(u16::from_be_bytes, bytes),
        _ => {}
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) if bytes.contains(&0) => Err(Undecoded::NoText),
        Err(error) => Err(Undecoded::Line(bytes[..error.valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{KIND_HINT, remedy};
    use crate::recipe::{Preset, Recipe};

    #[test]
    fn other_notations_are_told_with_what_to_write() {
        for (text, hint) in [
            ("{\"train\": {\"batch\": 3}}", "JSON"),
            ("epochs: 10\n", "YAML"),
            ("[train]\nlr = 0,0002\n", "decimal point"),
            ("[data]\nsource = \"C:\\Users\\me\"\n", "single quotes"),
            ("[data]\nsource = mnist\n", "in quotes"),
            ("[data]\nmirror = True\n", "write true or false, in small letters"),
            ("[data]\nmirror = off # for now\n", "write true or false, in small letters"),
            ("[train\nbatch = 3\n", "each preset is a complete one"),
        ] {
            let error = text.parse::<toml::Table>().unwrap_err();
            let said = remedy(text, error.span());
            assert!(said.contains(hint), "{text}: {said}");
        }
        assert_eq!(remedy("", Some(9..10)), KIND_HINT);
    }

    #[test]
    fn recipes_in_all_encodings_are_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        let text = format!("# é 日 𝄞\r\n{}", Preset::Ring.text());
        let units = |to: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to).collect::<Vec<u8>>();
        let (little, big) = (units(u16::to_le_bytes), units(u16::to_be_bytes));
        for bytes in [
            text.clone().into_bytes(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            [b"\xff\xfe", &little[..]].concat(),
            [b"\xfe\xff", &big[..]].concat(),
            little,
            big,
        ] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(Recipe::read(&path, &[]).unwrap(), Preset::Ring.recipe().unwrap());
        }
    }

    #[test]
    fn what_is_no_text_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        let said = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            Recipe::read(&path, &[]).unwrap_err().to_string()
        };
        assert!(said(b"latent = 2\n# caf\xe9\n").contains("mine.toml, line 2: not UTF-8"));
        for bytes in [&b"\x89PNG\r\n\x1a\n\0\0"[..], b"\xff\xfea", b"PK\x03\x04\x00\xff\0"] {
            assert!(said(bytes).contains("it is not text"), "{bytes:?}");
        }
        assert!(said(&vec![b'#'; 2 << 20]).contains("larger than"));
        let error = Recipe::read(folder.path(), &[]).unwrap_err();
        assert!(error.to_string().contains("is a folder") && error.hint().contains("config.toml"), "{error}");
    }
}
