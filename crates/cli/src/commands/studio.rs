//! `faussaire studio [RUNS]`: runs in the browser.

use clap::Args;
use std::path::PathBuf;

use faussaire::Result;
use faussaire_studio::server::Stop;
use faussaire_studio::studio;

use crate::numbers::{for_library, whole};
use crate::print::{note, tell};
use crate::program;

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
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1", help_heading = NETWORK)]
    pub host: std::net::IpAddr,
    #[command(flatten)]
    pub token: super::token::Token,

    /// Serve the front end from this folder
    #[arg(long, value_name = "DIR", hide = true)]
    pub assets: Option<PathBuf>,
}

const NETWORK: &str = "Network";

const EXAMPLES: &str = "\
Examples:
  faussaire studio --open
  faussaire studio comparisons/0001-ring/runs
  faussaire studio --host 0.0.0.0        for other machines
  faussaire studio --no-token            for every user of this machine";

pub fn run(options: &Studio) -> Result<()> {
    super::limit_threads(options.threads)?;
    let asked = studio::Options {
        runs: options.runs.clone(),
        host: options.host,
        port: options.port,
        access: options.token.access()?,
        data: options.data.clone(),
        program: program::parts()?,
        assets: options.assets.clone(),
    };
    studio::run(asked, &Stop::default(), |ready| {
        // Here, the link in the terminal is for this browser; elsewhere, it is handed on.
        let local = options.host.is_loopback();
        tell!("{}", if local { &ready.once } else { &ready.link });
        note!("serving the runs in {} (Ctrl-C to stop)", options.runs.display());
        match &ready.token {
            Some(token) if local => note!("the link opens one browser, once; others ask for the token: {token}"),
            Some(_) => note!("the link opens any browser; whoever has it can start trainings and read every run"),
            None => note!("no token is needed: every user of this machine can start trainings and read every run"),
        }
        if options.open {
            open(&ready.once);
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
