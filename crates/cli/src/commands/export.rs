//! `faussaire export`: writes a run's nets as files for other programs; each is verified before it is kept.

use clap::Args;
use faussaire::export::{self, Format, Layout, Options, Pixels, Which};
use faussaire::run::Run;
use faussaire::{Error, Result};
use std::path::PathBuf;

use crate::numbers::for_library;
use crate::print::tell;
use crate::report::count;

/// `faussaire export`
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Export {
    /// Run folder
    pub run: PathBuf,
    /// File to write; an existing file is replaced
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Format [default: by the ending of -o]. onnx: one net for onnxruntime and others. safetensors: weights in PyTorch's
    /// layouts, with the modules in FILE.py. html: a page that runs the generator in any browser
    #[arg(long, value_name = "onnx|safetensors|html")]
    pub to: Option<String>,
    /// Checkpoint: latest, best, or a kept one
    #[arg(long, value_name = "NAME", default_value = "latest")]
    pub checkpoint: String,
    /// Net to export [default: generator; safetensors: both]
    #[arg(long, value_name = "NET", value_parser = ["generator", "discriminator"])]
    pub net: Option<String>,
    /// onnx: pixels as floats in the net's range, or as bytes, for tools that score image files
    #[arg(long, value_name = "TYPE", value_parser = ["float", "uint8"], default_value = "float")]
    pub pixels: String,
    /// onnx: [n, height, width, channels] as in Keras, or [n, channels, height, width] as in PyTorch
    #[arg(long, value_name = "ORDER", value_parser = ["nhwc", "nchw"], default_value = "nhwc")]
    pub layout: String,
    /// html: weights in half precision, for a page of half the size
    #[arg(long)]
    pub half: bool,
    /// CPU threads [default: all]
    #[arg(long, value_name = "N", value_parser = for_library::<usize>(1, 1024))]
    pub threads: Option<usize>,
}

const EXAMPLES: &str = "\
Examples:
  faussaire export runs/0001-mnist-tp -o digits.html           a page to send by mail
  faussaire export runs/0001-mnist-tp -o digits.onnx --layout nchw
  faussaire export runs/0001-mnist-tp -o digits.safetensors    PyTorch";

pub fn run(options: &Export) -> Result<()> {
    super::limit_threads(options.threads)?;
    // On a thread of the pool: from outside, every kernel's call would have to be handed over to it.
    faussaire::device::on_pool(|| exported(options))
}

fn exported(options: &Export) -> Result<()> {
    let format = format(options)?;
    let run = Run::open(&options.run)?;
    let mut choices = Options::default()
        .pixels(if options.pixels == "uint8" { Pixels::Uint8 } else { Pixels::Float })
        .layout(if options.layout == "nchw" { Layout::Nchw } else { Layout::Nhwc })
        .half(options.half);
    choices.net = options.net.as_deref().map(|net| match net {
        "discriminator" => Which::Discriminator,
        _ => Which::Generator,
    });
    let written = export::write(&run, &options.checkpoint, format, &options.output, &choices)?;
    for (path, bytes) in &written.files {
        tell!("{}: {}, from step {}", path.display(), size(*bytes), count(written.step));
    }
    tell!("  verified: {}, largest difference {:.1e}", written.checked, written.difference);
    if let (Format::Safetensors, Some((code, _))) = (format, written.files.get(1)) {
        tell!("next:\n  python {} 16 images.png", code.display());
    }
    Ok(())
}

/// The format that `--to` or the output's ending names.
fn format(options: &Export) -> Result<Format> {
    match &options.to {
        Some(name) => Format::named(name),
        None => {
            let ending = options.output.extension().unwrap_or_default().to_string_lossy().to_lowercase();
            Format::named(&ending).map_err(|_| {
                let known = Format::ALL.map(|format| format!(".{}", format.name())).join(", ");
                let near = faussaire::data::did_you_mean(&ending, Format::ALL.map(Format::name));
                Error::usage(
                    format!("-o {}: {near}expected a file that ends in one of {known}", options.output.display()),
                    "or name the format: --to onnx",
                )
            })
        }
    }
}

/// A file size in readable units.
fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{} bytes", count(bytes)),
        10_000..1_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        assert_eq!([9_999, 10_000, 1_234_567].map(size), ["9,999 bytes", "10 kB", "1.2 MB"]);
    }
}
