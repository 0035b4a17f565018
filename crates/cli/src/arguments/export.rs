//! What `faussaire export` can be told.

use std::path::PathBuf;

use clap::Args;

/// `faussaire export`
#[derive(Args, Debug)]
pub struct Export {
    /// A run's folder
    pub run: PathBuf,
    /// What to make [default: what -o ends in]. onnx: one net for onnxruntime and others. safetensors: weights in PyTorch's
    /// layouts, and beside them FILE.py with the modules. html: one page with the generator inside
    #[arg(long, value_name = "onnx|safetensors|html")]
    pub to: Option<String>,
    /// The file to write; one of that name is replaced
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Which checkpoint: latest, best, or a kept one
    #[arg(long, value_name = "NAME", default_value = "latest")]
    pub checkpoint: String,
    /// Which net [default: generator; safetensors: both]
    #[arg(long, value_name = "NET", value_parser = ["generator", "discriminator"])]
    pub net: Option<String>,
    /// onnx: images as numbers in the net's range, or as bytes, for tools that score image files
    #[arg(long, value_name = "TYPE", value_parser = ["float", "uint8"], default_value = "float")]
    pub pixels: String,
    /// onnx: [n, height, width, channels] as in Keras, or [n, channels, height, width] as in PyTorch
    #[arg(long, value_name = "ORDER", value_parser = ["nhwc", "nchw"], default_value = "nhwc")]
    pub layout: String,
    /// html: weights in half precision, for a page of half the size
    #[arg(long)]
    pub half: bool,
    /// Processor threads [default: all]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}
