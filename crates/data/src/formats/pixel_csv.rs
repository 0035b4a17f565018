//! Tables of pixels (CSV): a row per image, a column per pixel (`label,pixel0,...,pixel783`, with a header or without), or all
//! pixels in one column (`emotion,pixels,Usage`). Compressed or not. A column such as `Usage` tells the parts.

mod columns;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};

use crate::class_labels::{ClassLabels, ids};
use crate::error::{Error, Result};
use crate::formats::array::scalar::{Kind, Scalar};
use crate::formats::array::{self, Images, Settings};
use crate::formats::beside;
use crate::formats::column_names::field;
use crate::formats::compression::unpacked;
use crate::formats::idx::emnist;
use crate::in_memory::{InMemory, MAX_SET_BYTES};
use crate::open_options::{OpenOptions, Split};
use crate::parts::{Holdings, Part, describe, part_in};
use columns::Columns;

/// Bytes read to see what a file holds.
const DETECTION_BYTES: u64 = 1 << 20;

/// Whether a file is such a table: text whose first rows have pixels.
pub(crate) fn matches(path: &Path, start: &[u8]) -> bool {
    let is_text =
        !start.is_empty() && start.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n' | 0xa0..));
    if !is_text || !start.contains(&b',') && !start.contains(&b';') && !start.contains(&b'\t') {
        return false;
    }
    let mut text = Vec::new();
    let opened = File::open(path).and_then(unpacked);
    let read = opened.and_then(|(reader, _)| reader.take(DETECTION_BYTES).read_to_end(&mut text));
    read.is_ok() && Columns::of(&text).is_ok()
}

/// Why a table of text is no table of pixels, as the end of a sentence; `None` if it can't be read.
pub(crate) fn why_not(path: &Path) -> Option<String> {
    columns(path)?.err()
}

/// Whether a table of pixels has neither a column of labels nor one of parts.
pub(crate) fn is_plain(path: &Path) -> bool {
    matches!(columns(path), Some(Ok(columns)) if columns.label.is_none() && columns.part.is_none())
}

/// The columns of a table; `None` if it can't be read.
fn columns(path: &Path) -> Option<Result<Columns, String>> {
    let mut text = Vec::new();
    let (reader, _) = File::open(path).and_then(unpacked).ok()?;
    reader.take(DETECTION_BYTES).read_to_end(&mut text).ok()?;
    Some(Columns::of(&text))
}

/// Opens the images of a part in a table.
///
/// # Errors
/// The file can't be read, its columns are no pixels, a row has too few or other values, or there is no image of this part.
pub(crate) fn open(path: &Path, options: &OpenOptions) -> Result<InMemory> {
    let io = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof => damaged(path, &error.to_string()),
        _ => Error::io("read", path)(error),
    };
    let mut reader = unpacked(File::open(path).map_err(Error::io("read", path))?).map_err(io)?.0;
    let mut start = Vec::new();
    reader.by_ref().take(DETECTION_BYTES).read_to_end(&mut start).map_err(io)?;
    let start = std::io::Cursor::new(start);
    let columns = Columns::of(start.get_ref()).map_err(|what| damaged(path, &what))?;
    let rows = Rows::read(path, &columns, start.chain(reader))?;
    rows.into_set(path, &columns, options)
}

/// The rows of a part.
#[derive(Default)]
struct Rows {
    /// One byte per value, as long as all are whole numbers from 0 to 255; otherwise floats.
    bytes: Vec<u8>,
    floats: Vec<f32>,
    labels: Vec<Option<String>>,
    parts: Vec<Option<Part>>,
}

impl Rows {
    /// Reads all rows.
    fn read(path: &Path, columns: &Columns, text: impl Read) -> Result<Self> {
        let mut reader = ReaderBuilder::new();
        reader.has_headers(columns.header).flexible(true).delimiter(columns.delimiter);
        let mut reader = reader.from_reader(text);
        let (mut rows, mut record) = (Self::default(), ByteRecord::new());
        let length = columns.side * columns.side * columns.channels;
        loop {
            let line = reader.position().line();
            match reader.read_byte_record(&mut record) {
                Ok(true) => {}
                Ok(false) => return Ok(rows),
                Err(error) => return Err(damaged(path, &error.to_string())),
            }
            if record.iter().all(|field| field.iter().all(u8::is_ascii_whitespace)) {
                continue;
            }
            let line = record.position().map_or(line, csv::Position::line);
            let wrong = |what: &str| damaged(path, &format!("line {line}: {what}"));
            let extra = (columns.width..record.len()).find(|at| !field(&record, *at).is_empty());
            if extra.is_some() {
                return Err(wrong(&format!("it has {} fields, the first row {}", record.len(), columns.width)));
            }
            let values =
                columns.values(&record).ok_or_else(|| wrong(&format!("expected {length} numbers as pixels")))?;
            if let Some(odd) = values.iter().find(|value| !value.is_finite()) {
                return Err(wrong(&format!("a pixel is {odd}")));
            }
            rows.add(&values);
            if rows.stored() > MAX_SET_BYTES {
                return Err(wrong(&format!("the images take more than {MAX_SET_BYTES} bytes of memory")));
            }
            if let Some(label) = columns.label {
                rows.labels.push(Some(field(&record, label).to_owned()));
            }
            let part = columns.part.as_ref();
            rows.parts.push(part.and_then(|(at, name)| part_in(name, field(&record, *at))));
        }
    }

    fn add(&mut self, values: &[f32]) {
        let byte = |value: &f32| (value.fract() == 0.0 && (0.0..=255.0).contains(value)).then_some(*value as u8);
        if self.floats.is_empty() {
            let before = self.bytes.len();
            self.bytes.extend(values.iter().map_while(byte));
            if self.bytes.len() == before + values.len() {
                return;
            }
            self.bytes.truncate(before);
            self.floats = std::mem::take(&mut self.bytes).into_iter().map(f32::from).collect();
        }
        self.floats.extend(values);
    }

    fn stored(&self) -> u64 {
        (self.bytes.len() + 4 * self.floats.len()) as u64
    }

    /// Whether the rows are as many as their values, and a symmetric matrix.
    fn is_symmetric(&self, length: usize) -> bool {
        self.parts.len() == length
            && if self.floats.is_empty() {
                array::is_symmetric(&self.bytes, length)
            } else {
                array::is_symmetric(&self.floats, length)
            }
    }

    /// The rows of `split`: those of the training part and of none, or of the test part, else of the validation part.
    fn chosen(&self, split: Split) -> Vec<usize> {
        let of = |wanted: &[Option<Part>]| -> Vec<usize> {
            (0..self.parts.len()).filter(|row| wanted.contains(&self.parts[*row])).collect()
        };
        match split {
            Split::Train if self.parts.contains(&Some(Part::Train)) => of(&[Some(Part::Train)]),
            Split::Train => of(&[None]),
            Split::Test if self.parts.contains(&Some(Part::Test)) => of(&[Some(Part::Test)]),
            Split::Test => of(&[Some(Part::Validation)]),
        }
    }

    /// What the set has of each part, by its column.
    fn describe_parts(&self, columns: &Columns) -> Vec<String> {
        let Some((_, name)) = &columns.part else { return Vec::new() };
        let mut holdings = Holdings::new();
        self.parts.iter().for_each(|part| holdings.entry(*part).or_default().files += 1);
        let said = describe(&holdings, Some(&format!("column {name}")));
        let is_divided = holdings.contains_key(&Some(Part::Train));
        let aside = holdings.remove(&None).filter(|_| is_divided);
        let aside = aside.map(|held| format!("left aside: {} in no part of the set", held.describe_files()));
        said.into_iter().chain(aside).collect()
    }

    fn into_set(self, path: &Path, columns: &Columns, options: &OpenOptions) -> Result<InMemory> {
        let rows = self.chosen(options.split);
        if rows.is_empty() {
            let what = format!(
                "{} has no {} images",
                path.display(),
                if options.split == Split::Train { "training" } else { "test" }
            );
            let hint = "a column such as Usage or split tells the parts: train and test";
            return Err(match options.split {
                Split::Train => Error::data(what, hint),
                Split::Test => Error::NoTestImages { what, hint: hint.into() },
            });
        }
        let Columns { side, channels, planes, .. } = *columns;
        let length = side * side * channels;
        if self.is_symmetric(length) {
            return Err(damaged(path, "it is a symmetric matrix, as of correlations or distances"));
        }
        let whole = self.floats.iter().all(|value| value.fract() == 0.0 && value.abs() < 1e9);
        let (scalar, bytes) = if self.floats.is_empty() {
            (Scalar::U8, rows.iter().flat_map(|row| &self.bytes[row * length..][..length]).copied().collect())
        } else {
            let kind = if whole { Kind::Signed } else { Kind::Float };
            let words = |value: &f32| if whole { (*value as i32).to_le_bytes() } else { value.to_le_bytes() };
            let values = rows.iter().flat_map(|row| &self.floats[row * length..][..length]);
            (Scalar { kind, width: 4, big: false }, values.flat_map(words).collect::<Vec<u8>>())
        };
        let [count, side] = [rows.len() as u64, side as u64];
        let sizes = match (channels, planes) {
            (1, _) => vec![count, side, side],
            (_, true) => vec![count, 3, side, side],
            (_, false) => vec![count, side, side, 3],
        };
        let images = Images::check(path, scalar, &sizes, false, true)?;
        let set = array::from_bytes(path, bytes, &images, Settings { range: options.range, binary: true })?;
        let parts = self.describe_parts(columns).into_iter().filter(|_| options.split == Split::Train);
        let set = set.with_notes(columns.notes.iter().cloned().chain(parts).chain(emnist::note(path)));
        if columns.label.is_none() {
            return beside::attach(set, path);
        }
        let what = &columns.label_name;
        let chosen: Vec<Option<String>> = rows.iter().map(|row| self.labels[*row].clone()).collect();
        let numbers = |labels: &[Option<String>]| -> Option<Vec<Option<i64>>> {
            let number = |text: &str| text.parse::<f64>().ok().filter(|n| n.fract() == 0.0 && n.abs() < 9e15);
            labels.iter().map(|label| number(label.as_deref()?).map(|number| Some(number as i64))).collect()
        };
        let names = emnist::names(path);
        let classes = match (numbers(&chosen), numbers(&self.labels)) {
            // Such as 7.0, which numpy.savetxt writes.
            (Some(ints), Some(all)) if !names.is_empty() || chosen.iter().flatten().any(|text| text.contains('.')) => {
                ClassLabels::from_ints_among(ints, &all, &names)
            }
            _ => ClassLabels::from_text_among(chosen, &self.labels),
        };
        if let Some(why) = ids(self.labels.iter().flatten()) {
            return Ok(set.with_labels_aside(classes, format!("{what}: {why}")));
        }
        let said = (!classes.names.is_empty()).then(|| format!("labels: {what}, {}", classes.describe()));
        Ok(set.with_class_labels(classes)?.with_notes(said))
    }
}

fn damaged(path: &Path, what: &str) -> Error {
    Error::data(
        format!("{} can't be read as a table of pixels: {what}", path.display()),
        "expected a row per image: a label and a column per pixel (label,pixel0,pixel1,...), or all pixels in one column",
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::dataset::Dataset;
    use crate::testing::gzip;

    fn look(text: &str, split: Split) -> Result<InMemory> {
        let folder = crate::testing::folder();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, text).unwrap();
        assert!(matches(&path, &text.as_bytes()[..text.len().min(1024)]), "{}", &text[..60.min(text.len())]);
        let set = open(&path, &OpenOptions::default().split(split));
        if let Ok(set) = &set {
            std::fs::write(&path, gzip(text.as_bytes())).unwrap();
            assert_eq!(open(&path, &OpenOptions::default().split(split)).unwrap().fingerprint(), set.fingerprint());
        }
        set
    }

    /// Shape, labels (-1: none) and classes.
    fn about(set: &InMemory) -> (String, Vec<i64>, String) {
        let labels = (0..set.len()).map(|index| set.label(index).map_or(-1, i64::from)).collect();
        (set.shape().to_string(), labels, set.classes().join(" "))
    }

    fn numbers(count: usize, from: usize) -> String {
        (0..count).map(|at| ((at * 3 + from) % 256).to_string()).collect::<Vec<_>>().join(",")
    }

    fn names(start: &str, count: usize) -> String {
        (0..count).map(|at| format!("{start}{at}")).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn a_column_per_pixel() {
        let rows = |labels: [&str; 3], count: usize| {
            labels
                .iter()
                .enumerate()
                .map(|(row, label)| format!("{label},{}\n", numbers(count, row)))
                .collect::<String>()
        };
        let digits = rows(["7", "3", "7"], 784);
        let expected = ("28x28x1".to_owned(), vec![1, 0, 1], "3 7".to_owned());
        for header in [
            format!("label,{}\n", names("pixel", 784)),
            format!("\u{feff}Label,{}\r\n", names("1x", 784)),
            String::new(),
            // As pandas writes columns without names, and columns that were called alike.
            (0..785).map(|at| at.to_string()).collect::<Vec<_>>().join(",") + "\n",
            "0".to_owned() + &(1..785).map(|at| format!(",0.{at}")).collect::<String>() + "\n",
        ] {
            let set = look(&format!("{header}{digits}"), Split::Train).unwrap();
            assert_eq!(about(&set), expected, "{header:.20}");
            let mut image = vec![0.0; 784];
            set.read(1, &mut image).unwrap();
            assert_eq!(image[..2], [1.0 / 255.0, 4.0 / 255.0]);
        }
        // Columns in the order of the alphabet: pixel0, pixel1, pixel10, pixel11, ...
        let mut sorted: Vec<usize> = (0..64).collect();
        sorted.sort_by_key(ToString::to_string);
        let header = sorted.iter().map(|at| format!(",pixel{at}")).collect::<String>();
        let row = sorted.iter().map(|at| format!(",{at}")).collect::<String>();
        let set = look(&format!("label{header}\n1{row}\n2{row}\n"), Split::Train).unwrap();
        let mut image = vec![0.0; 64];
        set.read(1, &mut image).unwrap();
        assert!(image.windows(2).all(|pair| pair[0] < pair[1]), "{image:?}");
        assert!(set.notes().iter().any(|note| note.contains("order of the numbers")), "{:?}", set.notes());
        // Numbers of images, and none of labels.
        let test = format!("id,{}\n{}", names("pixel", 784), rows(["0", "1", "2"], 784));
        assert_eq!(about(&look(&test, Split::Train).unwrap()), ("28x28x1".to_owned(), vec![-1; 3], String::new()));
        let plain = format!("{}\n{}\n", numbers(64, 0), numbers(64, 1));
        assert_eq!(about(&look(&plain, Split::Train).unwrap()), ("8x8x1".to_owned(), vec![-1; 2], String::new()));
        let text = format!(
            "{};class\n{};dog\n{};cat\n",
            names("p", 64).replace(',', ";"),
            numbers(64, 0).replace(',', ";"),
            numbers(64, 1).replace(',', ";")
        );
        assert_eq!(about(&look(&text, Split::Train).unwrap()), ("8x8x1".to_owned(), vec![1, 0], "cat dog".to_owned()));
        // As optdigits has it: the first pixel is always 0, the label last.
        let last = format!("0,{},5\n0,{},6\n", numbers(63, 1), numbers(63, 2));
        let set = look(&last, Split::Train).unwrap();
        assert_eq!(about(&set), ("8x8x1".to_owned(), vec![0, 1], "5 6".to_owned()));
        assert!(set.notes().contains(&"without a header, the last column is read as the label".to_owned()));
    }

    #[test]
    fn all_pixels_in_one_column_and_parts() {
        let list = |from: usize| numbers(2304, from).replace(',', " ");
        let text = format!(
            "emotion,pixels,Usage\n2,\"{}\",Training\n0,{},Training\n1,{},PublicTest\n2,{},PrivateTest\n",
            list(0),
            list(1),
            list(2),
            list(3)
        );
        let train = look(&text, Split::Train).unwrap();
        assert_eq!(about(&train), ("48x48x1".to_owned(), vec![2, 0], "0 1 2".to_owned()));
        assert_eq!(about(&look(&text, Split::Test).unwrap()).1, [1, 2]);
        let spaced = format!("emotion, Usage, pixels\n2, Training, {}\n0, PublicTest, {}\n", list(0), list(1));
        assert_eq!(
            (look(&spaced, Split::Train).unwrap().len(), look(&spaced, Split::Test).unwrap().label(0)),
            (1, Some(0))
        );
        let faces = format!("age,gender,img_name,pixels\n1,0,a.jpg,{}\n2,1,b.jpg,{}\n", list(0), list(1));
        assert_eq!(look(&faces, Split::Train).unwrap().notes(), ["columns that are left aside: age, gender"]);
        assert!(matches!(look(&faces, Split::Test), Err(Error::NoTestImages { .. })));
    }

    #[test]
    fn colour_is_read_in_either_order() {
        // Rows of one colour each, from dark to light.
        let pixel = |row: usize| [8 * row, 90 + 8 * row, 180 + row];
        let pixels: Vec<String> = (0..64).flat_map(|at| pixel(at / 8)).map(|v| v.to_string()).collect();
        let planes: Vec<String> = (0..3).flat_map(|c| (0..64).map(move |at| pixel(at / 8)[c].to_string())).collect();
        let mut read = Vec::new();
        for values in [pixels, planes] {
            let row = values.join(",");
            let set = look(&format!("label,{}\n1,{row}\n2,{row}\n", names("pixel", 192)), Split::Train).unwrap();
            assert_eq!(set.shape().to_string(), "8x8x3");
            let mut image = vec![0.0; 192];
            set.read(0, &mut image).unwrap();
            read.push(image);
        }
        assert_eq!((read[0][..3].to_vec(), &read[0]), (vec![0.0, 90.0 / 255.0, 180.0 / 255.0], &read[1]));
    }

    #[test]
    fn other_values_are_scaled_or_refused() {
        let floats =
            format!("label,{}\n1,{}\n2,{}\n", names("pixel", 64), vec!["0.5"; 64].join(","), vec!["1.0"; 64].join(","));
        let mut image = vec![0.0; 64];
        look(&floats, Split::Train).unwrap().read(0, &mut image).unwrap();
        assert_eq!(image, [0.5; 64]);
        let wide =
            format!("label,{}\n1,{}\n2,{}\n", names("pixel", 64), vec!["0"; 64].join(","), vec!["4095"; 64].join(","));
        assert!(look(&wide, Split::Train).unwrap_err().hint().contains("`data.range`"));
        let short = format!("label,{}\n1,{}\n2,{}\n", names("pixel", 64), numbers(64, 0), numbers(63, 1));
        let error = look(&short, Split::Train).unwrap_err();
        assert!(error.to_string().ends_with("line 3: expected 64 numbers as pixels"), "{error}");
        let odd = format!("label,{}\n1,{}\n2,{}x\n", names("pixel", 64), numbers(64, 0), numbers(64, 1));
        assert!(look(&odd, Split::Train).is_err());
    }

    #[test]
    fn other_tables_are_not_claimed() {
        let claimed = |text: &str| {
            let folder = crate::testing::folder();
            let path = folder.path().join("a.csv");
            std::fs::write(&path, text).unwrap();
            matches(&path, text.as_bytes())
        };
        assert!(!claimed("id,label\n0.png,cat\n1.png,dog\n"));
        assert!(!claimed("5.1,3.5,1.4,0.2,setosa\n4.9,3.0,1.4,0.2,setosa\n"));
        assert!(!claimed(&format!("file,{}\na.png,{}\n", names("attribute", 40), vec!["1"; 40].join(","))));
        assert!(!claimed("text, with commas, and more\nlines of it\n"));
        assert!(!claimed("") && !claimed("one line"));
    }
}
