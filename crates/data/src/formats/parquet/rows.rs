//! Reads the image and label columns of one parquet file, row group by row group.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::column::page::PageReader;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::DataType;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::serialized_reader::SerializedPageReader;

use super::columns::{self, Telling, choose};
use super::{Labels, Parts, Table};
use crate::formats::archive::is_image;
use crate::parts::{Part, part_of};

/// Size limit of the encoded images in memory (1 GiB).
const MAX_KEPT_BYTES: u64 = 1 << 30;

/// How PNG, JPEG, GIF, WebP and BMP files begin in base64, and addresses that hold a file.
const BASE64: [&str; 6] = ["iVBORw0KGgo", "/9j/", "R0lGOD", "UklGR", "Qk0", "data:image/"];

/// Rows per read.
const ROWS: usize = 256;

/// Whether a file has a column of images.
pub fn has_images(path: &Path) -> bool {
    let opened = File::open(path).ok().and_then(|file| SerializedFileReader::new(file).ok());
    opened.is_some_and(|reader| columns::has_images(reader.metadata().file_metadata()))
}

/// The number of rows of a file; 0 if it can't be read.
pub fn count(path: &Path) -> usize {
    let opened = File::open(path).ok().and_then(|file| SerializedFileReader::new(file).ok());
    opened.map_or(0, |reader| usize::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or(0))
}

/// The parts of a file's rows; `None` if no column tells them.
///
/// # Errors
/// A description of what is wrong.
pub fn parts(path: &Path) -> Result<Option<Parts>, String> {
    let columns = Columns::open(path)?;
    let Some((part, telling)) = columns.chosen()?.part else { return Ok(None) };
    columns.check([part].into_iter())?;
    // The part of each row; within, whether a value is none.
    let mut of_rows: Vec<Option<Option<Part>>> = Vec::new();
    for group in 0..columns.reader.num_row_groups() {
        // Fractions are no parts.
        let Ok(values) = labels(columns.values(group, part)?, columns.level(part)) else { return Ok(None) };
        match values {
            Labels::Text(words) => {
                let words = words.iter().map(|word| word.as_deref().filter(|word| !word.trim().is_empty()));
                of_rows.extend(words.map(|word| word.map(part_of)));
            }
            Labels::Ints(numbers) => {
                of_rows.extend(numbers.iter().map(|number| number.map(|number| telling.part(number))));
            }
        }
    }
    let has_others = of_rows.contains(&Some(None));
    let of_rows: Vec<Option<Part>> = of_rows.into_iter().map(Option::flatten).collect();
    // Beside the names of several parts, another word is that of none.
    let is_divided = of_rows.contains(&Some(Part::Train)) && of_rows.iter().flatten().any(|part| *part != Part::Train);
    let are_parts = match has_others {
        true => is_divided && telling == Telling::Words,
        false => of_rows.iter().any(Option::is_some),
    };
    Ok(are_parts.then(|| Parts { column: columns.name(part), of_rows }))
}

/// Appends a file's rows to `table`, only the `wanted` ones if given. Rows without an image are passed over.
///
/// # Errors
/// A description of what is wrong.
pub fn read(path: &Path, wanted: Option<&[bool]>, table: &mut Table) -> Result<(), String> {
    let columns = Columns::open(path)?;
    let chosen = columns.chosen()?;
    columns.check([Some(chosen.image), chosen.label].into_iter().flatten())?;
    for group in columns.reader.metadata().row_groups() {
        let bytes = u64::try_from(group.column(chosen.image).compressed_size()).unwrap_or(u64::MAX);
        if bytes.saturating_add(table.images.len() as u64) > MAX_KEPT_BYTES {
            return Err(too_much());
        }
    }
    let (mut unread, mut before) = (None, 0);
    for group in 0..columns.reader.num_row_groups() {
        let is_wanted = |row: usize| wanted.is_none_or(|wanted| wanted.get(before + row) == Some(&true));
        let column = columns.values(group, chosen.image)?;
        let present = images(column, columns.level(chosen.image), &is_wanted, table)?;
        if let Some(label) = chosen.label {
            let found = labels(columns.values(group, label)?, columns.level(label));
            match found {
                Ok(found) if found.len() == present.len() => {
                    let others: Vec<bool> = (0..present.len()).map(|row| !is_wanted(row)).collect();
                    table.labels_of_others.extend(found.clone().of(&others));
                    table.labels.extend(found.of(&present));
                }
                Ok(found) => return Err(format!("{} images but {} labels", present.len(), found.len())),
                Err(what) => unread = Some(what),
            }
        }
        before += present.len();
    }
    table.notes.extend(chosen.notes);
    if let (Some(what), Some(label)) = (unread, chosen.label) {
        table.unlabelled(format!("the column {} is not read as labels: {what}", columns.name(label)));
    }
    table.column = table.column.take().or_else(|| chosen.label.map(|label| columns.name(label)));
    if table.names.is_empty() {
        table.names = chosen.names;
    }
    Ok(())
}

/// The labels of the rows of a file, without its images; `None` if it has none.
///
/// # Errors
/// A description of what is wrong.
pub fn read_labels(path: &Path) -> Result<Option<Labels>, String> {
    let columns = Columns::open(path)?;
    let Some(label) = columns.chosen()?.label else { return Ok(None) };
    columns.check([label].into_iter())?;
    let mut all = Labels::default();
    for group in 0..columns.reader.num_row_groups() {
        all.extend(labels(columns.values(group, label)?, columns.level(label))?);
    }
    Ok(Some(all))
}

/// The columns of an open file.
struct Columns {
    file: Arc<File>,
    reader: SerializedFileReader<File>,
}

impl Columns {
    fn open(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(plain)?;
        let reader = SerializedFileReader::new(file.try_clone().map_err(plain)?).map_err(plain)?;
        Ok(Self { file: Arc::new(file), reader })
    }

    /// The columns of images and labels.
    ///
    /// # Errors
    /// There is none of images; what may be meant by a column of text is said.
    fn chosen(&self) -> Result<columns::Columns, String> {
        choose(self.reader.metadata().file_metadata()).map_err(|what| self.images_as_text().unwrap_or(what))
    }

    /// What a column of text holds instead of images: paths, addresses, or images in base64.
    fn images_as_text(&self) -> Option<String> {
        let metadata = self.reader.metadata();
        let count = metadata.file_metadata().schema_descr().num_columns();
        let texts = (0..count).filter(|at| columns::is_text_column(metadata.file_metadata(), *at));
        texts.filter(|at| self.check([*at].into_iter()).is_ok()).find_map(|at| {
            let Ok(Labels::Text(values)) = labels(self.values(0, at).ok()?, self.level(at)) else { return None };
            let value = values.into_iter().flatten().find(|value| !value.trim().is_empty())?;
            let (name, shown) = (self.name(at), value.chars().take(60).collect::<String>());
            match () {
                () if BASE64.iter().any(|start| value.starts_with(start)) => Some(format!(
                    "its column {name} holds images as text (base64): df[\"{name}\"] = df[\"{name}\"].map(base64.b64decode) in \
                     Python makes images of it"
                )),
                () if is_image(&value) => Some(format!(
                    "its column {name} holds the names of images ({shown}), not the images: give the folder of the files, with \
                     this table as CSV (file_name,label) in it"
                )),
                () => None,
            }
        })
    }

    /// Refuses columns that can't be unpacked.
    fn check(&self, columns: impl Iterator<Item = usize>) -> Result<(), String> {
        for column in columns {
            for group in self.reader.metadata().row_groups() {
                unpackable(group.column(column).compression())?;
            }
        }
        Ok(())
    }

    /// The level of values that are there.
    fn level(&self, column: usize) -> i16 {
        self.reader.metadata().file_metadata().schema_descr().column(column).max_def_level()
    }

    fn name(&self, column: usize) -> String {
        self.reader.metadata().file_metadata().schema_descr().column(column).path().string()
    }

    /// The values of a column in a row group.
    fn values(&self, group: usize, column: usize) -> Result<ColumnReader, String> {
        let chunk = self.reader.metadata().row_group(group).column(column);
        let rows = self.reader.metadata().row_group(group).num_rows();
        let Compression::ZSTD(_) = chunk.compression() else {
            let group = self.reader.get_row_group(group).map_err(plain)?;
            return group.get_column_reader(column).map_err(plain);
        };
        // The parquet crate unpacks Zstandard by C code only: it gives the packed pages, which are unpacked here.
        let packed = chunk.clone().into_builder().set_compression(Compression::UNCOMPRESSED).build().map_err(plain)?;
        let rows = usize::try_from(rows).map_err(plain)?;
        let pages = SerializedPageReader::new(Arc::clone(&self.file), &packed, rows, None).map_err(plain)?;
        let descriptor = self.reader.metadata().file_metadata().schema_descr().column(column);
        Ok(get_column_reader(descriptor, zstandard(pages)))
    }
}

#[cfg(feature = "compression")]
fn zstandard(pages: SerializedPageReader<File>) -> Box<dyn PageReader> {
    Box::new(super::zstandard::Unpacked::new(pages))
}

#[cfg(not(feature = "compression"))]
fn zstandard(pages: SerializedPageReader<File>) -> Box<dyn PageReader> {
    Box::new(pages)
}

/// Refuses compressions whose code would need a C compiler, or that are rare.
pub(super) fn unpackable(compression: Compression) -> Result<(), String> {
    use Compression::{GZIP, LZ4, LZ4_RAW, SNAPPY, UNCOMPRESSED, ZSTD};
    match compression {
        UNCOMPRESSED | SNAPPY | GZIP(_) | LZ4 | LZ4_RAW => Ok(()),
        ZSTD(_) if cfg!(feature = "compression") => Ok(()),
        other => {
            let name = format!("{other:?}");
            Err(format!("its columns are packed with {}", name.split('(').next().unwrap_or_default()))
        }
    }
}

/// Adds the images of a column, those of wanted rows; returns whether each row's was added.
fn images(
    column: ColumnReader,
    present: i16,
    is_wanted: &dyn Fn(usize) -> bool,
    table: &mut Table,
) -> Result<Vec<bool>, String> {
    let ColumnReader::ByteArrayColumnReader(column) = column else {
        return Err("the column of images holds something else".to_owned());
    };
    let mut rows = Vec::new();
    each(column, present, |image| {
        if !is_wanted(rows.len()) {
            rows.push(false);
            return Ok(());
        }
        let image = image.map(|image| image.data()).filter(|image| !image.is_empty());
        rows.push(image.is_some());
        match image {
            Some(image) => table.push(image),
            None => table.pass_over(),
        }
    })?;
    Ok(rows)
}

/// The labels of a column.
fn labels(column: ColumnReader, present: i16) -> Result<Labels, String> {
    let mut ints: Vec<Option<i64>> = Vec::new();
    let mut push = |label: Option<i64>| {
        ints.push(label);
        Ok(())
    };
    let whole = |label: f64| match label {
        nan if nan.is_nan() => Ok(None),
        whole if whole.fract() == 0.0 && whole.abs() < 9e15 => Ok(Some(whole as i64)),
        other => Err(format!("one is {other}")),
    };
    match column {
        ColumnReader::BoolColumnReader(column) => each(column, present, |label| push(label.copied().map(i64::from)))?,
        ColumnReader::Int32ColumnReader(column) => each(column, present, |label| push(label.copied().map(i64::from)))?,
        ColumnReader::Int64ColumnReader(column) => each(column, present, |label| push(label.copied()))?,
        ColumnReader::FloatColumnReader(column) => {
            each(column, present, |label| push(label.map_or(Ok(None), |label| whole(f64::from(*label)))?))?;
        }
        ColumnReader::DoubleColumnReader(column) => {
            each(column, present, |label| push(label.map_or(Ok(None), |label| whole(*label))?))?;
        }
        ColumnReader::ByteArrayColumnReader(column) => {
            let mut text: Vec<Option<String>> = Vec::new();
            each(column, present, |label| {
                let label = label.map(|label| label.as_utf8().map(str::to_owned)).transpose();
                text.push(label.map_err(|_| "one is no text".to_owned())?);
                Ok(())
            })?;
            return Ok(Labels::Text(text));
        }
        _ => return Err("the column holds something else".to_owned()),
    }
    Ok(Labels::Ints(ints))
}

impl Table {
    /// Adds a row's image.
    fn push(&mut self, image: &[u8]) -> Result<(), String> {
        if (self.images.len() + image.len()) as u64 > MAX_KEPT_BYTES {
            return Err(too_much());
        }
        self.images.extend_from_slice(image);
        self.ends.push(self.images.len());
        self.rows += 1;
        Ok(())
    }

    /// Counts a row without an image.
    fn pass_over(&mut self) -> Result<(), String> {
        self.first_without.get_or_insert(self.rows);
        self.rows += 1;
        Ok(())
    }
}

/// Calls `take` with each row of a column; `None` if the row has no value, that is a level below `present`.
fn each<T: DataType>(
    mut column: ColumnReaderImpl<T>,
    present: i16,
    mut take: impl FnMut(Option<&T::T>) -> Result<(), String>,
) -> Result<(), String> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    loop {
        levels.clear();
        values.clear();
        let (rows, ..) = column.read_records(ROWS, Some(&mut levels), None, &mut values).map_err(plain)?;
        if rows == 0 {
            return Ok(());
        }
        // A required column has no levels.
        let mut there = values.iter();
        for at in 0..rows {
            take(if levels.get(at).is_none_or(|&level| level >= present) { there.next() } else { None })?;
        }
    }
}

fn plain(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn too_much() -> String {
    format!("its encoded images take more than {} GiB, too much to keep in memory", MAX_KEPT_BYTES >> 30)
}
