//! `faussaire man [DIR]`: manual pages, made from the same text as `--help`.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use clap_mangen::{Man, generate_to};
use faussaire::{Error, Result};

use crate::print::{self, tell};

/// `faussaire man`
#[derive(Args, Debug)]
pub struct Manual {
    /// Write a page for the command and one for each subcommand to this folder
    pub dir: Option<PathBuf>,
}

/// Prints or writes the pages of `command`.
pub fn run(options: &Manual, command: clap::Command) -> Result<()> {
    // `faussaire help` has no page of its own.
    let command = command.disable_help_subcommand(true);
    let Some(dir) = &options.dir else {
        let mut page = Vec::new();
        Man::new(command).render(&mut page).map_err(Error::io("make", "the manual page"))?;
        return print::whole(&page);
    };
    fs::create_dir_all(dir).map_err(Error::io("make", dir))?;
    generate_to(command, dir).map_err(Error::io("write manual pages to", dir))?;
    tell!("{}: faussaire.1 and a page for each subcommand", dir.display());
    Ok(())
}
