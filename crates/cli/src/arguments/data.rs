//! What `faussaire data` can be told.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `faussaire data`
#[derive(Args, Debug)]
pub struct Data {
    /// What to do.
    #[command(subcommand)]
    pub action: DataAction,
    /// Folder of data sets, looked into before $FAUSSAIRE_DATA and the cache
    #[arg(long, value_name = "DIR", global = true)]
    pub data: Option<PathBuf>,
}

/// What to do with data sets.
#[derive(Debug, Subcommand)]
pub enum DataAction {
    /// The data sets known by name, and where they are
    List,
    /// Bring a named data set into the cache
    Fetch {
        /// Its name
        dataset: String,
    },
    /// Read every image and list those that can't be used
    Check {
        /// A name or path
        dataset: String,
        /// Accept images of any size, as `train --size N` does
        #[arg(long, value_name = "N")]
        size: Option<usize>,
    },
    /// Write a sheet of a data set's images
    Preview {
        /// A name or path
        dataset: String,
        /// The PNG file to write
        #[arg(short, long, value_name = "FILE", default_value = "preview.png")]
        output: PathBuf,
        /// Bring images to N x N pixels, after a centre crop
        #[arg(long, value_name = "N")]
        size: Option<usize>,
    },
}
