//! Export of nets to other programs: ONNX for runtimes, safetensors with a PyTorch module, an HTML page that runs the
//! generator in a browser. One folder per format.
//!
//! Formats don't depend on layers: a layer's operation is a [`crate::net::Op`], `plain.rs` lists the operations with
//! their shapes and weights, and each format matches on them. Every file is read back and compared with the nets here
//! before it is written: see `agreement.rs`.
//!
//! ```
//! use std::sync::Arc;
//! use faussaire::export::{self, Format, Subject};
//! use faussaire::prelude::*;
//!
//! # fn main() -> Result<()> {
//! # let scratch = std::env::temp_dir().join(format!("faussaire-export-{}", std::process::id()));
//! # std::fs::create_dir_all(&scratch).map_err(Error::io("create", &scratch))?;
//! # let path = scratch.join("generator.onnx");
//! # let shape = ImageShape { height: 8, width: 8, channels: 1 };
//! # let images = InMemory::from_bytes("stripes", shape, (0..4096).map(|at| (at % 8 * 30) as u8).collect())?;
//! # let recipe = Recipe::new(4, ["dense 8*8*1", "reshape 8 8 1", "sigmoid"], ["flatten", "dense 1"]).batch(8);
//! let gan = Gan::new(recipe, Arc::new(images), &Device::cpu())?; // trained, in a real program
//! # if cfg!(feature = "onnx") {
//! let options = export::Options::default();
//! let written = export::write_subject(Subject::of_gan(&gan, "mine")?, Format::Onnx, &path, &options)?;
//! println!("{:?}, {}", written.files, written.checked);
//! # }
//! # std::fs::remove_dir_all(scratch).map_err(Error::io("remove", &path))?;
//! # Ok(())
//! # }
//! ```

mod agreement;
#[cfg(feature = "onnx")]
mod onnx;
mod page;
mod plain;
mod subject;
mod template;
mod torch;

use std::path::{Path, PathBuf};

use crate::data::{PartFile, commit_together};
use crate::error::{Error, Result};
use crate::run::Run;

pub use subject::Subject;
pub(crate) use torch::init;

/// The formats of exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// ONNX: one net, for onnxruntime and other runtimes.
    Onnx,
    /// Safetensors: weights in PyTorch's layouts, and a Python file with their modules.
    Safetensors,
    /// HTML: a page with the generator in it.
    Html,
}

/// One of the two nets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The averaged generator.
    Generator,
    /// The discriminator.
    Discriminator,
}

/// The type of pixels in an ONNX file's images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pixels {
    /// Numbers in the net's own range.
    #[default]
    Float,
    /// Bytes from 0 to 255.
    Uint8,
}

/// The axis order of an ONNX file's images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layout {
    /// `[n, height, width, channels]`, as in Keras and in this library.
    #[default]
    Nhwc,
    /// `[n, channels, height, width]`, as in PyTorch.
    Nchw,
}

/// Options of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// The net; none for the default of the format: the generator, or both for safetensors.
    pub net: Option<Which>,
    /// ONNX: the type of the images' values.
    pub pixels: Pixels,
    /// ONNX: the order of the images' axes.
    pub layout: Layout,
    /// HTML: weights in half precision, for half the size.
    pub half: bool,
}

impl Options {
    /// Writes this net.
    #[must_use]
    pub fn net(mut self, net: Which) -> Self {
        self.net = Some(net);
        self
    }

    /// ONNX: gives the images' values this type.
    #[must_use]
    pub fn pixels(mut self, pixels: Pixels) -> Self {
        self.pixels = pixels;
        self
    }

    /// ONNX: gives the images' axes this order.
    #[must_use]
    pub fn layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }

    /// HTML: writes weights in half precision.
    #[must_use]
    pub fn half(mut self, half: bool) -> Self {
        self.half = half;
        self
    }
}

/// An export in memory, read back and compared.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Export {
    /// The extension and the bytes of each file; the first is the requested one.
    pub files: Vec<(&'static str, Vec<u8>)>,
    /// How the file was verified.
    pub checked: &'static str,
    /// The largest difference between its outputs and those of the nets here.
    pub difference: f64,
    /// The largest accepted difference.
    pub tolerance: f64,
}

/// The files that [`write()`] has written.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Written {
    /// Each file with its size.
    pub files: Vec<(PathBuf, u64)>,
    /// How it was verified.
    pub checked: &'static str,
    /// The largest difference found.
    pub difference: f64,
    /// The step of the checkpoint.
    pub step: u64,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Onnx, Self::Safetensors, Self::Html];

    /// Its name on the command line, and the extension of its files.
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
            let near = crate::data::did_you_mean(name, Self::ALL.map(Self::name));
            Error::usage(format!("there is no format `{name}`; {near}expected one of {}", names()), "such as onnx")
        })
    }
}

/// Exports `subject` as files of `format`, and compares their outputs with its own.
///
/// # Errors
/// An option that doesn't apply to the format or the nets, or a file whose outputs differ.
pub fn make(subject: &Subject, format: Format, options: &Options) -> Result<Export> {
    let given = *options;
    let allowed = match format {
        Format::Onnx => Options { half: false, ..given },
        Format::Safetensors => Options { net: given.net, ..Options::default() },
        Format::Html => Options { net: None, half: given.half, ..Options::default() },
    };
    if allowed != given {
        return Err(Error::usage(
            format!("{} has no such option", format.name()),
            "`export::Options::pixels` and `export::Options::layout` go with onnx, `export::Options::half` with html, \
             `export::Options::net` with onnx and safetensors",
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
                "build it with default features, or write safetensors or html",
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
            "the outputs of the {} file differ from those of the run's net: verified ({}), the largest \
             difference is {:.1e}, expected at most {:.1e}; nothing was written",
            format.name(),
            export.checked,
            export.difference,
            export.tolerance
        ),
        "report this with the run's config.toml; another checkpoint (`Subject::open`) may work",
    ))
}

/// Exports a checkpoint of `run` to `path` as `format`, after verifying it.
///
/// # Errors
/// As [`make`] and [`Subject::open`], or a path that can't be written; then nothing is written.
pub fn write(run: &Run, checkpoint: &str, format: Format, path: &Path, options: &Options) -> Result<Written> {
    // First, so that a wrong path is reported before the work.
    let parts = begin(path, format)?;
    let subject = Subject::open(run, checkpoint)?.titled(path);
    commit(&subject, format, parts, options)
}

/// Exports one of a subject's nets, or both, to `path` as `format`, after verifying it: for nets that are not of a run,
/// such as those of [`Subject::of_model`].
///
/// # Errors
/// As [`make`], or a path that can't be written; then nothing is written.
pub fn write_subject(subject: Subject, format: Format, path: &Path, options: &Options) -> Result<Written> {
    let parts = begin(path, format)?;
    commit(&subject.titled(path), format, parts, options)
}

/// Opens the files of an export to `path`, which are renamed to their final names once they are complete.
fn begin(path: &Path, format: Format) -> Result<Vec<PartFile>> {
    let places = places(path, format)?;
    let parts = places.iter().map(|place| PartFile::create(place)).collect::<Result<Vec<_>>>()?;
    places.iter().skip(1).try_for_each(|place| check_module(place))?;
    Ok(parts)
}

fn commit(subject: &Subject, format: Format, mut parts: Vec<PartFile>, options: &Options) -> Result<Written> {
    let export = make(subject, format, options)?;
    let mut files = Vec::new();
    for (part, (_, bytes)) in parts.iter_mut().zip(&export.files) {
        part.write(bytes)?;
        files.push((part.target().to_path_buf(), bytes.len() as u64));
    }
    commit_together(parts)?;
    Ok(Written { files, checked: export.checked, difference: export.difference, step: subject.step })
}

/// Refuses to overwrite a module that faussaire did not write, or one with the name of a module that it imports.
fn check_module(module: &Path) -> Result<()> {
    let stem = module.file_stem().map(|stem| stem.to_string_lossy().to_lowercase()).unwrap_or_default();
    if ["torch", "ctypes", "json", "math", "os", "struct", "sys", "zlib", "pathlib"].contains(&stem.as_str()) {
        return Err(Error::usage(
            format!("{}: a module of that name would hide Python's own", module.display()),
            "choose another name for -o",
        ));
    }
    let foreign = |text: String| !text.contains(torch::SIGNATURE);
    if module.exists() && std::fs::read_to_string(module).map_or(true, foreign) {
        return Err(Error::usage(
            format!("{} exists already, and faussaire did not write it", module.display()),
            "choose another name for -o, or move that file away",
        ));
    }
    Ok(())
}

/// The paths of the files of an export to `path`.
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
