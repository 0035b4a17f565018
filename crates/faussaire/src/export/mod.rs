//! Nets for other programs: ONNX for runtimes, safetensors with a PyTorch module, a page that draws in a browser. One
//! folder per format.
//!
//! No format looks at a layer itself. A layer says what it computes as a [`crate::net::Op`], `plain.rs` lists these with
//! their shapes and weights, and each format's `match` over the forms is all that it knows of layers. Every file is read
//! back and compared with the nets here before it is kept: `agreement.rs` says how.

mod agreement;
#[cfg(feature = "onnx")]
mod onnx;
mod page;
mod plain;
mod subject;
mod template;
mod torch;

use std::path::{Path, PathBuf};

use crate::data::PartFile;
use crate::error::{Error, Result};
use crate::run::Run;

pub use subject::Subject;
pub(crate) use torch::init;

/// What a net can be written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One net for onnxruntime and other runtimes.
    Onnx,
    /// Weights in PyTorch's layouts, and a Python file with the modules that they belong to.
    Safetensors,
    /// A page with the generator in it.
    Html,
}

/// Which net.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The averaged generator.
    Generator,
    /// The discriminator.
    Discriminator,
}

/// How an ONNX file's images hold their pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pixels {
    /// Numbers in the net's own range.
    #[default]
    Float,
    /// Bytes from 0 to 255.
    Uint8,
}

/// The order of an ONNX file's images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// `[n, height, width, channels]`, as in Keras and everywhere here.
    #[default]
    Nhwc,
    /// `[n, channels, height, width]`, as in PyTorch.
    Nchw,
}

/// What can be chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Options {
    /// Which net; nothing for what the format usually holds: the generator, for safetensors both.
    pub net: Option<Which>,
    /// ONNX: the type of the images' values.
    pub pixels: Pixels,
    /// ONNX: the order of the images' axes.
    pub layout: Layout,
    /// HTML: weights in half precision, for half the size.
    pub half: bool,
}

/// A net as files, read back and compared.
#[derive(Clone, Debug)]
pub struct Export {
    /// The bytes of each file and the ending of its name; the first is what was asked for.
    pub files: Vec<(&'static str, Vec<u8>)>,
    /// How the file was read back.
    pub checked: &'static str,
    /// The largest difference between what it computes and what the nets here do.
    pub difference: f64,
    /// The largest one that is accepted.
    pub tolerance: f64,
}

/// What [`write()`] left on the disk.
#[derive(Clone, Debug)]
pub struct Written {
    /// Each file with its size.
    pub files: Vec<(PathBuf, u64)>,
    /// How it was read back.
    pub checked: &'static str,
    /// The largest difference found.
    pub difference: f64,
    /// The step of the checkpoint.
    pub step: u64,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Onnx, Self::Safetensors, Self::Html];

    /// What it is called on the command line; the ending of its files' names, too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Onnx => "onnx",
            Self::Safetensors => "safetensors",
            Self::Html => "html",
        }
    }

    /// The format called `name`.
    ///
    /// # Errors
    /// An unknown name.
    pub fn named(name: &str) -> Result<Self> {
        let names = || Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| {
            Error::usage(format!("there is no format `{name}`; expected one of {}", names()), "such as --to onnx")
        })
    }
}

/// Makes `subject` into files of `format`, and compares what they compute with what it computes.
///
/// # Errors
/// A choice that means nothing for the format or the nets, or a file that doesn't compute the same.
pub fn make(subject: &Subject, format: Format, options: &Options) -> Result<Export> {
    let given = *options;
    let free = match format {
        Format::Onnx => Options { half: false, ..given },
        Format::Safetensors => Options { net: given.net, ..Options::default() },
        Format::Html => Options { net: None, half: given.half, ..Options::default() },
    };
    if free != given {
        return Err(Error::usage(
            format!("{} has no such choice", format.name()),
            "--pixels and --layout go with onnx, --half with html, --net with onnx and safetensors",
        ));
    }
    subject.check(match format {
        Format::Html => Some(Which::Generator),
        Format::Onnx => Some(options.net.unwrap_or(Which::Generator)),
        Format::Safetensors => options.net,
    })?;
    let export = match format {
        #[cfg(feature = "onnx")]
        Format::Onnx => onnx::export(subject, options)?,
        #[cfg(not(feature = "onnx"))]
        Format::Onnx => {
            return Err(Error::usage(
                "this program was built without ONNX files (the feature `onnx`)",
                "build it with default features, or use --to safetensors or --to html",
            ));
        }
        Format::Safetensors => torch::export(subject, options)?,
        Format::Html => page::export(subject, options)?,
    };
    if export.difference <= export.tolerance {
        return Ok(export);
    }
    Err(Error::run(
        format!(
            "the {} file doesn't compute what the run's net does: read back ({}), its results are off by {:.1e}, accepted \
             are {:.1e}; nothing was written",
            format.name(),
            export.checked,
            export.difference,
            export.tolerance
        ),
        "report this with the run's config.toml; another checkpoint (--checkpoint) may do",
    ))
}

/// Writes a checkpoint of `run` to `path` as `format`, once it has been compared.
///
/// # Errors
/// As [`make`] and [`Subject::open`], or a place that can't be written; nothing is left there then.
pub fn write(run: &Run, checkpoint: &str, format: Format, path: &Path, options: &Options) -> Result<Written> {
    // Before the work, so that a typing error in the path costs nothing.
    let parts = begin(path, format)?;
    let subject = Subject::open(run, checkpoint)?.titled(path);
    commit(&subject, format, parts, options)
}

/// Writes one of a subject's nets, or both, to `path` as `format`, once it has been compared: for nets that are no run's, such
/// as those of [`Subject::of_model`].
///
/// # Errors
/// As [`make`], or a place that can't be written; nothing is left there then.
pub fn write_subject(subject: Subject, format: Format, path: &Path, options: &Options) -> Result<Written> {
    let parts = begin(path, format)?;
    commit(&subject.titled(path), format, parts, options)
}

/// The files that an export to `path` writes, which are at their places once they are complete.
fn begin(path: &Path, format: Format) -> Result<Vec<PartFile>> {
    let places = places(path, format)?;
    let parts = places.iter().map(|place| PartFile::create(place)).collect::<Result<Vec<_>>>()?;
    places.iter().skip(1).try_for_each(|place| ours(place))?;
    Ok(parts)
}

fn commit(subject: &Subject, format: Format, mut parts: Vec<PartFile>, options: &Options) -> Result<Written> {
    let export = make(subject, format, options)?;
    let mut files = Vec::new();
    for (part, (_, bytes)) in parts.iter_mut().zip(&export.files) {
        part.write(bytes)?;
        files.push((part.target().to_path_buf(), bytes.len() as u64));
    }
    // The file that was asked for comes last: where it is, the others are.
    parts.into_iter().rev().try_for_each(PartFile::commit)?;
    Ok(Written { files, checked: export.checked, difference: export.difference, step: subject.step })
}

/// Refuses to replace a module that somebody else wrote, or to hide one that it needs itself.
fn ours(module: &Path) -> Result<()> {
    let stem = module.file_stem().map(|stem| stem.to_string_lossy().to_lowercase()).unwrap_or_default();
    if ["torch", "ctypes", "json", "math", "os", "struct", "sys", "zlib", "pathlib"].contains(&stem.as_str()) {
        return Err(Error::usage(
            format!("{}: a module of that name would be taken for Python's own", module.display()),
            "choose another name for -o",
        ));
    }
    let theirs = |text: String| !text.contains(torch::SIGNATURE);
    if module.exists() && std::fs::read_to_string(module).map_or(true, theirs) {
        return Err(Error::usage(
            format!("{} is there already, and faussaire did not write it", module.display()),
            "choose another name for -o, or move that file away",
        ));
    }
    Ok(())
}

/// The files that an export to `path` makes.
fn places(path: &Path, format: Format) -> Result<Vec<PathBuf>> {
    let fits = path.extension().is_some_and(|e| e.eq_ignore_ascii_case(format.name()));
    if !fits || path.is_dir() {
        return Err(Error::usage(
            format!("-o {}: expected a file that ends in .{}", path.display(), format.name()),
            format!("such as -o generator.{}", format.name()),
        ));
    }
    Ok(match format {
        Format::Safetensors => vec![path.to_path_buf(), path.with_extension("py")],
        Format::Onnx | Format::Html => vec![path.to_path_buf()],
    })
}

#[cfg(test)]
mod trials;
