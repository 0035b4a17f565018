//! Reads the image and label columns of one parquet file, row group by row group.

use std::fs::File;
use std::path::Path;

use parquet::basic::Compression;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::Table;
use super::columns::choose;

/// Size limit of the encoded images in memory (1 GiB).
const MAX_KEPT_BYTES: u64 = 1 << 30;

/// Rows per read.
const ROWS: usize = 256;

/// Appends a file's rows to `table`.
///
/// # Errors
/// A description of what is wrong.
pub fn read(path: &Path, table: &mut Table) -> Result<(), String> {
    let file = File::open(path).map_err(plain)?;
    let reader = SerializedFileReader::new(file).map_err(plain)?;
    let columns = choose(reader.metadata().file_metadata())?;
    let level = |column: usize| reader.metadata().file_metadata().schema_descr().column(column).max_def_level();
    for group in reader.metadata().row_groups() {
        for column in [Some(columns.image), columns.label].into_iter().flatten() {
            unpackable(group.column(column).compression())?;
        }
        let bytes = u64::try_from(group.column(columns.image).compressed_size()).unwrap_or(u64::MAX);
        if bytes.saturating_add(table.images.len() as u64) > MAX_KEPT_BYTES {
            return Err(too_much());
        }
    }
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).map_err(plain)?;
        images(group.get_column_reader(columns.image).map_err(plain)?, level(columns.image), table)?;
        if let Some(label) = columns.label {
            labels(group.get_column_reader(label).map_err(plain)?, level(label), table)?;
        }
    }
    if table.names.is_empty() {
        table.names = columns.names;
    }
    Ok(())
}

/// Refuses compressions whose code would need a C compiler, or that are rare.
pub(super) fn unpackable(compression: Compression) -> Result<(), String> {
    use Compression::{GZIP, LZ4, LZ4_RAW, SNAPPY, UNCOMPRESSED};
    match compression {
        UNCOMPRESSED | SNAPPY | GZIP(_) | LZ4 | LZ4_RAW => Ok(()),
        other => {
            let name = format!("{other:?}");
            Err(format!("its columns are packed with {}", name.split('(').next().unwrap_or_default()))
        }
    }
}

fn images(column: ColumnReader, present: i16, table: &mut Table) -> Result<(), String> {
    let ColumnReader::ByteArrayColumnReader(column) = column else {
        return Err("the column of images holds something else".to_owned());
    };
    each(column, present, |image| match image {
        Some(image) if !image.data().is_empty() => table.push(image.data()),
        _ => Err(format!("row {} has no image in it (only a path, perhaps)", table.ends.len())),
    })
}

/// Labels of the rows whose images were read.
fn labels(column: ColumnReader, present: i16, table: &mut Table) -> Result<(), String> {
    let mut push = |label: Option<i64>| {
        table.labels.push(label);
        Ok(())
    };
    match column {
        ColumnReader::Int32ColumnReader(column) => each(column, present, |label| push(label.copied().map(i64::from)))?,
        ColumnReader::Int64ColumnReader(column) => each(column, present, |label| push(label.copied()))?,
        _ => return Err("the column of labels holds something else".to_owned()),
    }
    if table.labels.len() == table.ends.len() {
        return Ok(());
    }
    Err(format!("{} images but {} labels", table.ends.len(), table.labels.len()))
}

impl Table {
    /// Adds a row's image.
    fn push(&mut self, image: &[u8]) -> Result<(), String> {
        if (self.images.len() + image.len()) as u64 > MAX_KEPT_BYTES {
            return Err(too_much());
        }
        self.images.extend_from_slice(image);
        self.ends.push(self.images.len());
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
