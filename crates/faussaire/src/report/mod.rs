//! `report.html`: a run on one page that needs no server, no script and no other file: what it was, how it went, what it
//! draws, what the doctor said, and how to repeat it.

pub mod copies;
mod page;
mod record;

use std::path::PathBuf;

pub use page::page;
pub use record::Record;

use crate::data::PartFile;
use crate::error::Result;
use crate::run::Run;

/// Writes the report of `run` into its folder, and says where.
///
/// # Errors
/// A recipe or a log that was damaged, or a folder that can't be written to.
pub fn write(run: &Run) -> Result<PathBuf> {
    let path = run.path().join("report.html");
    let html = page(run)?;
    let mut file = PartFile::create(&path)?;
    file.write(html.as_bytes())?;
    file.commit()?;
    Ok(path)
}
