//! Labels from an array: whole numbers of any type, one-hot rows, rows of yes and no, or text.

use std::io::Read;
use std::path::Path;

use super::scalar::{Kind, Scalar};
use crate::Dataset;
use crate::class_labels::{ClassLabels, describe_classes, ids};
use crate::error::{Error, Result};
use crate::first_names::first_names;
use crate::in_memory::{InMemory, MAX_SET_BYTES};

/// One label, or a row of attributes, per image.
#[derive(Clone, Debug, PartialEq)]
pub enum Labels {
    /// Whole numbers; `None` for an image without label.
    Ints(Vec<Option<i64>>),
    /// Text; empty for an image without label.
    Text(Vec<Option<String>>),
    /// Whether each image has each attribute, image by image.
    Attributes(usize, Vec<bool>),
}

/// The type and sizes of an array of labels.
#[derive(Clone, Debug)]
pub struct Array<'a> {
    /// In numpy's notation.
    pub descr: &'a str,
    pub fortran: bool,
    pub sizes: &'a [u64],
}

/// Attributes that are listed.
const MOST_ATTRIBUTES: usize = 10;

/// Why an array is not read as labels, as the end of a sentence.
pub type Unread = String;

impl Array<'_> {
    /// The number of labels, and how many values each has; `None` for sizes that are not those of labels.
    pub fn count(&self) -> Option<(u64, u64)> {
        match *self.sizes {
            [n] | [n, 1] => Some((n, 1)),
            [1, n] if self.kind().is_some() => Some((n, 1)),
            [n, width] if n > 0 && width > 1 => Some((n, width)),
            _ => None,
        }
    }

    /// Whether each label is one whole number: what was read before other labels were.
    pub fn is_plain(&self) -> bool {
        let whole = self
            .kind()
            .is_some_and(|(_, scalar)| matches!(scalar.map(|s| s.kind), Some(Kind::Unsigned | Kind::Signed)));
        whole && matches!(*self.sizes, [_] | [_, 1])
    }

    /// Bytes per value, and the type if they are numbers; `None` for other values.
    fn kind(&self) -> Option<(u64, Option<Scalar>)> {
        if let Some(scalar) = Scalar::of_descr(self.descr) {
            return Some((scalar.width as u64, Some(scalar)));
        }
        let name = self.descr.strip_prefix(['<', '>', '|', '=']).unwrap_or(self.descr);
        let (kind, letters) = name.split_at_checked(1)?;
        let letters: u64 = letters.parse().ok().filter(|letters| (1..1 << 16).contains(letters))?;
        match kind {
            "U" => Some((4 * letters, None)),
            "S" | "a" => Some((letters, None)),
            _ => None,
        }
    }

    /// Bytes of all values.
    ///
    /// # Errors
    /// Why they are not read.
    pub fn bytes(&self) -> Result<u64, Unread> {
        let Some((width, _)) = self.kind() else {
            return Err(match self.descr {
                object if object.contains('O') && !object.starts_with('[') => {
                    "they are Python objects (pickled), and unpickling runs code; a.astype(str) makes them text"
                        .to_owned()
                }
                other => format!("their type is '{}'", other.escape_debug()),
            });
        };
        let values = self.sizes.iter().try_fold(1u64, |product, &size| product.checked_mul(size));
        let bytes = values.and_then(|values| values.checked_mul(width)).filter(|bytes| *bytes <= MAX_SET_BYTES);
        bytes.ok_or_else(|| format!("their shape {:?} takes too much memory", self.sizes))
    }

    /// Labels from all bytes of the array. `read` gets the number of bytes wanted.
    ///
    /// # Errors
    /// The bytes can't be read. Within: why they are no labels.
    pub fn read(&self, path: &Path, reader: &mut dyn Read) -> Result<Result<Labels, Unread>> {
        let bytes = match self.bytes() {
            Ok(bytes) => bytes,
            Err(unread) => return Ok(Err(unread)),
        };
        let mut values = Vec::with_capacity(bytes.min(1 << 26) as usize);
        let got = reader.take(bytes).read_to_end(&mut values).map_err(|error| damaged(path, &error.to_string()))?;
        if (got as u64) < bytes {
            return Err(damaged(path, &format!("only {got} of {bytes} bytes of labels follow its header")));
        }
        Ok(self.decode(&values))
    }

    fn decode(&self, values: &[u8]) -> Result<Labels, Unread> {
        let (Some((count, width)), Some((bytes, scalar))) = (self.count(), self.kind()) else {
            return Err(format!("their shape is {:?}", self.sizes));
        };
        let Some(scalar) = scalar else {
            if width > 1 {
                return Err(format!("they are text of shape {:?}, expected one label per image", self.sizes));
            }
            let text = values.chunks_exact(bytes.max(1) as usize).map(|value| text(value, self.descr));
            return text.collect::<Option<_>>().map(Labels::Text).ok_or_else(|| "they are no valid text".to_owned());
        };
        let value = |at: usize| &values[at * scalar.width..][..scalar.width];
        if width == 1 {
            let ints = (0..count as usize).map(|at| whole(scalar, value(at)));
            return ints.collect::<Result<_, _>>().map(Labels::Ints).map_err(|odd| format!("one is {odd}"));
        }
        let place = |row: u64, column: u64| if self.fortran { column * count + row } else { row * width + column };
        let mut has = Vec::with_capacity((count * width) as usize);
        for (row, column) in (0..count).flat_map(|row| (0..width).map(move |column| (row, column))) {
            let number = scalar.float(value(place(row, column) as usize));
            if number != 0.0 && number != 1.0 {
                return Err(format!("they are rows of {width} values, one of which is {number}; expected 0 and 1"));
            }
            has.push(number == 1.0);
        }
        let ones = |row: &[bool]| row.iter().filter(|has| **has).count();
        let rows = || has.chunks_exact(width as usize);
        // Rows without a one are images without label, unless all are.
        if rows().all(|row| ones(row) <= 1) && rows().any(|row| ones(row) == 1) {
            let label = |row: &[bool]| row.iter().position(|has| *has).map(|at| at as i64);
            return Ok(Labels::Ints(rows().map(label).collect()));
        }
        Ok(Labels::Attributes(width as usize, has))
    }
}

/// One label; not-a-number means none.
fn whole(scalar: Scalar, bytes: &[u8]) -> Result<Option<i64>, String> {
    match scalar.int(bytes) {
        Some(int) => i64::try_from(int).map(Some).map_err(|_| int.to_string()),
        None => match scalar.float(bytes) {
            float if float.is_nan() => Ok(None),
            float if float.fract() == 0.0 && float.abs() < 9e15 => Ok(Some(float as i64)),
            float => Err(float.to_string()),
        },
    }
}

/// Text that ends at the first zeros; `None` if it is no valid text.
fn text(value: &[u8], descr: &str) -> Option<Option<String>> {
    let text = if descr.trim_start_matches(['<', '>', '|', '=']).starts_with('U') {
        let letter = |word: &[u8]| {
            let word = <[u8; 4]>::try_from(word).ok()?;
            char::from_u32(if descr.starts_with('>') { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) })
        };
        value.chunks_exact(4).map(letter).collect::<Option<String>>()?
    } else {
        // Bytes that are not UTF-8 come from older programs, which wrote Latin-1.
        std::str::from_utf8(value).map_or_else(|_| value.iter().copied().map(char::from).collect(), str::to_owned)
    };
    let text = text.trim_end_matches('\0').trim();
    Some((!text.is_empty()).then(|| text.to_owned()))
}

impl Labels {
    /// Number of images.
    pub fn len(&self) -> usize {
        match self {
            Self::Ints(values) => values.len(),
            Self::Text(values) => values.len(),
            Self::Attributes(width, has) => has.len() / width.max(&1),
        }
    }

    /// Why they are the numbers or names of the images, if they are.
    fn ids(&self) -> Option<String> {
        match self {
            Self::Ints(values) => ids(values.iter().flatten().filter(|value| **value != -1)),
            Self::Text(values) => ids(values.iter().flatten()),
            Self::Attributes(..) => None,
        }
    }

    /// `set` with these labels, which are from `what`; `others` are labels of the other parts of the data set, whose classes must be
    /// the same, `names` those of the numbers. With `digested`, they are part of the fingerprint.
    ///
    /// # Errors
    /// The counts differ.
    pub fn attach(
        self,
        set: InMemory,
        what: &str,
        others: &[Self],
        names: &[String],
        digested: bool,
    ) -> Result<InMemory> {
        let largest = others.iter().chain([&self]).max_by_key(|labels| labels.len());
        if let Some(why) = largest.filter(|_| names.is_empty()).and_then(Self::ids) {
            let reason = format!("{what}: {why}");
            return Ok(match self {
                Self::Ints(values) => set.with_labels_aside(ClassLabels::from_ints_among(values, &[], names), reason),
                Self::Text(values) => set.with_labels_aside(ClassLabels::from_text_among(values, &[]), reason),
                Self::Attributes(..) => set.with_unused_labels(reason),
            });
        }
        let set = self.attached(set, others, names, digested)?;
        let (classes, attributes) = (set.classes(), set.attributes());
        let said = match (&classes[..], &attributes[..]) {
            ([], []) => None,
            ([], names) => Some(format!("{} attributes ({})", names.len(), first_names(names, MOST_ATTRIBUTES))),
            (names, _) => Some(describe_classes(names)),
        };
        Ok(set.with_notes(said.map(|said| format!("labels: {what}, {said}"))))
    }

    fn attached(self, set: InMemory, others: &[Self], names: &[String], digested: bool) -> Result<InMemory> {
        let mut raw = None;
        let classes = match self {
            Self::Ints(values) => {
                // As earlier versions had them, which knew no others.
                let known = |value: &Option<i64>| value.and_then(|value| u16::try_from(value).ok()).map(u32::from);
                raw = values.iter().map(known).collect::<Option<Vec<u32>>>();
                let ints = |labels: &Self| if let Self::Ints(values) = labels { values.clone() } else { Vec::new() };
                ClassLabels::from_ints_among(values, &others.iter().flat_map(ints).collect::<Vec<_>>(), names)
            }
            Self::Text(values) => {
                let text = |labels: &Self| if let Self::Text(values) = labels { values.clone() } else { Vec::new() };
                ClassLabels::from_text_among(values, &others.iter().flat_map(text).collect::<Vec<_>>())
            }
            Self::Attributes(width, has) => {
                let named = names.len() == width;
                let name = |at: usize| if named { names[at].clone() } else { at.to_string() };
                return set.with_attributes((0..width).map(name).collect(), has);
            }
        };
        match (digested, raw) {
            (false, _) => set.with_digested_labels(classes, Vec::new()),
            (true, Some(raw)) => set.with_digested_labels(classes, raw),
            (true, None) => set.with_class_labels(classes),
        }
    }
}

fn damaged(path: &Path, what: &str) -> Error {
    Error::data(
        format!("{} is damaged: {what}", path.display()),
        "the file is damaged or was not downloaded completely: replace it",
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(descr: &str, sizes: &[u64], bytes: &[u8]) -> Result<Labels, Unread> {
        Array { descr, fortran: false, sizes }.read(Path::new("y"), &mut &bytes[..]).unwrap()
    }

    fn ints(values: &[i64]) -> Labels {
        Labels::Ints(values.iter().map(|&value| (value != -9).then_some(value)).collect())
    }

    #[test]
    fn numbers_of_every_type() {
        assert_eq!(read("|u1", &[2], &[0, 200]).unwrap(), ints(&[0, 200]));
        assert_eq!(read("<u2", &[2, 1], &[1, 2, 255, 255]).unwrap(), ints(&[513, 65_535]));
        assert_eq!(read(">i2", &[1, 2], &[255, 255, 0, 9]).unwrap(), ints(&[-1, 9]));
        assert_eq!(read("|b1", &[3], &[1, 0, 2]).unwrap(), ints(&[1, 0, 1]));
        let floats: Vec<u8> = [3.0f32, f32::NAN, -1.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(read("<f4", &[3], &floats).unwrap(), ints(&[3, -9, -1]));
        assert_eq!(read("<f4", &[1], &0.5f32.to_le_bytes()).unwrap_err(), "one is 0.5");
        assert_eq!(read("<u8", &[1], &[255; 8]).unwrap_err(), format!("one is {}", u64::MAX));
    }

    #[test]
    fn rows_are_one_hot_or_attributes() {
        assert_eq!(read("|u1", &[3, 3], &[0, 1, 0, 0, 0, 1, 0, 0, 0]).unwrap(), ints(&[1, 2, -9]));
        let fortran = Array { descr: "|u1", fortran: true, sizes: &[2, 3] };
        assert_eq!(fortran.read(Path::new("y"), &mut &[0, 1, 0, 0, 1, 0][..]).unwrap().unwrap(), ints(&[2, 0]));
        let both = read("|u1", &[2, 2], &[1, 1, 0, 1]).unwrap();
        assert_eq!((both.len(), both), (2, Labels::Attributes(2, vec![true, true, false, true])));
        assert_eq!(read("|u1", &[2, 2], &[0; 4]).unwrap(), Labels::Attributes(2, vec![false; 4]));
        let odd = read("|u1", &[2, 2], &[1, 7, 0, 1]).unwrap_err();
        assert_eq!(odd, "they are rows of 2 values, one of which is 7; expected 0 and 1");
    }

    #[test]
    fn text_in_both_encodings() {
        let letters = |words: [&str; 2], word: fn(u32) -> [u8; 4]| -> Vec<u8> {
            words
                .iter()
                .flat_map(|word| word.chars().chain(['\0'; 3]).take(3).collect::<Vec<_>>())
                .flat_map(|c| word(c.into()))
                .collect()
        };
        let expected = Labels::Text(vec![Some("hé".to_owned()), None]);
        assert_eq!(read("<U3", &[2], &letters(["hé", ""], u32::to_le_bytes)).unwrap(), expected);
        assert_eq!(read(">U3", &[2, 1], &letters(["hé", " "], u32::to_be_bytes)).unwrap(), expected);
        assert_eq!(read("|S3", &[2], "hé\0\0\0".as_bytes()).unwrap(), expected);
        assert_eq!(read("|S2", &[2], b"h\xe9\0\0").unwrap(), expected);
        assert_eq!(read("<U1", &[1], &[255; 4]).unwrap_err(), "they are no valid text");
        assert!(read("<U1", &[2, 2], &[0; 16]).unwrap_err().contains("one label per image"));
    }

    #[test]
    fn what_is_not_read_says_why() {
        assert!(read("|O", &[2], &[0; 16]).unwrap_err().contains("unpickling runs code; a.astype(str)"));
        assert_eq!(read("<M8[s]", &[2], &[0; 16]).unwrap_err(), "their type is '<M8[s]'");
        assert_eq!(read("|u1", &[2, 2, 2], &[0; 8]).unwrap_err(), "their shape is [2, 2, 2]");
        assert!(read("<u8", &[u64::MAX], &[]).unwrap_err().contains("too much memory"));
        let short = Array { descr: "|u1", fortran: false, sizes: &[9] };
        assert!(short.read(Path::new("y"), &mut &[1, 2][..]).unwrap_err().to_string().contains("only 2 of 9 bytes"));
    }
}
