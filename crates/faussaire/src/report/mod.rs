//! Pages about runs that need no server, no script and no other file. `report.html`: what a run was, how it went, what it
//! draws, what the doctor said, and how to repeat it. The page of neighbours: generated images beside the training images
//! that they are nearest to.

mod curves;
mod figures;
mod montage;
mod neighbours;
mod page;
mod penalised;
mod record;
mod sheets;

use std::path::PathBuf;

pub use figures::{Figures, figures};
pub use neighbours::neighbours;
pub use page::page;
pub use record::Record;

use crate::data::write_file;
use crate::error::Result;
use crate::run::Run;

/// Writes the report of `run` into its folder, and says where.
///
/// # Errors
/// A recipe or a log that was damaged, or a folder that can't be written to.
pub fn write(run: &Run) -> Result<PathBuf> {
    let path = run.path().join("report.html");
    let html = page(run)?;
    write_file(&path, html.as_bytes())?;
    Ok(path)
}
