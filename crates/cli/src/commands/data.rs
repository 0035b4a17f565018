//! `faussaire data`: lists, downloads, checks and previews data sets.

use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

use faussaire::data::{self, Dataset, OpenOptions, Progress};
use faussaire::recipe::ImageSize;
use faussaire::render::{Images, png, sheet};
use faussaire::{Error, Result};

use super::bars::Bars;
use crate::report::{self, say};

/// Images on a preview's rows, and columns of a set without classes.
const COLUMNS: usize = 10;

/// `faussaire data`
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Data {
    /// What to do.
    #[command(subcommand)]
    pub action: DataAction,
    /// Folder of data sets, searched before $FAUSSAIRE_DATA and the cache
    #[arg(long, value_name = "DIR", global = true)]
    pub data: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  faussaire data list
  faussaire data fetch mnist
  faussaire data check photos/ --size 64
  faussaire data preview quickdraw:sheep -o sheep.png";

/// What to do with data sets.
#[derive(Debug, Subcommand)]
pub enum DataAction {
    /// List the data sets known by name and where they are
    List,
    /// Download a named data set to the cache
    Fetch {
        /// Name, as `faussaire data list` shows it
        dataset: String,
    },
    /// Read every image and list the files that cannot be used
    Check {
        /// Name or path
        dataset: String,
        /// Accept images of any size, as `train --size SIZE` does
        #[arg(long, value_name = "SIZE", value_parser = crate::flags::size)]
        size: Option<ImageSize>,
    },
    /// Write a sheet of a data set's images, a row per class
    Preview {
        /// Name or path
        dataset: String,
        /// PNG file to write
        #[arg(short, long, value_name = "FILE", default_value = "preview.png")]
        output: PathBuf,
        /// Resize images to N x N pixels, or to HEIGHTxWIDTH such as 48x64, after a centre crop
        #[arg(long, value_name = "SIZE", value_parser = crate::flags::size)]
        size: Option<ImageSize>,
    },
}

pub fn run(options: &Data) -> Result<()> {
    let open = OpenOptions::default().data_dir(options.data.clone());
    match &options.action {
        DataAction::List => list(&open),
        DataAction::Fetch { dataset } => fetch(dataset, &open),
        DataAction::Check { dataset, size } => {
            let open = open.size(size.and_then(ImageSize::sides));
            check(dataset, &open)
        }
        DataAction::Preview { dataset, output, size } => {
            let open = open.size(size.and_then(ImageSize::sides));
            preview(dataset, &open, output)
        }
    }
}

/// Opens a data set, with a progress bar on stderr while it is downloaded.
fn open_dataset(name: &str, options: &OpenOptions, quiet: bool) -> Result<Box<dyn Dataset>> {
    with_bar(quiet, |progress| data::open(name, options, progress))
}

fn with_bar<T>(quiet: bool, work: impl FnOnce(&mut dyn FnMut(Progress)) -> Result<T>) -> Result<T> {
    let mut bars = Bars::new(quiet);
    work(&mut |progress| bars.fetching(progress))
}

fn list(options: &OpenOptions) -> Result<()> {
    let rows = data::list(options)?;
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    for row in rows {
        let size = row.images.map_or_else(|| report::any_images(row.shape), |n| report::images(n as u64, row.shape));
        say!("{:<width$}  {}", row.name, row.about);
        say!("{:<width$}  {size}; {}", "", row.location);
    }
    say!("\nOr a path to:");
    for format in data::Format::ALL.into_iter().filter(|format| *format != data::Format::Strokes) {
        say!("  {}", format.about());
    }
    Ok(())
}

fn fetch(name: &str, options: &OpenOptions) -> Result<()> {
    let files: Vec<PathBuf> = with_bar(false, |progress| data::fetch(name, options, progress))?;
    if files.is_empty() {
        say!("{name} is built in and needs no download");
    }
    for file in &files {
        say!("{}", file.display());
    }
    Ok(())
}

fn check(name: &str, options: &OpenOptions) -> Result<()> {
    let bad = with_bar(false, |progress| data::check(name, options, progress))?;
    for file in &bad {
        say!("{}: {}", file.path.display(), file.reason);
    }
    if bad.is_empty() {
        say!("{name}: no bad files");
        return Ok(());
    }
    Err(Error::data(
        format!("{name}: {} cannot be used", report::counted(bad.len() as u64, "file")),
        "remove or replace the files listed above; if only their sizes differ, pass --size N here and to `train`",
    ))
}

/// Writes a sheet of the first images: a row per class, or a plain grid.
fn preview(name: &str, options: &OpenOptions, output: &Path) -> Result<()> {
    if output.extension().is_none_or(|e| !e.eq_ignore_ascii_case("png")) {
        return Err(Error::usage(format!("-o {}: a preview is a PNG file", output.display()), "name it FILE.png"));
    }
    let set = open_dataset(name, options, false)?;
    let classes = set.classes();
    let rows = if classes.is_empty() { COLUMNS } else { classes.len().min(100) };
    let picked = pick(set.as_ref(), rows, !classes.is_empty());
    let mut values = Vec::new();
    data::fill(set.as_ref(), &picked, &mut values)?;
    let images = Images::from_values(&values, set.shape(), (0.0, 1.0))?;
    png::write(output, &sheet::sheet(&images, picked.len().div_ceil(COLUMNS), COLUMNS, &sheet::Options::default())?)?;
    say!("{}: {}", set.name(), report::images(set.len() as u64, set.shape()));
    if !classes.is_empty() {
        say!("rows: {}", classes.iter().take(rows).map(String::as_str).collect::<Vec<_>>().join(", "));
    }
    say!("{}", output.display());
    Ok(())
}

fn pick(set: &dyn Dataset, rows: usize, by_class: bool) -> Vec<usize> {
    if !by_class {
        return (0..set.len().min(rows * COLUMNS)).collect();
    }
    let of_class = |class: u32| (0..set.len()).filter(move |i| set.label(*i) == Some(class)).take(COLUMNS);
    (0..rows as u32).flat_map(of_class).collect()
}
