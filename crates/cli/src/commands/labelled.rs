//! Generated images with their labels, to train other models on: a zip archive with a folder per class and a table of
//! labels, or an array of labels beside an array of images.

use std::io::Seek;
use std::path::{Path, PathBuf};

use faussaire::data::LabelKind;
use faussaire::data::LabelSettings;
use faussaire::data::npy::NpyWriter;
use faussaire::data::{PartFile, require_room};
use faussaire::render::zip::Zip;
use faussaire::render::{Images, png};
use faussaire::{Error, Result};
use rayon::prelude::*;

/// The table's name in an archive.
const TABLE: &str = "labels.csv";

/// An archive while it is written. Its table of labels is kept in a file beside it until the end.
pub struct Archive {
    zip: Zip<PartFile>,
    path: PathBuf,
    table: csv::Writer<PartFile>,
    labels: LabelSettings,
    /// Images that it will hold.
    total: usize,
}

/// Bytes that a member takes besides its contents and twice its name.
const MEMBER_BYTES: usize = 130;

/// A label row as cells of the table: the class's name, or a 0 or 1 for each attribute.
fn cells<'a>(labels: &'a LabelSettings, row: &[f32]) -> Vec<&'a str> {
    match labels.kind {
        LabelKind::Classes => vec![class(labels, row)],
        LabelKind::Attributes => row.iter().map(|value| if *value > 0.0 { "1" } else { "0" }).collect(),
    }
}

/// The name of the row's class.
fn class<'a>(labels: &'a LabelSettings, row: &[f32]) -> &'a str {
    let place = row.iter().position(|value| *value > 0.0);
    place.and_then(|place| labels.names.get(place)).map_or("", String::as_str)
}

/// A class's name as that of a folder on any system.
fn folder(name: &str) -> String {
    let kept = |c: char| if c.is_control() || "/\\:*?\"<>|".contains(c) { '-' } else { c };
    let name: String = name.chars().map(kept).collect();
    match name.trim_matches(['.', ' ']) {
        "" => "unnamed".into(),
        name => name.into(),
    }
}

impl Archive {
    /// Begins the archive at `path` for `total` images with `labels`, if any.
    pub fn create(path: &Path, labels: &LabelSettings, total: usize) -> Result<Self> {
        let table = PartFile::create(&path.with_added_extension("labels"))?;
        let mut archive = Self {
            zip: Zip::new(PartFile::create(path)?),
            path: path.into(),
            table: csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(table),
            labels: labels.clone(),
            total,
        };
        let columns = match labels.kind {
            LabelKind::Classes => vec!["class"],
            LabelKind::Attributes => labels.names.iter().map(String::as_str).collect(),
        };
        write_line(&mut archive.table, path, "file", &columns)?;
        Ok(archive)
    }

    /// Adds images, the first of them number `first`, with a label row for each where there are labels.
    pub fn add(&mut self, images: &Images, rows: &[Vec<f32>], first: usize) -> Result<()> {
        let encoded = (0..images.len()).into_par_iter().filter_map(|index| images.picture(index));
        let encoded: Vec<Vec<u8>> = encoded.map(|picture| png::encode(&picture)).collect::<Result<_>>()?;
        for (index, bytes) in encoded.iter().enumerate() {
            let number = first + index;
            let name = match rows.get(index) {
                Some(row) if self.labels.kind == LabelKind::Classes => {
                    format!("{}/{number:06}.png", folder(class(&self.labels, row)))
                }
                _ => format!("{number:06}.png"),
            };
            if let Some(row) = rows.get(index) {
                write_line(&mut self.table, &self.path, &name, &cells(&self.labels, row))?;
            }
            self.zip.add(&name, bytes.as_slice()).map_err(Error::io("write", &self.path))?;
        }
        let left = self.total.saturating_sub(first + images.len());
        if first > 0 || left == 0 {
            return Ok(());
        }
        // The first images are about as large as the others.
        let bytes: usize = encoded.iter().map(|bytes| bytes.len() + MEMBER_BYTES).sum();
        require_room(&self.path, (bytes / images.len().max(1)) as u64 * left as u64)
    }

    /// Puts the archive in its place.
    pub fn finish(mut self) -> Result<()> {
        let write = || Error::io("write", &self.path);
        if !self.labels.names.is_empty() {
            let mut table = self.table.into_inner().map_err(|error| write()(error.into_error()))?;
            table.rewind().map_err(write())?;
            self.zip.add(TABLE, table.file()).map_err(write())?;
        }
        self.zip.finish().map_err(write())?.commit()
    }
}

/// Adds a line to the table of the archive at `path`.
fn write_line(table: &mut csv::Writer<PartFile>, path: &Path, file: &str, cells: &[&str]) -> Result<()> {
    let line = [file].into_iter().chain(cells.iter().copied());
    table.write_record(line).map_err(|error| Error::io("write", path)(error.into()))
}

/// `.npy` files of labels beside those of images.
pub struct LabelArray {
    writer: NpyWriter,
    numbers: bool,
}

impl LabelArray {
    /// Begins `NAME.labels.npy` beside `path`: class numbers `[n]`, or rows of 0 and 1 `[n, labels]`. Nothing for images
    /// without labels.
    pub fn create(path: &Path, labels: &LabelSettings, n: usize) -> Result<Option<(PathBuf, Self)>> {
        let width = labels.names.len();
        if width == 0 {
            return Ok(None);
        }
        let numbers = labels.kind == LabelKind::Classes && width <= 256;
        let place = path.with_extension("labels.npy");
        let shape = if numbers { vec![n] } else { vec![n, width] };
        let writer = NpyWriter::create(&place, &shape)?;
        Ok(Some((place, Self { writer, numbers })))
    }

    /// Adds label rows.
    pub fn add(&mut self, rows: &[Vec<f32>]) -> Result<()> {
        let number = |row: &Vec<f32>| vec![row.iter().position(|v| *v > 0.0).unwrap_or(0) as u8];
        let whole = |row: &Vec<f32>| row.iter().map(|v| u8::from(*v > 0.0)).collect();
        let values: Vec<Vec<u8>> =
            rows.iter().map(if self.numbers { &number as &dyn Fn(_) -> _ } else { &whole }).collect();
        self.writer.write(&values.concat())
    }

    /// The complete file, which gets its name with that of the images.
    pub fn complete(self) -> Result<PartFile> {
        self.writer.complete()
    }
}
