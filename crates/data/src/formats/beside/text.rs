//! Labels in text beside a file of images: a label per line, a table with a row per image (`label`, `id,label`), or a column per
//! class. Rows are in the order of the images, which a column of numbers confirms.

use std::io::Read;
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};

use crate::error::{Error, Result};
use crate::formats::array::labels::{Labels, Unread};
use crate::formats::column_names::{field, is_id, is_label};
use crate::formats::compression::unpacked;

/// Most bytes of such a file (256 MiB).
const MAX_BYTES: u64 = 256 << 20;

/// Endings of such files.
pub const ENDINGS: [&str; 3] = ["csv", "tsv", "txt"];

/// The rows of a text.
struct Table {
    /// The names of the columns, or none.
    names: Option<ByteRecord>,
    rows: Vec<ByteRecord>,
}

/// The labels of `count` images, or of an unknown number of them.
///
/// # Errors
/// The file can't be read. Within: why it is not read as labels, as the end of a sentence.
pub fn labels(path: &Path, count: Option<usize>) -> Result<Result<Labels, Unread>> {
    let io = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof => Error::data(
            format!("{} is damaged: {error}", path.display()),
            "the file is damaged or was not downloaded completely: replace it",
        ),
        _ => Error::io("read", path)(error),
    };
    let mut text = Vec::new();
    let reader = unpacked(std::fs::File::open(path).map_err(Error::io("read", path))?).map_err(io)?.0;
    reader.take(MAX_BYTES + 1).read_to_end(&mut text).map_err(io)?;
    if text.len() as u64 > MAX_BYTES {
        return Ok(Err(format!("it is larger than {} MiB", MAX_BYTES >> 20)));
    }
    Ok(Table::of(&text, count).and_then(|table| table.labels()))
}

impl Table {
    fn of(text: &[u8], count: Option<usize>) -> Result<Self, Unread> {
        if std::str::from_utf8(text).is_err() {
            return Err("it is no text in UTF-8".to_owned());
        }
        let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let delimiter = [b',', b';', b'\t'].into_iter().find(|delimiter| line.contains(delimiter));
        let mut reader = ReaderBuilder::new();
        // A line without a delimiter is one label, spaces included.
        reader.has_headers(false).flexible(true).delimiter(delimiter.unwrap_or(b'\t'));
        let is_blank = |row: &ByteRecord| row.iter().all(|field| field.iter().all(u8::is_ascii_whitespace));
        let records = reader.from_reader(text).into_byte_records();
        let mut rows: Vec<ByteRecord> = records
            .filter(|row| !row.as_ref().is_ok_and(is_blank))
            .collect::<Result<_, _>>()
            .map_err(|error| error.to_string())?;
        // As numpy.savetxt and R write names.
        rows.retain(|row| !field(row, 0).starts_with('#'));
        let widths = rows.iter().map(ByteRecord::len);
        if let Some((row, width)) = widths.clone().enumerate().find(|(_, width)| *width != rows[0].len()) {
            return Err(format!("its row {} has {width} fields, the first {}", row + 1, rows[0].len()));
        }
        let has_names = match (count, rows.len()) {
            (_, 0) => return Err("it is empty".to_owned()),
            (Some(count), got) if got == count => rows.first().is_some_and(|row| is_named(row, &rows[1..])),
            (Some(count), got) => count.checked_add(1) == Some(got),
            (None, _) => is_named(&rows[0], &rows[1..]),
        };
        let names = has_names.then(|| rows.remove(0));
        match count.filter(|count| *count != rows.len()) {
            Some(count) => Err(format!("it has {} rows for {count} images", rows.len())),
            None => Ok(Self { names, rows }),
        }
    }

    fn width(&self) -> usize {
        self.rows.first().map_or(0, ByteRecord::len)
    }

    fn column(&self, at: usize) -> impl Iterator<Item = &str> + Clone {
        self.rows.iter().map(move |row| field(row, at))
    }

    fn name(&self, at: usize) -> String {
        self.names.as_ref().map_or_else(String::new, |names| field(names, at).to_lowercase())
    }

    /// Whether a column holds the numbers of the rows.
    fn counts(&self, at: usize) -> bool {
        let numbers: Option<Vec<i64>> = self.column(at).map(|value| value.parse().ok()).collect();
        numbers.is_some_and(|numbers| numbers.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)))
    }

    fn labels(&self) -> Result<Labels, Unread> {
        if self.width() == 1 {
            return values(self.column(0));
        }
        let all: Vec<usize> = (0..self.width()).collect();
        let is_called = |at: &usize| is_label(&self.name(*at)) || (self.names.is_some() && is_id(&self.name(*at)));
        if let Ok(labels) = self.one_hot(&all)
            && !all.iter().any(is_called)
        {
            return Ok(labels);
        }
        let numbered: Vec<usize> = (0..self.width()).filter(|at| self.rows.len() > 1 && self.counts(*at)).collect();
        // Rows that are in another order would give images the labels of others.
        let odd = (0..self.width()).find(|at| self.names.is_some() && is_id(&self.name(*at)) && !numbered.contains(at));
        if let Some(at) = odd {
            return Err(format!("its column {} is not in the order of the images", self.name(at)));
        }
        let rest: Vec<usize> = (0..self.width()).filter(|at| !numbered.contains(at)).collect();
        let called: Vec<usize> = rest.iter().copied().filter(|at| is_label(&self.name(*at))).collect();
        match (&called[..], &rest[..]) {
            ([label], _) | ([], [label]) => values(self.column(*label)),
            ([], columns) => self.one_hot(columns),
            _ => Err("several of its columns may be the label".to_owned()),
        }
    }

    /// Labels from a column per class, of which one has a 1.
    fn one_hot(&self, columns: &[usize]) -> Result<Labels, Unread> {
        let unclear = || format!("none of its {} columns is called label", self.width());
        let class = |row: &ByteRecord| {
            let numbers = columns.iter().map(|at| field(row, *at).parse::<f64>().ok());
            let numbers: Vec<f64> = numbers.collect::<Option<_>>()?;
            let ones = numbers.iter().filter(|number| **number == 1.0).count();
            let zeros = numbers.iter().filter(|number| **number == 0.0).count();
            (ones == 1 && zeros == columns.len() - 1).then(|| numbers.iter().position(|number| *number == 1.0))?
        };
        let classes: Vec<usize> = self.rows.iter().map(class).collect::<Option<_>>().ok_or_else(unclear)?;
        let names: Option<Vec<String>> =
            self.names.as_ref().map(|names| columns.iter().map(|at| field(names, *at).to_owned()).collect());
        Ok(match names {
            Some(names) => Labels::Text(classes.iter().map(|class| names.get(*class).cloned()).collect()),
            None => Labels::Ints(classes.iter().map(|class| i64::try_from(*class).ok()).collect()),
        })
    }
}

/// Whether a first row names the columns: it is called as one of labels, or has no number where all others have.
fn is_named(first: &ByteRecord, rest: &[ByteRecord]) -> bool {
    let is_number = |row: &ByteRecord, at: usize| field(row, at).parse::<f64>().is_ok();
    let called = (0..first.len()).any(|at| is_label(&field(first, at).to_lowercase()));
    let odd = |at: usize| !rest.is_empty() && !is_number(first, at) && rest.iter().all(|row| is_number(row, at));
    called || (0..first.len()).any(odd)
}

/// Whole numbers if all are, else text; an empty field is no label.
fn values<'a>(column: impl Iterator<Item = &'a str> + Clone) -> Result<Labels, Unread> {
    let known = column.clone().filter(|value| !value.is_empty());
    let numbers: Option<Vec<f64>> = known.map(|value| value.parse().ok().filter(|n: &f64| n.is_finite())).collect();
    match numbers {
        Some(numbers) => match numbers.iter().find(|number| number.fract() != 0.0 || number.abs() >= 9e15) {
            Some(odd) => Err(format!("one is {odd}")),
            None => Ok(Labels::Ints(column.map(|value| value.parse::<f64>().ok().map(|n| n as i64)).collect())),
        },
        None => Ok(Labels::Text(column.map(|value| (!value.is_empty()).then(|| value.to_owned())).collect())),
    }
}

/// The names in a text of one name per line, if no two are alike.
pub fn names(path: &Path) -> Option<Vec<String>> {
    let Ok(Ok(Labels::Text(names))) = labels(path, None) else { return None };
    let names: Vec<String> = names.into_iter().collect::<Option<_>>()?;
    let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
    (distinct.len() == names.len()).then_some(names)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(text: &str, count: usize) -> Result<Labels, Unread> {
        Table::of(text.as_bytes(), Some(count)).and_then(|table| table.labels())
    }

    fn ints(values: &[i64]) -> Labels {
        Labels::Ints(values.iter().map(|&value| Some(value)).collect())
    }

    fn texts(values: &[&str]) -> Labels {
        Labels::Text(values.iter().map(|&value| Some(value.to_owned())).collect())
    }

    #[test]
    fn labels_of_every_form() {
        assert_eq!(read("3\n1\n3\n", 3).unwrap(), ints(&[3, 1, 3]));
        assert_eq!(read("label\n3\n1\n", 2).unwrap(), ints(&[3, 1]));
        // pandas calls a column without name 0.
        assert_eq!(read("0\n3\n1\n", 2).unwrap(), ints(&[3, 1]));
        assert_eq!(read("3.000e+00\n1.000e+00\n", 2).unwrap(), ints(&[3, 1]));
        assert_eq!(read("a cat\na dog\n", 2).unwrap(), texts(&["a cat", "a dog"]));
        assert_eq!(read("id,label\n0,7\n1,4\n", 2).unwrap(), ints(&[7, 4]));
        assert_eq!(read(",y\n0,cat\n1,dog\n2,cat\n", 3).unwrap(), texts(&["cat", "dog", "cat"]));
        assert_eq!(read("1;5\n2;5\n3;8\n", 3).unwrap(), ints(&[5, 5, 8]));
        assert_eq!(read("0,1,0\n1,0,0\n", 2).unwrap(), ints(&[1, 0]));
        assert_eq!(read("cat,dog\n0,1\n1,0\n", 2).unwrap(), texts(&["dog", "cat"]));
    }

    #[test]
    fn other_rows_are_no_labels() {
        assert_eq!(read("3\n1\n", 3).unwrap_err(), "it has 2 rows for 3 images");
        assert_eq!(read("label\n3\n1\n", 3).unwrap_err(), "it has 2 rows for 3 images");
        assert_eq!(read("id,label\n2,7\n0,4\n", 2).unwrap_err(), "its column id is not in the order of the images");
        assert_eq!(read("0.5\n1\n", 2).unwrap_err(), "one is 0.5");
        assert!(read("5,6\n5,9\n7,3\n", 3).unwrap_err().contains("2 columns"));
        assert!(read("", 2).is_err() && Table::of(b"\xff\xfe1", Some(1)).is_err());
    }
}
