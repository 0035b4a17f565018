//! `faussaire data`: lists, downloads, checks and previews data sets.

use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

use faussaire::data::{self, Dataset, OpenOptions, Progress, Split};
use faussaire::recipe::ImageSize;
use faussaire::render::{Images, png, sheet};
use faussaire::{Error, Result};

use super::bars::Bars;
use crate::print::say;
use crate::report;

/// Images on a preview's rows, and columns of a set without classes.
const COLUMNS: usize = 10;

/// Rows of a preview.
const MAX_ROWS: usize = 100;

/// The grey of empty places on a preview.
const EMPTY: f32 = 0.25;

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
    if let DataAction::Check { dataset, .. } | DataAction::Preview { dataset, .. } = &options.action {
        super::mention_namesake(dataset);
    }
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
    // With many bad files the set can't be opened, which the list above explains.
    match open_dataset(name, options, false) {
        Ok(set) => {
            describe(set.as_ref())?;
            repeated(name, options, set.as_ref())?;
        }
        Err(error) if bad.is_empty() => return Err(error),
        Err(_) => {}
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

/// Says which images are there more than once, of sets that are somebody's own.
fn repeated(name: &str, options: &OpenOptions, set: &dyn Dataset) -> Result<()> {
    if data::is_name(name) || options.split != Split::Train {
        return Ok(());
    }
    let held_back = open_dataset(name, &options.clone().split(Split::Test), true).ok();
    let [within, shared] = data::repeats(set, held_back.as_deref())?;
    if let Some((image, other)) = within.example {
        let images = report::counted(within.images as u64, "image");
        say!("{images} there more than once ({image} is {other})");
    }
    if let Some((image, other)) = shared.example {
        let images = report::counted(shared.images as u64, "image");
        say!(
            "{images} held back and learned from as well ({image} is {other}): scores on them show less than they seem to"
        );
    }
    Ok(())
}

/// Prints what a set has and how it is read.
fn describe(set: &dyn Dataset) -> Result<()> {
    let (classes, attributes) = (set.classes().len(), set.attributes().len());
    let labels = match (classes, attributes) {
        (0, 0) => String::new(),
        (1, _) => ", 1 class".to_owned(),
        (0, _) => format!(", {}", report::counted(attributes as u64, "attribute")),
        _ => format!(", {classes} classes"),
    };
    say!("{}: {}{labels}", set.name(), report::images(set.len() as u64, set.shape()));
    for note in set.notes() {
        say!("{note}");
    }
    for unused in &set.info().unused_labels {
        say!("labels not used: {unused}");
    }
    Ok(())
}

/// Writes a sheet of the first images: a row per class, or a plain grid.
fn preview(name: &str, options: &OpenOptions, output: &Path) -> Result<()> {
    if output.extension().is_none_or(|e| !e.eq_ignore_ascii_case("png")) {
        return Err(Error::usage(format!("-o {}: a preview is a PNG file", output.display()), "name it FILE.png"));
    }
    let set = open_dataset(name, options, false)?;
    let classes = set.classes();
    let rows = pick(set.as_ref(), classes.len());
    let columns = rows.iter().map(|(_, row)| row.len()).max().unwrap_or(0);
    let (mut values, mut row_values) = (Vec::new(), Vec::new());
    for (_, row) in &rows {
        data::fill(set.as_ref(), row, &mut row_values)?;
        // Classes with few images leave places empty.
        row_values.resize(columns * set.shape().len(), EMPTY);
        values.append(&mut row_values);
    }
    let images = Images::from_values(&values, set.shape(), (0.0, 1.0))?;
    png::write(output, &sheet::sheet(&images, rows.len(), columns, &sheet::Options::default())?)?;
    describe(set.as_ref())?;
    if !classes.is_empty() {
        let shown = rows.iter().map(|(class, _)| classes[*class].as_str()).collect::<Vec<_>>().join(", ");
        say!("rows: {shown}");
    }
    say!("{}", output.display());
    Ok(())
}

/// The images of each row: up to ten of each class that has any, or the first ones if there are no classes.
fn pick(set: &dyn Dataset, classes: usize) -> Vec<(usize, Vec<usize>)> {
    if classes == 0 {
        let first: Vec<usize> = (0..set.len().min(COLUMNS * COLUMNS)).collect();
        return first.chunks(COLUMNS).map(|row| (0, row.to_vec())).collect();
    }
    let mut rows = vec![Vec::new(); classes];
    for index in 0..set.len() {
        if let Some(row) =
            set.label(index).and_then(|label| rows.get_mut(label as usize)).filter(|row| row.len() < COLUMNS)
        {
            row.push(index);
        }
    }
    rows.into_iter().enumerate().filter(|(_, row)| !row.is_empty()).take(MAX_ROWS).collect()
}
