//! One file per subcommand, and what several of them share.

mod bars;
pub mod compare;
pub mod completions;
pub mod data;
pub mod doctor;
pub mod export;
mod findings;
pub mod judge;
mod labelled;
pub mod man;
pub mod presets;
mod progress;
pub mod report;
pub mod sample;
pub mod serve;
pub mod studio;
pub mod summary;
mod token;
pub mod train;

use faussaire::{Device, Error, Result};

use crate::print::note;

/// Limits the processor threads of everything that follows.
fn limit_threads(threads: Option<usize>) -> Result<()> {
    let Some(threads) = threads else { return Ok(()) };
    if threads == 0 || threads > 1024 {
        return Err(Error::usage(format!("--threads {threads}: expected 1 to 1024"), "leave it out to use all"));
    }
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .map_err(|e| Error::usage(format!("{threads} threads can't be started: {e}"), "try fewer"))
}

/// Says of a file or folder here that has the name of a data set, which is meant, how to mean it.
fn mention_namesake(dataset: &str) {
    if faussaire::data::is_name(dataset) && std::path::Path::new(dataset).exists() {
        note!("{dataset} is a data set's name; for the files here type .{}{dataset}", std::path::MAIN_SEPARATOR);
    }
}

/// The device called `name`.
fn device(name: &str) -> Result<Device> {
    faussaire::device::named(name)
}
