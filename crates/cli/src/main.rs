//! The `faussaire` command as a program of its own; all of it is in the library beside.

use std::process::ExitCode;

use faussaire_cli::Program;

fn main() -> ExitCode {
    ExitCode::from(faussaire_cli::run(std::env::args_os(), Program::this()))
}
