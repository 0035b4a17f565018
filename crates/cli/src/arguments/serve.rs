//! What `faussaire serve` can be told.

use std::path::PathBuf;

use clap::Args;

/// `faussaire serve`
#[derive(Args, Debug)]
pub struct Serve {
    /// A run's folder
    pub run: PathBuf,
    /// Which checkpoint [default: best, or else latest]
    #[arg(long, value_name = "NAME")]
    pub checkpoint: Option<String>,
    /// Port to listen at [default: 7412, or any free one]
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
    /// Address to listen at; other machines that can reach it need the token
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub host: std::net::IpAddr,
    /// The token to demand [default: a new one, where other machines can reach the address]
    #[arg(long, value_name = "TEXT")]
    pub token: Option<String>,
    /// Requests that may wait; more are answered with 429
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    pub queue: u16,
    /// Images of one request, at most
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u16).range(1..))]
    pub most: u16,
    /// Processor threads [default: all]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}
