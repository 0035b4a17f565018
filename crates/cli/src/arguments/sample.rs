//! What `faussaire sample` can be told.

use std::path::PathBuf;

use clap::Args;

/// `faussaire sample`
#[derive(Args, Debug)]
pub struct Sample {
    /// A run's folder
    pub run: PathBuf,
    /// How many images (frames of an interpolation)
    #[arg(short, value_name = "N")]
    pub n: Option<usize>,
    /// Ask a conditional generator for this class, or for attributes such as Smiling,Eyeglasses
    #[arg(long, value_name = "LABELS")]
    pub class: Option<String>,
    /// Rows and columns of a PNG grid, such as 8x10
    #[arg(long, value_name = "RxC", value_parser = grid)]
    pub grid: Option<(usize, usize)>,
    /// Seed of the noise
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Walk from image to image: always for a .gif, on request for the other forms
    #[arg(long)]
    pub interpolate: bool,
    /// Which checkpoint: latest, best, or a kept one (epoch-0010, by train.keep_every)
    #[arg(long, value_name = "NAME", default_value = "latest")]
    pub checkpoint: String,
    /// What to write: FILE.png (a grid), FILE.gif, FILE.npy (uint8; labels beside it), FILE.zip (PNG files, a folder per class,
    /// labels.csv), or a folder of PNG files
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,
    /// What goes into products is rounded to this. f32 draws the same images on every machine; bf16 is faster on
    /// processors that multiply it, where auto chooses it
    #[arg(long, value_name = "PRECISION", value_parser = ["auto", "f32", "bf16"], default_value = "f32")]
    pub precision: String,
    /// Processor threads [default: all]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}

/// `8x10`
fn grid(text: &str) -> Result<(usize, usize), String> {
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
