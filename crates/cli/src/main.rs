//! The `faussaire` command. One file per subcommand; everything of substance is in the library.

mod arguments;
mod commands;
mod flags;
mod report;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};

fn main() -> ExitCode {
    faussaire::device::keep_freed_memory();
    let outcome = match Arguments::parse().command {
        Command::Train(options) => commands::train::run(&options),
        Command::Sample(options) => commands::sample::run(&options),
        Command::Export(options) => commands::export::run(&options),
        Command::Judge(options) => commands::judge::run(&options),
        Command::Compare(options) => commands::compare::run(&options),
        Command::Summary(options) => commands::summary::run(&options),
        Command::Doctor(options) => commands::doctor::run(&options),
        Command::Studio(options) => commands::studio::run(&options),
        Command::Serve(options) => commands::serve::run(&options),
        Command::Data(options) => commands::data::run(&options),
        Command::Presets(options) => commands::presets::run(&options),
        Command::Completions(options) => commands::completions::run(&options),
        Command::Man(options) => commands::man::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report::failure(&error),
    }
}
