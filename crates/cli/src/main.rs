//! The `faussaire` command. One file per subcommand; everything of substance is in the library.

// They panic where the stream can't be written; `crates/cli/src/print.rs` doesn't.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod command_line;
mod commands;
mod duration;
mod flags;
mod meant;
mod numbers;
mod print;
mod quoting;
mod report;
mod stopping;

use std::process::ExitCode;

fn main() -> ExitCode {
    faussaire::device::keep_freed_memory();
    faussaire::process::fail_writes_beyond_size_limit();
    match command_line::parse().and_then(|line| line.map_or(Ok(()), |line| line.run())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report::failure(&error),
    }
}
