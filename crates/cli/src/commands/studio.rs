//! `faussaire studio [RUNS]`: runs in the browser.

use clap::Args;
use std::path::PathBuf;

use faussaire::{Error, Result};
use faussaire_studio::server::Stop;
use faussaire_studio::studio;

use crate::numbers::{for_library, whole};
use crate::print::{note, tell};

/// `faussaire studio`
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Studio {
    /// Folder of runs, or one run
    #[arg(default_value = "runs")]
    pub runs: PathBuf,
    /// Open the browser
    #[arg(long)]
    pub open: bool,
    /// Folder of data sets, searched before $FAUSSAIRE_DATA and the cache
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// CPU threads [default: all]
    #[arg(long, value_name = "N", value_parser = for_library::<usize>(1, 1024))]
    pub threads: Option<usize>,

    /// Port [default: 7411, or any free one]
    #[arg(long, value_name = "N", value_parser = whole::<u16>(0, 65_535), help_heading = NETWORK)]
    pub port: Option<u16>,
    /// Address to listen on; if other machines can reach it, requests need the token
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1", help_heading = NETWORK)]
    pub host: std::net::IpAddr,
    /// Token that requests must carry [default: a random one if other machines can reach the address]
    #[arg(long, value_name = "TEXT", help_heading = NETWORK)]
    pub token: Option<String>,

    /// Serve the front end from this folder
    #[arg(long, value_name = "DIR", hide = true)]
    pub assets: Option<PathBuf>,
}

const NETWORK: &str = "Network";

const EXAMPLES: &str = "\
Examples:
  faussaire studio --open
  faussaire studio comparisons/0001-ring/runs
  faussaire studio --host 0.0.0.0        for other machines; prints the token";

pub fn run(options: &Studio) -> Result<()> {
    super::limit_threads(options.threads)?;
    let asked = studio::Options {
        runs: options.runs.clone(),
        host: options.host,
        port: options.port,
        token: options.token.clone(),
        data: options.data.clone(),
        program: std::env::current_exe().map_err(Error::io("find", "this program"))?,
        assets: options.assets.clone(),
    };
    studio::run(asked, &Stop::default(), |address| {
        tell!("{address}");
        note!("serving the runs in {} (Ctrl-C to stop)", options.runs.display());
        if options.open {
            open(address);
        }
    })
}

/// Opens the browser; the address is printed in any case.
fn open(address: &str) {
    let program = match std::env::consts::OS {
        "macos" => "open",
        "windows" => "explorer",
        _ => "xdg-open",
    };
    let _ = std::process::Command::new(program).arg(address).spawn();
}
