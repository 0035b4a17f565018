//! `faussaire sample`: images from a trained run, as a grid, an animation, an array, an archive or a folder.

mod classes;

use clap::Args;
use std::path::{Path, PathBuf};

use faussaire::data::npy::NpyWriter;
use faussaire::data::{commit_together, require_room};
use faussaire::recipe::PrecisionChoice;
use faussaire::render::{Images, gif, png, sheet};
use faussaire::run::{Run, Sampler};
use faussaire::{Error, Result, Share};

use classes::{Asked, Rows};

use super::labelled::{Archive, LabelArray};
use crate::numbers::{LARGEST, for_library, whole};
use crate::print::{note, tell};
use crate::report::{self, count};

/// Images are generated and written in parts of this size, which bounds the memory.
const PART: usize = 1024;
/// Number of latents that an interpolation passes through, and its default number of frames.
const ENDS: usize = 8;
const FRAMES: usize = 96;
/// Bytes of which the room for a file is a multiple, on most disks.
const BLOCK: u64 = 4096;
/// Images of a class, where several classes are asked for and no number.
const PER_CLASS: usize = 10;
/// Milliseconds per frame.
const DELAY: u32 = 60;

/// What to write, by the output's name.
enum Output<'a> {
    Png(&'a Path),
    Gif(&'a Path),
    Npy(&'a Path),
    Zip(&'a Path),
    Folder(&'a Path),
}

/// `faussaire sample`
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Sample {
    /// Run folder
    pub run: PathBuf,
    /// Output: FILE.png (a grid), FILE.gif (an interpolation), FILE.npy (uint8; labels in FILE.labels.npy), FILE.zip (PNG files,
    /// a folder per class, labels.csv), or a folder of PNG files
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,

    /// Number of images, or of frames [default: 64; .gif: 96]
    #[arg(short, value_name = "N", value_parser = for_library::<usize>(1, LARGEST), help_heading = WHAT)]
    pub n: Option<usize>,
    /// Class to generate, several such as 0,1 or all of them (`all`), or attributes such as Smiling,Eyeglasses (conditional runs)
    #[arg(long, value_name = "LABELS", help_heading = WHAT)]
    pub class: Option<String>,
    /// One row per class in a .png grid, the same latent in each column (conditional runs)
    #[arg(long, value_enum, value_name = "classes", help_heading = WHAT)]
    pub rows: Option<Rows>,
    /// Rows and columns of a .png grid, such as 8x10
    #[arg(long, value_name = "RxC", allow_hyphen_values = true, value_parser = grid, help_heading = WHAT)]
    pub grid: Option<(usize, usize)>,
    /// Random seed of the latents
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole::<u64>(0, u64::MAX), help_heading = WHAT)]
    pub seed: u64,
    /// Interpolate between latents; a .gif always does
    #[arg(long, help_heading = WHAT)]
    pub interpolate: bool,
    /// Checkpoint: latest, best, or one kept by train.keep_every, such as epoch-0010
    #[arg(long, value_name = "NAME", default_value = "latest", help_heading = WHAT)]
    pub checkpoint: String,

    /// Number format of matrix products: f32 draws the same images on every machine; bf16 is faster where the CPU
    /// multiplies it, and auto picks it there
    #[arg(long, value_name = "PRECISION", value_parser = ["auto", "f32", "bf16"], default_value = "f32", help_heading = MACHINE)]
    pub precision: String,
    /// CPU threads [default: all]
    #[arg(long, value_name = "N", value_parser = for_library::<usize>(1, 1024), help_heading = MACHINE)]
    pub threads: Option<usize>,
    /// Make share K of N of the images, counted from 0, such as 3/8, as a task of a cluster: into the same folder as the others,
    /// or a .npy file each
    #[arg(long, value_name = "K/N", value_parser = crate::share::parse, help_heading = MACHINE)]
    pub share: Option<Share>,
}

const WHAT: &str = "What to generate";
const MACHINE: &str = "Machine";

const EXAMPLES: &str = "\
Examples:
  faussaire sample runs/0001-strokes-digits --grid 8x8 -o digits.png
  faussaire sample runs/0002-mnist-cgan-mnist --class 7 -n 1000 -o sevens.zip
  faussaire sample runs/0002-mnist-cgan-mnist --rows classes -o classes.png
  faussaire sample runs/0001-strokes-digits -o walk.gif";

pub fn run(options: &Sample) -> Result<()> {
    super::limit_threads(options.threads)?;
    // On a thread of the pool: from outside, every kernel's call would have to be handed over to it.
    faussaire::device::on_pool(|| sampled(options))
}

fn sampled(options: &Sample) -> Result<()> {
    let output = output(options)?;
    let run = Run::open(&options.run)?;
    let precision = match options.precision.as_str() {
        "bf16" => PrecisionChoice::Bf16,
        "auto" => PrecisionChoice::Auto,
        _ => PrecisionChoice::F32,
    };
    let sampler = Sampler::open(&run, &options.checkpoint, &super::device("cpu")?)?.rounded(precision)?;
    if sampler.shape().height == 1 {
        return Err(Error::usage(
            format!("{} generates points, not images", options.run.display()),
            "its sheets under samples/ and `faussaire studio` show them",
        ));
    }
    let grid = options.grid;
    let asked = options.n.or(grid.map(|(r, c)| r * c));
    if asked == Some(0) {
        return Err(Error::usage("-n 0: expected at least one image", "leave -n out for the default"));
    }
    if options.share.is_some() && !matches!(output, Output::Folder(_) | Output::Npy(_)) {
        return Err(Error::usage(
            "--share makes some of the images: they go to a folder of PNG files, or a .npy file for each share",
            "name a folder, the same for all shares, or such as -o images-3.npy",
        ));
    }
    let classes = Asked::of(&sampler, options.class.as_deref(), options.rows)?;
    let usual = classes.groups().map_or(64, |classes| classes * PER_CLASS);
    let source = &Source { sampler: &sampler, options, classes };
    let others = match &output {
        Output::Folder(path) => png::written(path)?,
        _ => Vec::new(),
    };
    let made = match output {
        Output::Gif(path) => write_gif(source, asked.unwrap_or(FRAMES), path)?,
        Output::Png(path) => write_grid(source, asked.unwrap_or(usual), path)?,
        Output::Npy(path) => write_npy(source, asked.unwrap_or(usual), path)?,
        Output::Zip(path) => write_zip(source, asked.unwrap_or(usual), path)?,
        Output::Folder(path) => write_folder(source, asked.unwrap_or(usual), path)?,
    };
    tell!(
        "{}: {} from step {}",
        options.output.display(),
        report::images(made as u64, sampler.shape()),
        count(sampler.step)
    );
    let others = others.iter().filter(|number| options.share.is_none() && **number >= made).count();
    if others > 0 {
        note!(
            "{}: {} of an earlier command lie beside them",
            options.output.display(),
            report::counted(others, "image")
        );
    }
    Ok(())
}

fn output(options: &Sample) -> Result<Output<'_>> {
    let path = options.output.as_path();
    if path.as_os_str() == "-" {
        return Err(Error::usage("-o -: images are not written to stdout", "name a file, or ./- for a folder"));
    }
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    let output = match extension.as_deref() {
        Some("png") => Output::Png(path),
        Some("gif") => Output::Gif(path),
        Some("npy") => Output::Npy(path),
        Some("zip") => Output::Zip(path),
        None => Output::Folder(path),
        Some(other) => {
            let near = faussaire::data::did_you_mean(other, ["png", "gif", "npy", "zip"]);
            return Err(Error::usage(
                format!("-o {}: .{other} files are not supported; {near}", path.display()).trim_end_matches("; "),
                "name a .png (grid), .gif (interpolation), .npy or .zip file, or a folder",
            ));
        }
    };
    for (given, flag) in [(options.grid.is_some(), "--grid"), (options.rows.is_some(), "--rows")] {
        if given && !matches!(output, Output::Png(_)) {
            return Err(Error::usage(format!("{flag} goes with a .png file"), "use -n for the number of images"));
        }
    }
    if let (Some((rows, columns)), Some(n)) = (options.grid, options.n)
        && n > rows * columns
    {
        return Err(Error::usage(
            format!("-n {n} images don't fit into a {rows}x{columns} grid"),
            "leave -n out, or choose a larger grid",
        ));
    }
    Ok(output)
}

fn animated(options: &Sample) -> bool {
    options.interpolate || matches!(output(options), Ok(Output::Gif(_)))
}

/// What the images are made of.
struct Source<'a> {
    sampler: &'a Sampler,
    options: &'a Sample,
    classes: Asked,
}

impl Source<'_> {
    /// Noise for images `first` to `first + n`, of `total`: `[n, latent]`.
    fn noise(&self, first: usize, n: usize, total: usize) -> Vec<f32> {
        let (sampler, seed) = (self.sampler, self.options.seed);
        if !animated(self.options) {
            return sampler.noise(seed, first as u64, n);
        }
        let ends = sampler.noise(seed, 0, ENDS.min(total.max(1)));
        sampler.walk(&ends, total, first..first + n)
    }

    /// Label rows for images `first` to `first + n`, of `total`: `[n, labels]`.
    fn labels(&self, first: usize, n: usize, total: usize) -> Vec<f32> {
        let (sampler, seed) = (self.sampler, self.options.seed);
        match &self.classes {
            Asked::One(row) => row.repeat(n),
            Asked::Each(rows) => {
                (first..first + n).flat_map(|at| rows[self.classes.group(at, total)].clone()).collect()
            }
            // An animation keeps to what its first image shows.
            Asked::Drawn if animated(self.options) => sampler.sample_labels(seed, 0, 1).repeat(n),
            Asked::Drawn => sampler.sample_labels(seed, first as u64, n),
        }
    }

    /// The same, one by one; none for a generator that takes no labels.
    fn label_rows(&self, first: usize, n: usize, total: usize) -> Vec<Vec<f32>> {
        let width = self.sampler.labels().names.len().max(1);
        self.labels(first, n, total).chunks(width).map(<[f32]>::to_vec).collect()
    }

    fn images(&self, first: usize, n: usize, total: usize) -> Result<Images> {
        self.drawn(&self.noise(first, n, total), &self.labels(first, n, total))
    }

    fn drawn(&self, z: &[f32], labels: &[f32]) -> Result<Images> {
        let values = self.sampler.values(z, Some(labels))?;
        Images::from_values(&values, self.sampler.shape(), self.sampler.bounds())
    }

    /// Calls `write` with the images in parts, in order.
    fn in_parts(&self, n: usize, mut write: impl FnMut(usize, Images) -> Result<()>) -> Result<usize> {
        let own = self.own(n);
        for first in own.clone().step_by(PART) {
            write(first, self.images(first, PART.min(own.end - first), n)?)?;
        }
        Ok(own.len())
    }

    /// The numbers of the images to be made, of `n`.
    fn own(&self, n: usize) -> std::ops::Range<usize> {
        self.options.share.unwrap_or(Share::ALL).part(n)
    }
}

fn write_grid(source: &Source, n: usize, path: &Path) -> Result<usize> {
    if n > 100_000 {
        return Err(Error::usage(
            format!("a grid of {n} images: expected at most 100000"),
            "write a .npy file or a folder instead",
        ));
    }
    if let Some(classes) = source.classes.groups() {
        return write_classes(source, classes, n, path);
    }
    let (rows, columns) = source.options.grid.unwrap_or_else(|| {
        let columns = (n as f64).sqrt().ceil() as usize;
        (n.div_ceil(columns), columns)
    });
    let images = source.images(0, n, n)?;
    png::write(path, &sheet::sheet(&images, rows, columns, &sheet::Options::default())?)?;
    Ok(n)
}

/// A grid with a row per class and a latent per column, as many columns as `n` images fill.
fn write_classes(source: &Source, classes: usize, n: usize, path: &Path) -> Result<usize> {
    if let Some((rows, columns)) = source.options.grid.filter(|(rows, _)| *rows != classes) {
        return Err(Error::usage(
            format!("--grid {rows}x{columns}: expected a row for each of {classes} classes"),
            format!("give --grid {classes}x{columns}, or leave it out"),
        ));
    }
    let columns = n.div_ceil(classes);
    let total = classes * columns;
    let z = source.noise(0, columns, columns).repeat(classes);
    let images = source.drawn(&z, &source.labels(0, total, total))?;
    png::write(path, &sheet::sheet(&images, classes, columns, &sheet::Options::default())?)?;
    Ok(total)
}

fn write_gif(source: &Source, n: usize, path: &Path) -> Result<usize> {
    if n > 10_000 {
        return Err(Error::usage(format!("-n {n}: an animation holds at most 10000 frames"), "choose fewer"));
    }
    gif::write(path, &source.images(0, n, n)?, DELAY)?;
    Ok(n)
}

fn write_npy(source: &Source, n: usize, path: &Path) -> Result<usize> {
    let shape = source.sampler.shape();
    let own = source.own(n).len();
    let mut dims = vec![own, shape.height, shape.width];
    if shape.channels != 1 {
        dims.push(shape.channels);
    }
    let mut writer = NpyWriter::create(path, &dims)?;
    let mut beside = LabelArray::create(path, source.sampler.labels(), own)?;
    let made = source.in_parts(n, |first, images| {
        if let Some((_, array)) = &mut beside {
            array.add(&source.label_rows(first, images.len(), n))?;
        }
        writer.write(&images.bytes)
    })?;
    match beside {
        Some((place, array)) => {
            commit_together(vec![writer.complete()?, array.complete()?])?;
            tell!("{}: their labels", place.display());
        }
        None => writer.finish()?,
    }
    Ok(made)
}

fn write_zip(source: &Source, n: usize, path: &Path) -> Result<usize> {
    let mut archive = Archive::create(path, source.sampler.labels(), n)?;
    let made =
        source.in_parts(n, |first, images| archive.add(&images, &source.label_rows(first, images.len(), n), first))?;
    archive.finish()?;
    Ok(made)
}

fn write_folder(source: &Source, n: usize, path: &Path) -> Result<usize> {
    let own = source.own(n);
    source.in_parts(n, |first, images| {
        png::write_folder(path, &images, first)?;
        let (count, left) = (images.len(), own.end - first - images.len());
        if first > own.start || left == 0 {
            return Ok(());
        }
        // The sizes of the first are those of the others, more or less; a file takes whole blocks.
        let size =
            |number: usize| std::fs::metadata(path.join(format!("{number:06}.png"))).map_or(0, |about| about.len());
        let bytes: u64 = (first..first + count).map(|number| size(number).next_multiple_of(BLOCK)).sum();
        require_room(&path.join("images"), bytes / count as u64 * left as u64)
    })
}

/// `8x10`
fn grid(text: &str) -> std::result::Result<(usize, usize), String> {
    let parsed = text.split_once('x').and_then(|(r, c)| Some((r.parse().ok()?, c.parse().ok()?)));
    match parsed {
        Some((rows, columns)) if (1..=1000).contains(&rows) && (1..=1000).contains(&columns) => Ok((rows, columns)),
        _ => Err("expected rows x columns such as 8x10, at most 1000 each".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids() {
        assert_eq!(grid("8x10"), Ok((8, 10)));
        assert!(grid("0x3").is_err() && grid("8").is_err() && grid("8x99999999").is_err());
    }
}
