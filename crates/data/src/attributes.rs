//! Attribute tables: for each image file, whether it has each of several attributes (CelebA's Smiling, Eyeglasses and 38
//! more). Supported formats: CelebA's `list_attr_celeba.txt` (a count, a line of names, then rows as `000001.jpg -1 1 ...`)
//! and CSV (a header whose first column is the file, then rows of 1 and -1, 1 and 0, or true and false). [`WithAttributes`]
//! joins a table to a set of image files by file name.

mod with_attributes;

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use csv::{ReaderBuilder, StringRecord, Trim};

use crate::error::{Error, Result};
pub use with_attributes::WithAttributes;

/// Bytes read to detect a table.
const DETECTION_BYTES: usize = 1 << 16;

/// Maximum attributes of a table.
const MAX_NAMES: usize = 1024;

/// Maximum length of a line in bytes.
const MAX_LINE: u64 = 1 << 16;

/// Maximum rows of a table.
const MAX_ROWS: usize = 1 << 24;

/// Which images have which attributes.
pub struct Attributes {
    origin: String,
    names: Vec<String>,
    /// The file of each row.
    files: Vec<String>,
    /// Row of each image, by its file's path without extension.
    rows: HashMap<String, usize>,
    /// The same by its file's name; none if several rows have it.
    stems: HashMap<String, Option<usize>>,
    /// Row by row.
    has: Vec<bool>,
}

impl Attributes {
    /// Reads a table from a file.
    ///
    /// # Errors
    /// The file can't be read, or a line is invalid; the message has the line's number.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io("read", path))?;
        Self::parse(BufReader::with_capacity(1 << 16, file), &path.display().to_string())
    }

    /// Reads a table from its text; `origin` is for messages.
    ///
    /// # Errors
    /// As [`Attributes::open`].
    pub fn parse(reader: impl BufRead, origin: &str) -> Result<Self> {
        let mut lines = Lines { reader, origin, number: 0, text: String::new() };
        let Some(first) = lines.next()?.map(|line| line.trim_start_matches('\u{feff}').trim().to_owned()) else {
            return Err(lines.wrong("the file is empty"));
        };
        let promised = first.parse::<usize>().ok();
        let header = match promised {
            Some(_) => lines.next()?.unwrap_or_default().to_owned(),
            None => first,
        };
        let style = if promised.is_some() { Style::Spaces } else { Style::Commas };
        // CelebA's line of names has no name for the column of files.
        let skipped = if style == Style::Commas { 1 } else { 0 };
        let names: Vec<String> = style.split(&header).iter().skip(skipped).map(str::to_owned).collect();
        lines.check_names(&names)?;
        let mut table = Self {
            origin: origin.to_owned(),
            names,
            files: Vec::new(),
            rows: HashMap::new(),
            stems: HashMap::new(),
            has: Vec::new(),
        };
        while lines.next()?.is_some() {
            table.add(style, &lines)?;
        }
        match promised {
            Some(promised) if promised != table.rows.len() => Err(Error::data(
                format!("{origin} declares {promised} rows, but has {}", table.rows.len()),
                "the file is incomplete: download it again (or, if it was shortened on purpose, correct its first line)",
            )),
            _ if table.rows.is_empty() => Err(lines.wrong("there is no row after the header")),
            _ => Ok(table),
        }
    }

    /// Adds the last line read.
    fn add<R: BufRead>(&mut self, style: Style, lines: &Lines<'_, R>) -> Result<()> {
        if lines.text.trim().is_empty() {
            return Ok(());
        }
        let fields = style.split(&lines.text);
        let mut fields = fields.iter();
        let file = fields.next().unwrap_or_default();
        let before = self.has.len();
        for field in fields {
            let Some(name) = self.names.get(self.has.len() - before) else {
                return Err(lines.wrong(&format!("there are more values than the {} attributes", self.names.len())));
            };
            let value = truth(field).ok_or_else(|| {
                let excerpt: String = field.chars().take(20).collect();
                lines.wrong(&format!("{name} is '{}', expected 1 or -1, 1 or 0, true or false", excerpt.escape_debug()))
            })?;
            self.has.push(value);
        }
        let values = self.has.len() - before;
        if values != self.names.len() {
            return Err(lines.wrong(&format!("{values} values for {} attributes", self.names.len())));
        }
        if self.rows.len() == MAX_ROWS {
            return Err(lines.wrong(&format!("there are more than {MAX_ROWS} rows")));
        }
        let row = self.rows.len();
        if self.rows.insert(without_extension(file).to_owned(), row).is_some() {
            return Err(lines.wrong(&format!("the image {} appears twice", file.escape_debug())));
        }
        self.files.push(file.to_owned());
        self.stems.entry(stem(file).to_owned()).and_modify(|other| *other = None).or_insert(Some(row));
        Ok(())
    }

    /// The attributes, in the order of the columns.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Number of images in the table.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether the table has no rows; never the case after `open` or `parse`.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The file of each row, as the table has it.
    pub(crate) fn files(&self) -> &[String] {
        &self.files
    }

    /// The attributes in a row, in the order of `names`.
    pub(crate) fn row(&self, row: usize) -> Option<&[bool]> {
        let width = self.names.len();
        self.has.get(row * width..(row + 1) * width)
    }

    /// The attributes of the image in this file, in the order of `names`; `None` without a row. The extension is ignored, as
    /// CelebA's JPEG files are often converted to PNG, and folders are unless several rows have the same name.
    pub fn of(&self, file: &str) -> Option<&[bool]> {
        let whole = || self.rows.get(without_extension(file)).copied();
        self.row(whole().or_else(|| *self.stems.get(stem(file))?)?)
    }
}

impl std::fmt::Debug for Attributes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Attributes({}: {} of {} images)", self.origin, self.names.len(), self.rows.len())
    }
}

/// How the fields of a line are separated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Commas,
    Spaces,
}

impl Style {
    /// The fields of one line, without the space around them.
    fn split(self, line: &str) -> StringRecord {
        if self == Self::Spaces {
            return line.split_whitespace().collect();
        }
        if !line.contains('"') {
            return line.split(',').map(str::trim).collect();
        }
        let mut reader = ReaderBuilder::new();
        let reader = reader.has_headers(false).trim(Trim::All).buffer_capacity(line.len());
        let mut fields = StringRecord::new();
        // Reading text in memory can't fail: an open quote extends to the end of the line.
        let _ = reader.from_reader(line.trim().as_bytes()).read_record(&mut fields);
        fields
    }
}

/// Whether a table has CelebA's file name.
pub(crate) fn has_celebas_name(file: &str) -> bool {
    file.starts_with("list_attr")
}

/// Whether a file starts like a table: a valid header and first row, with at least two attributes (a name with one number could
/// be anything) unless its name says what it is.
pub(crate) fn is_table(bytes: &[u8], is_named: bool) -> bool {
    let start = &bytes[..bytes.len().min(DETECTION_BYTES)];
    let lines: Vec<&[u8]> = start.split_inclusive(|byte| *byte == b'\n').take(3).collect();
    // CelebA's first line declares more rows than this excerpt has.
    let text = String::from_utf8_lossy(&lines.concat()).into_owned();
    let body = match text.split_once('\n') {
        Some((first, rest)) if first.trim().parse::<usize>().is_ok() => format!("1\n{rest}"),
        _ => text,
    };
    Attributes::parse(body.as_bytes(), "").is_ok_and(|table| table.names().len() > 1 || is_named)
}

/// A file's name without its folders and without the extension of an image.
fn stem(file: &str) -> &str {
    without_extension(file.rsplit(['/', '\\']).next().unwrap_or(file))
}

/// A path without the extension of an image.
fn without_extension(file: &str) -> &str {
    match file.rsplit_once('.') {
        Some((stem, extension)) if extension.len() <= 4 && extension.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            stem
        }
        _ => file,
    }
}

fn truth(field: &str) -> Option<bool> {
    match field {
        "1" | "1.0" => Some(true),
        "-1" | "0" | "-1.0" | "0.0" => Some(false),
        _ if field.eq_ignore_ascii_case("true") => Some(true),
        _ if field.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// The lines of a table, one at a time.
struct Lines<'a, R> {
    reader: R,
    origin: &'a str,
    number: usize,
    text: String,
}

impl<R: BufRead> Lines<'_, R> {
    /// The next line; `None` at the end.
    fn next(&mut self) -> Result<Option<&str>> {
        self.text.clear();
        self.number += 1;
        let mut bytes = std::mem::take(&mut self.text).into_bytes();
        let got = self.reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut bytes);
        let got = got.map_err(|error| self.wrong(&error.to_string()))?;
        self.text = String::from_utf8(bytes).map_err(|_| self.wrong("it is not text in UTF-8"))?;
        if got as u64 == MAX_LINE {
            return Err(self.wrong(&format!("the line is longer than {MAX_LINE} bytes")));
        }
        Ok((got > 0).then_some(self.text.as_str()))
    }

    fn check_names(&self, names: &[String]) -> Result<()> {
        if names.is_empty() {
            return Err(self.wrong("it names no attributes"));
        }
        if names.len() > MAX_NAMES {
            return Err(self.wrong(&format!("it names {} attributes, more than the {MAX_NAMES} allowed", names.len())));
        }
        for (at, name) in names.iter().enumerate() {
            if name.is_empty() || names[..at].contains(name) {
                return Err(self.wrong(&format!("'{}' is empty or a repeated attribute name", name.escape_debug())));
            }
        }
        Ok(())
    }

    fn wrong(&self, what: &str) -> Error {
        Error::data(
            format!("{}, line {}: {what}", self.origin, self.number),
            "expected CelebA's list_attr_celeba.txt (a count, a line of names, rows such as \"000001.jpg -1 1\"), or \
             CSV with a header such as \"image_id,Smiling,Eyeglasses\" and rows such as \"000001.jpg,1,-1\"",
        )
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::super::testing::shared_data;
    use super::*;
    use proptest::prelude::*;

    const TXT: &str = "2\nSmiling Eyeglasses  Bald \n000001.jpg -1  1 -1\n000002.jpg  1 -1  1\n";
    const CSV: &str = "image_id,Smiling,Eyeglasses,Bald\r\n000001.jpg,0,1,0\r\n\"000002.jpg\",True,false,1\r\n";

    fn parse(text: &str) -> Result<Attributes> {
        Attributes::parse(text.as_bytes(), "list")
    }

    fn message(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn the_two_forms_read_alike() {
        for text in [TXT, CSV, &format!("\u{feff}{CSV}"), &format!("{CSV}\n \n"), CSV.trim_end()] {
            let table = parse(text).unwrap();
            assert_eq!((table.names(), table.len()), (&["Smiling", "Eyeglasses", "Bald"].map(str::to_owned)[..], 2));
            assert_eq!(table.of("000001.jpg").unwrap(), [false, true, false]);
            assert_eq!(table.of("img_align_celeba/000002.png").unwrap(), [true, false, true]);
            assert_eq!((table.of("000002"), table.of("000003.jpg")), (table.of("000002.jpg"), None));
            assert_eq!((table.files()[1].as_str(), table.row(1)), ("000002.jpg", table.of("000002")));
        }
    }

    #[test]
    fn files_of_one_name_in_two_folders_are_two() {
        let table = parse("f,A,B\na/1.jpg,1,0\nb/1.jpg,0,1\na/2.jpg,1.0,0.0\n").unwrap();
        assert_eq!((table.of("a/1.png"), table.of("b/1.png")), (Some(&[true, false][..]), Some(&[false, true][..])));
        assert_eq!((table.of("1.jpg"), table.of("c/1.jpg"), table.of("2.jpg")), (None, None, Some(&[true, false][..])));
    }

    #[test]
    fn tables_are_told_by_their_start() {
        for (text, is_named, expected) in [
            ("image_id,A,B\n1.jpg,1,-1\n", false, true),
            ("202599\nA B\n000001.jpg 1 -1\n000002.jpg 1 -1\n", false, true),
            ("2 sheep\n1 2\n", false, false),
            ("file,label\n1.jpg,1\n", false, false),
            ("file,label\n1.jpg,1\n", true, true),
            ("image_id,x,y\n1.jpg,95,71\n", true, false),
            ("", true, false),
        ] {
            assert_eq!(is_table(text.as_bytes(), is_named), expected, "{text}");
        }
    }

    #[test]
    fn quoted_commas_belong_to_their_field() {
        // As `sample` writes names and files with commas and quotes.
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        writer.write_record(["file", "Hat, red", "a \"b\""]).unwrap();
        writer.write_record(["x, y.png", "1", "0"]).unwrap();
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let table = parse(&text).unwrap();
        assert_eq!(table.names(), ["Hat, red", "a \"b\""]);
        assert_eq!(table.of("x, y.png").unwrap(), [true, false]);
    }

    #[test]
    fn damaged_tables_name_the_line() {
        for (text, expected) in [
            ("", "list, line 1: the file is empty"),
            ("2\n", "list, line 2: it names no attributes"),
            ("2\nA B\n", "list declares 2 rows, but has 0"),
            ("2\nA B\n1.jpg 1 1\n", "list declares 2 rows, but has 1"),
            ("f,A,B\n", "list, line 2: there is no row after the header"),
            ("f\n1.jpg\n", "list, line 1: it names no attributes"),
            ("f,A,A\n", "list, line 1: 'A' is empty or a repeated attribute name"),
            ("f,A,\n", "list, line 1: '' is empty or a repeated attribute name"),
            ("f,A\n1.jpg,1\n2.jpg,2\n", "list, line 3: A is '2', expected 1 or -1, 1 or 0, true or false"),
            ("f,A\n1.jpg,1,1\n", "list, line 2: there are more values than the 1 attributes"),
            ("f,A,B\n1.jpg,1\n", "list, line 2: 1 values for 2 attributes"),
            ("f,A\n1.jpg,1\n\n1.png,0\n", "list, line 4: the image 1.png appears twice"),
            ("1\nA\n1.jpg one\n", "list, line 3: A is 'one', expected 1 or -1, 1 or 0, true or false"),
        ] {
            assert_eq!(message(text), expected);
        }
        let wide = format!("f,{}\n", (0..1025).map(|k| k.to_string()).collect::<Vec<_>>().join(","));
        assert!(message(&wide).contains("it names 1025 attributes, more than"));
        assert!(message(&"x".repeat(100_000)).contains("line 1: the line is longer than"));
        let error = Attributes::parse(&b"f,A\n\xff\xfe,1\n"[..], "list").unwrap_err();
        assert!(error.to_string().ends_with("line 2: it is not text in UTF-8"), "{error}");
    }

    #[test]
    fn celeba_itself() {
        let Some(data) = shared_data() else { return };
        let table = Attributes::open(&data.join("celeba/list_attr_celeba_first10000.csv")).unwrap();
        assert_eq!((table.len(), table.names().len(), table.names()[0].as_str()), (10_000, 40, "5_o_Clock_Shadow"));
        for (name, count) in [("Male", 4217), ("Smiling", 4822), ("Eyeglasses", 674), ("Bald", 246)] {
            let at = table.names().iter().position(|known| known == name).unwrap();
            let has = |index: &usize| table.of(&format!("{index:06}.jpg")).unwrap()[at];
            assert_eq!((1..=10_000).filter(has).count(), count, "{name}");
        }
    }

    proptest! {
        #[test]
        fn random_text_never_panics(letters in prop::collection::vec(prop::sample::select(&b"0129a, -\"\n."[..]), 0..80)) {
            let text: String = letters.into_iter().map(char::from).collect();
            let _ = parse(&text);
            let _ = parse(&format!("2\nA B\n{text}"));
            let _ = parse(&format!("f,A,B\n{text}"));
        }

        #[test]
        fn what_is_written_is_read_back(rows in prop::collection::vec(any::<[bool; 3]>(), 1..20)) {
            let line = |(index, row): (usize, &[bool; 3])| {
                let values = row.map(|has| if has { " 1" } else { "-1" });
                format!("{index:06}.jpg {}\n", values.join(" "))
            };
            let text: String = rows.iter().enumerate().map(line).collect();
            let table = parse(&format!("{}\nA B C\n{text}", rows.len())).unwrap();
            for (index, row) in rows.iter().enumerate() {
                prop_assert_eq!(table.of(&format!("{index:06}.jpg")).unwrap(), row);
            }
        }
    }
}
