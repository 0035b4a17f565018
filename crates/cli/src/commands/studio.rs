//! `faussaire studio [RUNS]`: the page in the browser.

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
        println!("{address}");
        eprintln!("shows the runs under {}; Ctrl-C ends it", options.runs.display());
        if options.open {
            open(address);
        }
    })
}

/// Opens the browser; where that fails, the address has been printed.
fn open(address: &str) {
    let (program, first) = match std::env::consts::OS {
        "macos" => ("open", None),
        "windows" => ("explorer", None),
        _ => ("xdg-open", None::<&str>),
    };
    let _ = std::process::Command::new(program).args(first).arg(address).spawn();
}
