//! The `faussaire` command. One file per subcommand; everything of substance is in the library.

mod command_line;
mod commands;
mod duration;
mod flags;
mod report;

use std::process::ExitCode;

fn main() -> ExitCode {
    faussaire::device::keep_freed_memory();
    match command_line::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report::failure(&error),
    }
}
