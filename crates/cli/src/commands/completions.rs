//! `faussaire completions SHELL`: a script that lets a shell complete this command's words.

use std::io::Write;

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use faussaire::{Error, Result};

use crate::arguments::Arguments;

/// `faussaire completions`
#[derive(Args, Debug)]
pub struct Completions {
    /// The shell that is to read the script
    pub shell: Shell,
}

pub fn run(options: &Completions) -> Result<()> {
    // Not straight to stdout: the generator panics where it can't write.
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Arguments::command(), "faussaire", &mut script);
    std::io::stdout().write_all(&script).map_err(Error::io("write to", "stdout"))
}
