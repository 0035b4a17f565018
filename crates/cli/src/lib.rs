//! The `faussaire` command. One file per subcommand; everything of substance is in the library `faussaire`.
//!
//! It is a library for programs that bring the command along, as the Python package does: [`run`].

// They panic where the stream can't be written; `crates/cli/src/print.rs` doesn't.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod command_line;
mod commands;
mod duration;
mod flags;
mod meant;
mod numbers;
mod print;
mod program;
mod quoting;
mod ranks;
mod report;
mod share;
mod stopping;

use std::ffi::OsString;

pub use duration::parse as duration;
pub use program::Program;

/// Runs the command with these `arguments`, of which the first is its name, and gives its exit status. It answers the process's
/// signals from now on, and ends the process at a second Ctrl-C: for programs that do nothing else.
pub fn run(arguments: impl IntoIterator<Item = OsString>, program: Program) -> u8 {
    faussaire::device::keep_freed_memory();
    faussaire::process::fail_writes_beyond_size_limit();
    program.remember();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    match command_line::parse(&arguments) {
        Ok(command_line::Parsed::Line(line)) => match line.run() {
            Ok(()) => 0,
            Err(error) => report::failure(&error),
        },
        Ok(command_line::Parsed::Ended(status)) => status,
        Err(error) => report::failure(&error),
    }
}
