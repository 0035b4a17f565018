//! `faussaire studio [RUNS]`: the page in the browser.

use std::io::Write;

use faussaire::{Error, Result};
use faussaire_studio::server::Stop;
use faussaire_studio::studio;

use crate::arguments::Studio;

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
        // Whoever closed stdout doesn't want it.
        let _ = writeln!(std::io::stdout(), "{address}");
        eprintln!("shows the runs under {}; Ctrl-C ends it", options.runs.display());
        if options.open {
            open(address);
        }
    })
}

/// Opens the browser; where that fails, the address has been printed.
fn open(address: &str) {
    let program = match std::env::consts::OS {
        "macos" => "open",
        "windows" => "explorer",
        _ => "xdg-open",
    };
    let _ = std::process::Command::new(program).arg(address).spawn();
}
