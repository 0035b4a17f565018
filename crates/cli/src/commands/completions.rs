//! `faussaire completions SHELL`: a completion script for a shell.

use clap::Args;
use clap_complete::Shell;
use faussaire::Result;

use crate::print;

/// `faussaire completions`
#[derive(Args, Debug)]
pub struct Completions {
    /// Shell
    pub shell: Shell,
}

/// Prints the script for `command`.
pub fn run(options: &Completions, command: &mut clap::Command) -> Result<()> {
    // Not straight to stdout: the generator panics where it can't write.
    let mut script = Vec::new();
    clap_complete::generate(options.shell, command, "faussaire", &mut script);
    print::whole(&script)
}
