//! `faussaire export`: a run's nets as files for other programs, each read back and compared before it is kept.

use faussaire::export::{self, Format, Layout, Options, Pixels, Which};
use faussaire::run::Run;
use faussaire::{Error, Result};

use crate::arguments::Export;
use crate::report::{count, say};

pub fn run(options: &Export) -> Result<()> {
    super::limit_threads(options.threads)?;
    // On a thread of the pool: from outside, every kernel's call would have to be handed over to it.
    faussaire::device::on_pool(|| exported(options))
}

fn exported(options: &Export) -> Result<()> {
    let format = format(options)?;
    let run = Run::open(&options.run)?;
    let choices = Options {
        net: options.net.as_deref().map(|net| match net {
            "discriminator" => Which::Discriminator,
            _ => Which::Generator,
        }),
        pixels: if options.pixels == "uint8" { Pixels::Uint8 } else { Pixels::Float },
        layout: if options.layout == "nchw" { Layout::Nchw } else { Layout::Nhwc },
        half: options.half,
    };
    let written = export::write(&run, &options.checkpoint, format, &options.output, &choices)?;
    for (path, bytes) in &written.files {
        say!("{}: {}, from step {}", path.display(), size(*bytes), count(written.step));
    }
    say!("  {}: at most {:.1e} from what the run's nets compute", written.checked, written.difference);
    if let (Format::Safetensors, Some((code, _))) = (format, written.files.get(1)) {
        say!("next:\n  python {} 16 images.png", code.display());
    }
    Ok(())
}

/// What `--to` says, or else the output's name.
fn format(options: &Export) -> Result<Format> {
    match &options.to {
        Some(name) => Format::named(name),
        None => {
            let ending = options.output.extension().unwrap_or_default().to_string_lossy().to_lowercase();
            Format::named(&ending).map_err(|_| {
                let known = Format::ALL.map(|format| format!(".{}", format.name())).join(", ");
                Error::usage(
                    format!("-o {}: expected a file that ends in one of {known}", options.output.display()),
                    "or say what it is to be: --to onnx",
                )
            })
        }
    }
}

/// Bytes as a person reads them.
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
