//! `faussaire data`: the data sets there are, fetching them, checking them, looking at them.

use std::path::{Path, PathBuf};

use faussaire::data::{self, Dataset, OpenOptions, Progress};
use faussaire::render::{Images, png, sheet};
use faussaire::{Error, Result};

use super::bars::Bars;
use crate::arguments::{Data, DataAction};
use crate::report::{count, say};

/// Images on a preview's rows, and columns of a set without classes.
const COLUMNS: usize = 10;

pub fn run(options: &Data) -> Result<()> {
    let open = OpenOptions { data_dir: options.data.clone(), ..OpenOptions::default() };
    match &options.action {
        DataAction::List => list(&open),
        DataAction::Fetch { dataset } => fetch(dataset, &open),
        DataAction::Check { dataset, size } => {
            let open = OpenOptions { size: size.map(|s| (s, s)), ..open };
            check(dataset, &open)
        }
        DataAction::Preview { dataset, output, size } => {
            let open = OpenOptions { size: size.map(|s| (s, s)), ..open };
            preview(dataset, &open, output)
        }
    }
}

/// Opens a data set, with a bar on stderr where it has to be fetched first.
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
        let images = row.images.map_or("any number".into(), |n| count(n as u64));
        say!("{:<width$}  {:>10} of {}  {}", row.name, images, row.shape, row.about);
        say!("{:<width$}  {}", "", row.place);
    }
    say!(
        "\nor a path: {}",
        data::Format::ALL
            .iter()
            .filter(|f| **f != data::Format::Strokes)
            .map(|f| f.about())
            .collect::<Vec<_>>()
            .join("; ")
    );
    Ok(())
}

fn fetch(name: &str, options: &OpenOptions) -> Result<()> {
    let files: Vec<PathBuf> = with_bar(false, |progress| data::fetch(name, options, progress))?;
    if files.is_empty() {
        say!("{name} is built in: there is nothing to fetch");
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
        say!("{name}: every image can be used");
        return Ok(());
    }
    Err(Error::data(
        format!("{name}: {} files can't be used", count(bad.len() as u64)),
        "remove or replace the files listed above; where only their sizes differ, give --size N here and to `train`",
    ))
}

/// One row per class, or a plain grid; the first images found.
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
    say!("{}: {} images of {}", set.name(), count(set.len() as u64), set.shape());
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
