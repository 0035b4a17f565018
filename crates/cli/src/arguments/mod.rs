//! The command line: every flag with its help text, a file per subcommand.

mod compare;
mod data;
mod doctor;
mod export;
mod judge;
mod presets;
mod sample;
mod serve;
mod studio;
mod summary;
mod train;

use clap::{Parser, Subcommand};

use crate::commands::completions::Completions;
use crate::commands::man::Manual;

pub use compare::Compare;
pub use data::{Data, DataAction};
pub use doctor::Doctor;
pub use export::Export;
pub use judge::Judge;
pub use presets::Presets;
pub use sample::Sample;
pub use serve::Serve;
pub use studio::Studio;
pub use summary::Summary;
pub use train::Train;

/// Trains generative adversarial networks and draws images from them, on a plain processor.
#[derive(Debug, Parser)]
#[command(name = "faussaire", version, about, max_term_width = 100)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a generator; with no arguments: on digits drawn by program, in about a minute
    Train(Train),
    /// Draw images from a trained run
    Sample(Sample),
    /// Take a run's nets to other programs: ONNX, PyTorch, or a page that draws in any browser
    Export(Export),
    /// Score a run's images, or anybody's, against real ones
    Judge(Judge),
    /// Say what goes wrong in a run, what that means, and what to try
    Doctor(Doctor),
    /// Train several recipes with several seeds each, and say which is better
    Compare(Compare),
    /// Show runs in the browser while they train, play with what they have learnt, start new ones
    Studio(Studio),
    /// Make images on request: a small HTTP service in front of a run's generator
    Serve(Serve),
    /// Show a preset's, run's or recipe file's nets as tables
    Summary(Summary),
    /// List, fetch, check or preview data sets
    Data(Data),
    /// List the built-in recipes, or print one
    Presets(Presets),
    /// Print a script that completes this command's words in a shell
    Completions(Completions),
    /// Print the manual page, or write all of them into a folder
    Man(Manual),
}

/// `90s`, `10m`, `2h`, or plain seconds.
fn duration(text: &str) -> Result<std::time::Duration, String> {
    let (number, unit) = match text.char_indices().last() {
        Some((at, 's')) => (&text[..at], 1.0),
        Some((at, 'm')) => (&text[..at], 60.0),
        Some((at, 'h')) => (&text[..at], 3600.0),
        _ => (text, 1.0),
    };
    match number.parse::<f64>() {
        Ok(n) if n > 0.0 && n * unit < 1e9 => Ok(std::time::Duration::from_secs_f64(n * unit)),
        _ => Err("expected a time such as 90s, 10m or 2h".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn times() {
        assert_eq!(duration("90s"), Ok(std::time::Duration::from_secs(90)));
        assert_eq!(duration("1.5m"), Ok(std::time::Duration::from_secs(90)));
        assert!(duration("-1m").is_err() && duration("m").is_err() && duration("soon").is_err());
    }
}
