//! What `faussaire studio` can be told.

use std::path::PathBuf;

use clap::Args;

/// `faussaire studio`
#[derive(Args, Debug)]
pub struct Studio {
    /// Folder of runs, or one run's
    #[arg(default_value = "runs")]
    pub runs: PathBuf,
    /// Port to listen at [default: 7411, or any free one]
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
    /// Address to listen at; other machines that can reach it need the token
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub host: std::net::IpAddr,
    /// The token to demand [default: a new one, where other machines can reach the address]
    #[arg(long, value_name = "TEXT")]
    pub token: Option<String>,
    /// Folder of data sets, looked into before $FAUSSAIRE_DATA and the cache
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Open it in the browser
    #[arg(long)]
    pub open: bool,
    /// Processor threads [default: all]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Take the front end from this folder
    #[arg(long, value_name = "DIR", hide = true)]
    pub assets: Option<PathBuf>,
}
