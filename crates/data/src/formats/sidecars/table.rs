//! Tables in text files: CSV, TSV, columns separated by spaces (`separated`), JSON, and one JSON object a line.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{IBM866, SHIFT_JIS};
use serde_json::{Map, Value};

use super::separated::separated;
use crate::parts::part_of;

/// Maximum columns of a table.
pub(super) const MAX_COLUMNS: usize = 256;

/// Maximum size of a JSON file (64 MiB), which takes several times as much in memory.
const MAX_JSON_BYTES: usize = 64 << 20;

/// Why annotations as in COCO hold no labels.
pub(crate) const SEVERAL_OBJECTS: &str = "it has several objects in one image, as COCO, not one class per image";

/// The rows of a table.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// The names of the columns. `None`: the first row may hold them.
    pub header: Option<Vec<String>>,
    /// How its text was read, where this was a guess.
    pub note: Option<String>,
    width: usize,
    /// All cells, one after the other.
    text: String,
    /// The end of each cell in `text`.
    ends: Vec<usize>,
}

impl Table {
    /// Reads a table from the bytes of a file; its name says what it is, and `is_name` which cells name images.
    ///
    /// # Errors
    /// A description of what is wrong.
    pub fn parse(extension: &str, bytes: &[u8], is_name: &dyn Fn(&str) -> bool) -> Result<Self, String> {
        let (text, note) = decoded(bytes)?;
        let table = match extension {
            "json" => json(&text),
            "jsonl" | "ndjson" => lines(&text),
            _ => separated(&text, is_name),
        };
        table.map(|table| Self { note, ..table })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.ends.len() / self.width.max(1)
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.width
    }

    /// A cell.
    pub fn cell(&self, row: usize, column: usize) -> &str {
        let at = row * self.width + column;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.text[start..self.ends[at]]
    }

    /// The cells of a column.
    pub fn column(&self, column: usize) -> impl Iterator<Item = &str> + Clone {
        (0..self.rows()).map(move |row| self.cell(row, column))
    }

    pub(super) fn new(width: usize) -> Self {
        Self { width, ..Self::default() }
    }

    /// Adds a row; missing cells are empty, further ones are left out.
    pub(super) fn push<'c>(&mut self, cells: impl Iterator<Item = &'c str>) {
        let mut cells = cells.fuse();
        for _ in 0..self.width {
            self.text.push_str(cells.next().unwrap_or_default().trim());
            self.ends.push(self.text.len());
        }
    }
}

/// Text in UTF-8, or in UTF-16 with a byte order mark; other bytes are read in the encoding that they are most probably in, which the
/// note names.
///
/// # Errors
/// It is not text.
fn decoded(bytes: &[u8]) -> Result<(String, Option<String>), String> {
    let wide = |bytes: &[u8], of: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).filter_map(|pair| Some(of(*pair.first_chunk()?))).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => return Ok((wide(rest, u16::from_le_bytes), None)),
        [0xfe, 0xff, rest @ ..] => return Ok((wide(rest, u16::from_be_bytes), None)),
        _ => {}
    }
    if bytes[..bytes.len().min(1 << 12)].contains(&0) {
        return Err("it is not text".to_owned());
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok((text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(), None));
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    let guess = detector.guess(None, Utf8Detection::Deny);
    // Few words in Shift-JIS look like the code page of DOS, which no program for tables writes.
    let is_sjis = || SHIFT_JIS.decode_without_bom_handling_and_without_replacement(bytes).is_some();
    let encoding = if guess == IBM866 && is_sjis() { SHIFT_JIS } else { guess };
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    let example = words.find(|word| !word.is_ascii()).map_or(String::new(), |word| format!(" ({word}, for one)"));
    let name = encoding.name();
    let note = format!("it is not UTF-8 and read as {name}{example}; save it as CSV UTF-8 if names are wrong");
    Ok((text.into_owned(), Some(note)))
}

/// Whether a file of this extension may be a table.
pub(crate) fn looks_like_table(extension: &str) -> bool {
    ["csv", "tsv", "txt", "json", "jsonl", "ndjson", "lst", "list"].contains(&extension)
}

/// One JSON object a line.
fn lines(text: &str) -> Result<Table, String> {
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        rows.push(serde_json::from_str(line).map_err(|error| format!("line {}: {error}", number + 1))?);
    }
    objects(&rows).ok_or_else(|| "its lines are not JSON objects".to_owned())
}

/// A list of objects or of lists, an object of labels by name, of lists of names by label, of lists of rows by part, or of columns; or
/// annotations as in COCO, with one category per image.
fn json(text: &str) -> Result<Table, String> {
    if text.len() > MAX_JSON_BYTES {
        return Err(format!("it has {} bytes, more than the {MAX_JSON_BYTES} read of JSON", text.len()));
    }
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        // Some call a file of lines .json.
        Err(error) => return lines(text).map_err(|_| error.to_string()),
    };
    let unknown = || "its JSON is not a table of images".to_owned();
    match &value {
        Value::Array(rows) => objects(rows).or_else(|| lists(rows)).ok_or_else(unknown),
        Value::Object(fields) => coco(fields).unwrap_or_else(|| {
            by_part(fields).or_else(|| by_key(fields)).or_else(|| only_list(fields)).ok_or_else(unknown)
        }),
        _ => Err(unknown()),
    }
}

/// A cell: text, a number, true or false, or a list of these as `[a, b]`; empty for anything else.
fn cell(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
        Some(Value::Array(values)) => {
            let cells: Vec<String> = values.iter().map(|value| cell(Some(value))).collect();
            if cells.iter().any(String::is_empty) { String::new() } else { format!("[{}]", cells.join(", ")) }
        }
        _ => String::new(),
    }
}

/// Rows that are objects; columns are all keys.
fn objects(rows: &[Value]) -> Option<Table> {
    let mut header: Vec<String> = Vec::new();
    for row in rows {
        for key in row.as_object()?.keys() {
            if header.len() < MAX_COLUMNS && !header.contains(key) {
                header.push(key.clone());
            }
        }
    }
    let mut table = Table::new(header.len());
    for row in rows {
        let cells: Vec<String> = header.iter().map(|key| cell(row.get(key))).collect();
        table.push(cells.iter().map(String::as_str));
    }
    table.header = Some(header);
    Some(table)
}

/// Rows that are lists.
fn lists(rows: &[Value]) -> Option<Table> {
    let width = rows.first()?.as_array().map_or(1, Vec::len).min(MAX_COLUMNS);
    let mut table = Table::new(width);
    for row in rows {
        let cells: Vec<String> = match row {
            Value::Array(cells) => cells.iter().map(|value| cell(Some(value))).collect(),
            Value::String(_) => vec![cell(Some(row))],
            _ => return None,
        };
        table.push(cells.iter().map(String::as_str));
    }
    Some(table)
}

/// Rows by part: `{"train": ["a.png"], "test": ["b.png"]}`; the rows may be lists or objects. The part is the last column.
fn by_part(fields: &Map<String, Value>) -> Option<Table> {
    const COLUMN: &str = "split";
    if fields.len() < 2 || !fields.keys().all(|key| part_of(key).is_some()) {
        return None;
    }
    let mut rows: Vec<(&str, &Value)> = Vec::new();
    for (part, all) in fields {
        rows.extend(all.as_array()?.iter().map(|row| (part.as_str(), row)));
    }
    let with_part = |(part, row): &(&str, &Value)| match row {
        Value::Object(cells) => {
            let part = (COLUMN.to_owned(), Value::from(*part));
            Value::Object(cells.clone().into_iter().chain([part]).collect())
        }
        Value::Array(cells) => cells.iter().cloned().chain([Value::from(*part)]).collect(),
        name => [(*name).clone(), Value::from(*part)].into_iter().collect(),
    };
    let rows: Vec<Value> = rows.iter().map(with_part).collect();
    objects(&rows).or_else(|| {
        let mut table = lists(&rows)?;
        let mut header: Vec<String> = (1..table.columns()).map(|number| format!("column {number}")).collect();
        header.push(COLUMN.to_owned());
        table.header = Some(header);
        Some(table)
    })
}

/// Labels by name (`{"a.png": 3}`), or names by label (`{"cat": ["a.png"]}`).
fn by_key(fields: &Map<String, Value>) -> Option<Table> {
    let mut table = Table::new(2);
    if fields.values().all(|value| value.is_string() || value.is_number()) {
        fields.iter().for_each(|(key, value)| table.push([key.as_str(), &cell(Some(value))].into_iter()));
        return Some(table);
    }
    for (key, value) in fields {
        for name in value.as_array()? {
            table.push([name.as_str()?, key].into_iter());
        }
    }
    Some(table)
}

/// An object with one list of rows.
fn only_list(fields: &Map<String, Value>) -> Option<Table> {
    let mut rows = fields.values().filter_map(Value::as_array);
    let only = rows.next().filter(|_| rows.next().is_none())?;
    objects(only).or_else(|| lists(only))
}

/// Images, annotations and categories as in COCO.
fn coco(fields: &Map<String, Value>) -> Option<Result<Table, String>> {
    let list = |key: &str| fields.get(key).and_then(Value::as_array);
    let (images, annotations, categories) = (list("images")?, list("annotations")?, list("categories")?);
    let by_id = |rows: &[Value], name: &str| -> std::collections::HashMap<String, String> {
        rows.iter().map(|row| (cell(row.get("id")), cell(row.get(name)))).collect()
    };
    let (files, names) = (by_id(images, "file_name"), by_id(categories, "name"));
    let mut of_image = std::collections::BTreeMap::new();
    for annotation in annotations {
        let image = cell(annotation.get("image_id"));
        let category = cell(annotation.get("category_id"));
        if of_image.insert(image, category.clone()).is_some_and(|before| before != category) {
            return Some(Err(SEVERAL_OBJECTS.to_owned()));
        }
    }
    let mut table = Table::new(2);
    table.header = Some(vec!["file_name".to_owned(), "category".to_owned()]);
    for (image, category) in &of_image {
        if let Some(file) = files.get(image) {
            table.push([file.as_str(), names.get(category).unwrap_or(category)].into_iter());
        }
    }
    Some(Ok(table))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The header in brackets, then the rows.
    fn shown(extension: &str, text: &str) -> String {
        let table = match Table::parse(extension, text.as_bytes(), &|_| false) {
            Ok(table) => table,
            Err(what) => return what,
        };
        let row = |row| (0..table.columns()).map(|column| table.cell(row, column)).collect::<Vec<_>>().join("|");
        let header = table.header.as_ref().map(|header| format!("[{}]", header.join("|")));
        header.into_iter().chain((0..table.rows()).map(row)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_form_is_read() {
        for (extension, text, expected) in [
            ("csv", "id,label\r\n1,cat\r\n\r\n2,\"a, b\"\r\n", "id|label 1|cat 2|a, b"),
            ("csv", "id;label\n1;cat, dog\n2;x\n", "id|label 1|cat, dog 2|x"),
            ("tsv", "1\tcat dog\n2\tx y\n", "1|cat dog 2|x y"),
            ("txt", "# comment\na.png 3\nb.png  4 \n", "a.png|3 b.png|4"),
            ("txt", "a b.png\n\nc d e.png\n", "a b.png c d e.png"),
            ("txt", "a.png\nb.png\n", "a.png b.png"),
            // Labels of several words; numbers after them; names of columns and titles above them.
            ("txt", "a.png Golden Retriever\nb.png cat\n", "a.png|Golden Retriever b.png|cat"),
            ("txt", "a.png Boeing 707\nb.png Airbus A310\n", "a.png|Boeing 707 b.png|Airbus A310"),
            ("txt", "a.png polar bear 3 4\nb.png cat 5 6\n", "a.png|polar bear|3|4 b.png|cat|5|6"),
            ("txt", "a.png 7 cat train\nb.png 8 dog test\n", "a.png|7|cat|train b.png|8|dog|test"),
            ("txt", "2\nimage_name kind\na.png polar bear\nb.png cat\n", "image_name|kind a.png|polar bear b.png|cat"),
            ("txt", "0 polar bear\n1 cat\n", "0|polar bear 1|cat"),
            // The sign that parts all lines, the rarer one first, or the one that is given.
            ("csv", "f;l\na.png;3,5\nb.png;4,0\n", "f|l a.png|3,5 b.png|4,0"),
            ("csv", "a.png;3,5\nb.png;4,0\n", "a.png|3,5 b.png|4,0"),
            ("csv", "a.png,x;y\nb.png,y;z\n", "a.png|x;y b.png|y;z"),
            ("csv", "sep=;\nf;l,m\na;3,5\n", "f|l,m a|3,5"),
            ("csv", "'f','l'\n'a.png','x, y'\n'b.png','z'\n", "f|l a.png|x, y b.png|z"),
            ("csv", "My labels,,\n,,\nf,l,\na.png,x,\nb.png,y,\n", "f|l| a.png|x| b.png|y|"),
            (
                "csv",
                "a,b,c\n1,2\n3,4,5,6\n7,8,9\n1,1,1\n1,1,1\n1,1,1\n1,1,1\n1,1,1\n",
                "a|b|c 1|2| 3|4|5 7|8|9 1|1|1 1|1|1 1|1|1 1|1|1 1|1|1",
            ),
            (
                "jsonl",
                "{\"file_name\": \"a.png\", \"label\": 0}\n\n{\"label\": null, \"x\": true}\n",
                "[file_name|label|x] a.png|0| ||true",
            ),
            ("json", "[{\"f\": \"a\", \"l\": 1.5}]", "[f|l] a|1.5"),
            ("json", "[[\"a\", 1], [\"b\", 2]]", "a|1 b|2"),
            ("json", "{\"a.png\": \"cat\", \"b.png\": 3}", "a.png|cat b.png|3"),
            ("json", "{\"cat\": [\"a\", \"b\"], \"dog\": [\"c\"]}", "a|cat b|cat c|dog"),
            ("json", "{\"train\": [\"a\", \"b\"], \"test\": [\"c\"]}", "[column 1|split] c|test a|train b|train"),
            (
                "json",
                "{\"train\": [[\"a\", 0, \"cat\"]], \"test\": [[\"c\", 1, \"dog\"]]}",
                "[column 1|column 2|column 3|split] c|1|dog|test a|0|cat|train",
            ),
            ("json", "{\"train\": [{\"f\": \"a\"}], \"val\": [{\"f\": \"b\"}]}", "[f|split] a|train b|val"),
            ("json", "{\"info\": {}, \"rows\": [{\"f\": \"a\"}]}", "[f] a"),
            ("json", "{\"f\": 1}\n{\"f\": 2}\n", "[f] 1 2"),
            ("json", "3", "its JSON is not a table of images"),
            ("jsonl", "{\"f\": 1}\nx\n", "line 2: expected value at line 1 column 1"),
            ("csv", "a\0b", "it is not text"),
            ("csv", "", ""),
        ] {
            assert_eq!(shown(extension, text), expected, "{text}");
        }
        let coco = |second: &str| {
            let images = "\"images\": [{\"id\": 5, \"file_name\": \"a.png\"}, {\"id\": 6, \"file_name\": \"b.png\"}]";
            let categories = "\"categories\": [{\"id\": 1, \"name\": \"cat\"}, {\"id\": 2, \"name\": \"dog\"}]";
            let first = "{\"image_id\": 5, \"category_id\": 2}";
            shown("json", &format!("{{{images}, {categories}, \"annotations\": [{first}, {second}]}}"))
        };
        assert_eq!(coco("{\"image_id\": 6, \"category_id\": 1}"), "[file_name|category] a.png|dog b.png|cat");
        assert!(coco("{\"image_id\": 5, \"category_id\": 1}").contains("several objects in one image"));
    }

    #[test]
    fn names_of_images_part_lines_of_words() {
        let is_name = |cell: &str| ["1", "2", "my cat 3.png", "4.png"].contains(&cell);
        for (text, expected) in [
            ("1 Boeing 707\n2 A310\n", "1|Boeing 707 2|A310"),
            ("polar bear 4.png\ncat my cat 3.png\n", "polar bear|4.png cat|my cat 3.png"),
            ("my cat 3.png 5\n4.png 6\n", "my cat 3.png|5 4.png|6"),
            ("my cat 3.png\n4.png\n", "my cat 3.png 4.png"),
            ("1 4.png\n2 my cat 3.png\n", "1|4.png 2|my cat 3.png"),
            ("1 0 3\n2 1\n", "1|0 3 2|1"),
        ] {
            let table = Table::parse("txt", text.as_bytes(), &is_name).unwrap();
            let row = |row| (0..table.columns()).map(|column| table.cell(row, column)).collect::<Vec<_>>().join("|");
            assert_eq!((0..table.rows()).map(row).collect::<Vec<_>>().join(" "), expected, "{text}");
        }
    }

    #[test]
    fn text_of_any_encoding_is_read() {
        let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain("é,1".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(decoded(&wide).unwrap().0, "é,1");
        assert_eq!(decoded(b"f\n\x94L\n\x8c\xa2\n").unwrap().0, "f\n猫\n犬\n");
        assert_eq!(decoded("\u{feff}é".as_bytes()).unwrap(), ("é".to_owned(), None));
        let rows = |[one, other]: [&[u8]; 2]| {
            let row = |at: u8, label: &[u8]| [b"img_", &[at][..], b".jpg,", label, b"\n"].concat();
            [b"filename,label\n".to_vec(), row(b'1', one), row(b'2', other), row(b'3', one)].concat()
        };
        for (labels, expected, encoding) in [
            ([&b"caf\xe9"[..], b"th\xe9"], "café", "windows-1252"),
            ([b"\xea\xee\xf8\xea\xe0", b"\xf1\xee\xe1\xe0\xea\xe0"], "кошка", "windows-1251"),
            ([b"\x94L", b"\x8c\xa2"], "猫", "Shift_JIS"),
            ([b"\xe9\xd9\xc9\xab\xb5\xc4\xc3\xa8", b"\xb0\xd7\xc9\xab\xb5\xc4\xb9\xb7"], "橘色的猫", "GBK"),
        ] {
            let (text, note) = decoded(&rows(labels)).unwrap();
            assert!(text.contains(expected), "{text}");
            let said = format!("it is not UTF-8 and read as {encoding} ({expected}, for one)");
            assert!(note.as_ref().is_some_and(|note| note.starts_with(&said)), "{note:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(letters in prop::collection::vec(prop::sample::select(&b"01a, \t;|\"\n[]{}:#."[..]), 0..120)) {
            for extension in ["csv", "txt", "json", "jsonl"] {
                if let Ok(table) = Table::parse(extension, &letters, &|cell| cell.starts_with('a')) {
                    (0..table.columns()).for_each(|column| table.column(column).for_each(prop_assert_eq_trim));
                }
            }
        }
    }

    fn prop_assert_eq_trim(cell: &str) {
        assert_eq!(cell, cell.trim());
    }
}
