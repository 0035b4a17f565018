//! What the columns of a table are: pixels, the label, the part; by their names and by the first rows.

use std::collections::BTreeSet;

use csv::{ByteRecord, ReaderBuilder};

use crate::formats::column_names::{IDS, LABELS, field};
use crate::parts::{by_flag, is_of_parts, is_partition, unclear_numbers};

/// Pixels of tables whose columns are not named for pixels.
const MIN_UNNAMED: usize = 64;

/// Rows that are looked at.
const SAMPLE: usize = 400;

/// Of fewer rows, the number of different values says nothing.
const FEW_ROWS: usize = 8;

/// Most labels that count on from 0 or 1.
const MAX_LABELS: usize = 200;

/// Where the pixels are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pixels {
    /// A value in each of these columns.
    Columns(Vec<usize>),
    /// All values in one column, with spaces between.
    List(usize),
}

/// What the columns are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    pub delimiter: u8,
    /// Whether the first row has names.
    pub header: bool,
    pub pixels: Pixels,
    /// Height and width of an image, and its channels.
    pub side: usize,
    pub channels: usize,
    /// Whether all red values come before green and blue ones.
    pub planes: bool,
    pub label: Option<usize>,
    /// How the column of labels is called: `column label`, `the first column`.
    pub label_name: String,
    /// The column that tells the part of each row, and its name.
    pub part: Option<(usize, String)>,
    /// The number of columns.
    pub width: usize,
    /// What to tell the user, a sentence each.
    pub notes: Vec<String>,
}

/// A number, with a point or a comma before its fraction.
fn number(text: &str) -> Option<f32> {
    let value = text.parse().ok().or_else(|| {
        let (whole, fraction) = text.split_once(',').filter(|_| has_comma(text))?;
        format!("{whole}.{fraction}").parse().ok()
    });
    value.filter(|value: &f32| value.is_finite())
}

/// Whether a number has a comma before its fraction.
fn has_comma(text: &str) -> bool {
    let is_fraction = |fraction: &str| !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once(',').is_some_and(|(_, fraction)| is_fraction(fraction))
}

fn is_number(text: &str) -> bool {
    number(text).is_some()
}

/// Whether a value is a whole number from 0 to 255, as bytes are.
fn is_byte(text: &str) -> bool {
    number(text).is_some_and(|value| value.fract() == 0.0 && (0.0..=255.0).contains(&value))
}

/// The numbers of a list; `None` if it is none.
pub fn list(text: &str) -> Option<Vec<f32>> {
    let text = text.trim_start_matches('[').trim_end_matches(']');
    let numbers = text.split([' ', '\t', ',', ';']).filter(|word| !word.is_empty()).map(str::parse);
    numbers.collect::<Result<Vec<f32>, _>>().ok().filter(|numbers| numbers.len() >= 16)
}

/// What is to be said of column number `at` of `rows` if it is called as one of parts, but holds numbers.
fn parts_in_numbers(name: &str, at: usize, rows: &[ByteRecord]) -> Option<String> {
    let numbers: Option<BTreeSet<i64>> = rows.iter().map(|row| field(row, at).parse().ok()).collect();
    let (listed, _) = unclear_numbers(name, &numbers.filter(|_| is_of_parts(name))?)?;
    Some(format!(
        "all images are learned from: column {name} holds the numbers {listed}, which may be the parts; words such as train and \
         test tell them"
    ))
}

/// Side and channels of an image of this many values.
fn shape(values: usize) -> Option<(usize, usize)> {
    let square = |values: usize| Some(values.isqrt()).filter(|side| *side > 1 && side * side == values);
    square(values).map(|side| (side, 1)).or_else(|| {
        let side = square(values / 3).filter(|_| values.is_multiple_of(3))?;
        Some((side, 3))
    })
}

/// Whether the first row numbers the columns, as pandas does: `0,1,2,3`, or `0,0.1,0.2,0.3` for columns that were called alike.
fn are_numbered(first: &ByteRecord, second: &ByteRecord) -> bool {
    let counts = |from: usize| {
        first.len() >= MIN_UNNAMED
            && (0..first.len())
                .all(|at| field(first, at).parse() == Ok(at + from) || (at == 0 && field(first, 0).is_empty()))
    };
    let has_point = |record: &ByteRecord| (0..record.len()).filter(|&at| field(record, at).contains('.')).count();
    let dotted = |record: &ByteRecord| {
        let ends = |at: usize| field(record, at).split_once('.').is_some_and(|(_, end)| end.parse::<usize>().is_ok());
        record.len() >= MIN_UNNAMED && 2 * (0..record.len()).filter(|&at| ends(at)).count() > record.len()
    };
    counts(0) || counts(1) || (dotted(first) && has_point(second) == 0)
}

impl Columns {
    /// The columns of a table that starts with `text`.
    ///
    /// # Errors
    /// Why they are no pixels, as the end of a sentence.
    pub fn of(text: &[u8]) -> Result<Self, String> {
        // Another delimiter would make one list of all columns.
        let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let occurs = |delimiter: &u8| line.contains(delimiter);
        let some_do = [b',', b';', b'\t'].iter().any(occurs);
        let delimiters = [b',', b';', b'\t'].into_iter().filter(|delimiter| !some_do || occurs(delimiter));
        let tried = delimiters.map(|delimiter| Self::with_delimiter(text, delimiter));
        let mut first = None;
        for tried in tried {
            match tried {
                Ok(columns) => return Ok(columns),
                Err(what) => first = first.or(Some(what)),
            }
        }
        Err(first.unwrap_or_default())
    }

    fn with_delimiter(text: &[u8], delimiter: u8) -> Result<Self, String> {
        let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text);
        let records: Vec<ByteRecord> = reader.byte_records().take(SAMPLE + 1).filter_map(Result::ok).collect();
        let [first, second, ..] = &records[..] else { return Err("it has fewer than two rows".to_owned()) };
        let numeric =
            |record: &ByteRecord, at: usize| is_number(field(record, at)) || list(field(record, at)).is_some();
        let named = (0..first.len()).filter(|&at| !numeric(first, at)).count();
        let is_numbered = are_numbered(first, second);
        let header = 2 * named > first.len()
            || (0..first.len()).any(|at| !numeric(first, at) && numeric(second, at))
            || is_numbered;
        let (row, names) = if header { (second, Some(first).filter(|_| !is_numbered)) } else { (first, None) };
        if row.len() != first.len() {
            return Err(format!("its first row has {} fields, the second {}", first.len(), second.len()));
        }
        // numpy.savetxt begins the names with a sign of comments.
        let name = |at: usize| names.map(|names| field(names, at).trim_start_matches(['#', ' ']).to_lowercase());
        let is_called = |at: usize, known: &[&str]| name(at).is_some_and(|name| known.contains(&name.as_str()));
        let all = || 0..row.len();
        let mut columns = Self {
            delimiter,
            header,
            pixels: Pixels::Columns(Vec::new()),
            side: 0,
            channels: 0,
            planes: false,
            label: all().find(|&at| is_called(at, &LABELS)),
            label_name: String::new(),
            part: all().find_map(|at| {
                let name = field(names?, at);
                let is_word = is_of_parts(name) && (is_partition(name) || !is_number(field(row, at)));
                (is_word || by_flag(name).is_some()).then(|| (at, name.to_owned()))
            }),
            width: row.len(),
            notes: Vec::new(),
        };
        let rows = if header { &records[1..] } else { &records[..] };
        if columns.part.is_none() {
            columns.notes.extend(all().find_map(|at| parts_in_numbers(field(names?, at), at, rows)));
        }
        if let Some(at) = all().find(|&at| list(field(row, at)).is_some()) {
            columns.pixels = Pixels::List(at);
            let values = list(field(row, at)).map_or(0, |list| list.len());
            (columns.side, columns.channels) =
                shape(values).ok_or_else(|| format!("a list of {values} values is no square image"))?;
            columns.label = columns.label.or_else(|| all().find(|&at| names.is_none() && is_number(field(row, at))));
            columns.leave_aside(all().filter(|&other| other != at), &|at| name(at).unwrap_or_default());
        } else {
            columns.choose_pixels(row, rows, &name)?;
        }
        if columns.label_name.is_empty()
            && let Some(at) = columns.label
        {
            let called = names.map(|names| field(names, at)).filter(|called| !called.is_empty());
            columns.label_name =
                called.map_or_else(|| format!("column {}", at + 1), |called| format!("column {called}"));
        }
        if columns.channels == 3 {
            columns.planes = are_planes(columns.side, rows.iter().filter_map(|row| columns.values(row)));
            let order = if columns.planes { "all red values first" } else { "three values per pixel" };
            columns.notes.push(format!("the pixels are read as red, green and blue, {order}"));
        }
        Ok(columns)
    }

    /// Finds the columns of pixels: numbers that are not labels, parts or numbers of images.
    fn choose_pixels(
        &mut self,
        row: &ByteRecord,
        rows: &[ByteRecord],
        name: &dyn Fn(usize) -> Option<String>,
    ) -> Result<(), String> {
        let part = self.part.as_ref().map(|(at, _)| *at);
        let known = |at: &usize| Some(*at) == self.label || Some(*at) == part;
        let is_id = |at: &usize| name(*at).is_some_and(|name| IDS.contains(&name.as_str()));
        let rest: Vec<usize> = (0..row.len()).filter(|at| !known(at) && !is_id(at)).collect();
        let (mut pixels, others): (Vec<usize>, Vec<usize>) =
            rest.into_iter().partition(|&at| is_number(field(row, at)));
        let is_named = name(0).is_some();
        if !is_named && shape(pixels.len()).is_none() && shape(pixels.len().saturating_sub(1)).is_some() {
            let first = pixels[0];
            let (label, is_clear) = label_of(rows, &pixels);
            pixels.retain(|at| *at != label);
            self.label = Some(label);
            let [which, other] = if label == first { ["first", "last"] } else { ["last", "first"] };
            self.label_name = format!("the {which} column");
            let without = if self.header { "names of columns" } else { "a header" };
            let doubt = match is_clear {
                true => String::new(),
                false => {
                    format!("; it may also be the {other} one: a first row with the names label, pixel0, ... tells")
                }
            };
            self.notes.push(format!("without {without}, the {which} column is read as the label{doubt}"));
        } else if self.label.is_none() && others.len() == 1 && !is_named {
            self.label = Some(others[0]);
        }
        let is_pixel_name = |at: &usize| {
            name(*at).is_some_and(|name| {
                let letters = name.trim_start_matches(|c: char| c.is_ascii_digit());
                let digits = |text: &str| {
                    text.trim_matches(['_', ' ', '-']).chars().all(|c| c.is_ascii_digit() || "x_".contains(c))
                };
                ["pixels", "pixel", "pix", "px", "p", "x", "v"]
                    .iter()
                    .any(|start| letters.strip_prefix(start).is_some_and(digits))
                    || digits(letters)
            })
        };
        // Other numbers beside columns that are named for pixels.
        let mut others = others;
        let called: Vec<usize> = pixels.iter().copied().filter(is_pixel_name).collect();
        if is_named && called.len() < pixels.len() && shape(called.len()).is_some() && called.len() >= MIN_UNNAMED {
            others.extend(pixels.iter().filter(|at| !called.contains(at)));
            pixels = called;
        }
        let count = pixels.len();
        let are_named = is_named && pixels.iter().all(is_pixel_name);
        let least = if are_named { 4 } else { MIN_UNNAMED };
        let found = shape(count).filter(|_| count >= least);
        (self.side, self.channels) =
            found.ok_or_else(|| format!("its {count} columns of numbers are no square image"))?;
        if !are_named {
            let odd =
                rows.iter().find_map(|row| pixels.iter().find(|at| !is_byte(field(row, **at))).map(|at| (row, *at)));
            let called = name(pixels[0]).unwrap_or_default();
            if let (true, Some((row, at))) = (is_named, odd) {
                return Err(format!(
                    "its {count} columns of numbers ({called}, ...) are not named for pixels (pixel0, pixel1, ...), and {} is \
                     no whole number from 0 to 255",
                    field(row, at)
                ));
            }
            let side = self.side;
            let which = if is_named { format!(" ({called}, ...), not named for pixels,") } else { String::new() };
            let values = if odd.is_some() { ", though their values are no whole numbers from 0 to 255" } else { "" };
            self.notes.push(format!(
                "the {count} columns of numbers{which} are read as images of {side}x{side} pixels{values}"
            ));
        }
        if pixels.iter().any(|at| rows.iter().any(|row| has_comma(field(row, *at)))) {
            self.notes.push("decimal commas are read as decimal points".to_owned());
        }
        let mut called: Vec<String> = pixels.iter().filter_map(|at| name(*at)).collect();
        called.sort();
        if let Some(twice) = called.windows(2).find(|pair| pair[0] == pair[1] && !pair[0].is_empty() && are_named) {
            self.notes.push(format!("two columns are called {}; they are taken in the order of the file", twice[0]));
        }
        let others: Vec<usize> = others.into_iter().filter(|at| Some(*at) != self.label).collect();
        self.leave_aside(others.into_iter(), &|at| name(at).unwrap_or_else(|| format!("number {at}")));
        if let Some(ordered) = in_order(&pixels, name).filter(|ordered| *ordered != pixels) {
            self.notes.push("the columns of pixels are taken in the order of the numbers in their names".to_owned());
            pixels = ordered;
        }
        self.pixels = Pixels::Columns(pixels);
        Ok(())
    }

    /// Notes columns that are neither pixels nor the label, the part or a name.
    fn leave_aside(&mut self, columns: impl Iterator<Item = usize>, name: &dyn Fn(usize) -> String) {
        let part = self.part.as_ref().map(|(at, _)| *at);
        let unknown = |at: &usize| Some(*at) != self.label && Some(*at) != part && !IDS.contains(&name(*at).as_str());
        let aside: Vec<String> = columns.filter(unknown).map(name).filter(|name| !name.is_empty()).take(5).collect();
        if !aside.is_empty() {
            self.notes.push(format!("columns that are left aside: {}", aside.join(", ")));
        }
    }

    /// The pixels of a row; `None` if it has other values, or not as many.
    pub fn values(&self, row: &ByteRecord) -> Option<Vec<f32>> {
        let wanted = self.side * self.side * self.channels;
        let values = match &self.pixels {
            Pixels::List(at) => list(field(row, *at))?,
            Pixels::Columns(columns) => {
                columns.iter().map(|&at| number(field(row, at))).collect::<Option<Vec<f32>>>()?
            }
        };
        (values.len() == wanted).then_some(values)
    }
}

/// The first or the last of these columns, whichever is the label, and whether that is clear. Labels count on from 0 or 1, or are
/// few; a pixel has the values of the other pixels, or only one.
fn label_of(rows: &[ByteRecord], columns: &[usize]) -> (usize, bool) {
    let [first, last] = [columns[0], columns[columns.len() - 1]];
    let values = |at: usize| -> BTreeSet<&str> { rows.iter().map(|row| field(row, at)).collect() };
    let (of_first, of_last) = (values(first), values(last));
    let count_on = |values: &BTreeSet<&str>| {
        let numbers: Option<BTreeSet<usize>> = values.iter().map(|value| whole(value)).collect();
        let Some((numbers, least, most)) = numbers.and_then(|n| Some((n.len(), *n.first()?, *n.last()?))) else {
            return false;
        };
        // A few labels may be missing among the first rows.
        least <= 1 && most <= MAX_LABELS && (most + 1 - least) * 3 <= numbers * 4
    };
    // Few values for many rows, though they don't count on.
    let is_like = |values: &BTreeSet<&str>| count_on(values) || 2 * values.len() <= rows.len() || rows.len() < FEW_ROWS;
    match (of_first.len() > 1, of_last.len() > 1) {
        // Sorted by class, the first rows have one label, and the other end is a pixel.
        (false, true) => return if is_like(&of_last) { (last, true) } else { (first, false) },
        (true, false) => return if is_like(&of_first) { (first, true) } else { (last, false) },
        (false, false) => return (first, false),
        (true, true) => {}
    }
    match (count_on(&of_first), count_on(&of_last)) {
        (true, false) => return (first, true),
        (false, true) => return (last, true),
        (true, true) => {
            // Such as black and white pixels.
            let inner: BTreeSet<&str> =
                columns[1..columns.len() - 1].iter().flat_map(|at| rows.iter().map(|row| field(row, *at))).collect();
            match (of_first.is_subset(&inner), of_last.is_subset(&inner)) {
                (true, false) => return (last, true),
                (false, true) => return (first, true),
                _ => {}
            }
        }
        (false, false) => {}
    }
    if of_last.len() * 2 <= of_first.len() { (last, false) } else { (first, of_first.len() * 2 <= of_last.len()) }
}

/// A number that has no fraction: `7`, `7.0`.
fn whole(text: &str) -> Option<usize> {
    let value: f64 = text.parse().ok()?;
    (value.fract() == 0.0 && (0.0..=1e9).contains(&value)).then_some(value as usize)
}

/// The columns in the order of their numbers, if all have one name with another number each: programs sort names as text.
fn in_order(columns: &[usize], name: &dyn Fn(usize) -> Option<String>) -> Option<Vec<usize>> {
    let mut stem = None;
    let mut numbers = Vec::new();
    for &at in columns {
        let name = name(at)?;
        let digits = name.bytes().rev().take_while(u8::is_ascii_digit).count();
        let (own, number) = name.split_at(name.len() - digits);
        // `1x2` has two numbers.
        if own.bytes().any(|byte| byte.is_ascii_digit()) || stem.get_or_insert(own.to_owned()) != own {
            return None;
        }
        numbers.push((number.parse::<usize>().ok()?, at));
    }
    numbers.sort_unstable();
    let is_distinct = numbers.windows(2).all(|pair| pair[0].0 != pair[1].0);
    is_distinct.then(|| numbers.into_iter().map(|(_, at)| at).collect())
}

/// Whether pixels are stored plane by plane: pixels below each other are alike in the right order.
fn are_planes(side: usize, images: impl Iterator<Item = Vec<f32>>) -> bool {
    let (mut planes, mut pixels) = (0.0, 0.0);
    for image in images {
        let step = |stride: usize| {
            image.iter().zip(image.iter().skip(stride)).map(|(a, b)| f64::from((a - b).abs())).sum::<f64>()
        };
        planes += step(side);
        pixels += step(3 * side);
    }
    planes < pixels
}
