//! The command line as a whole: the list of subcommands and the page that `faussaire --help` prints. Each subcommand's
//! arguments are beside what it does, in `commands/NAME.rs`.

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use faussaire::Result;
use faussaire::data::printable;

use crate::commands::{
    compare, completions, data, doctor, export, judge, man, presets, report as figures, sample, serve, studio, summary,
    train,
};
use crate::meant;
use crate::print::{self, Line};
use crate::ranks;
use crate::report;
use crate::stopping;

/// Trains, judges, explains and serves generative adversarial networks (GANs) on CPUs.
#[derive(Debug, Parser)]
#[command(name = "faussaire", version, max_term_width = 100, after_help = AFTER)]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

const AFTER: &str = "\
New here? `faussaire train` learns to draw digits in about a minute and needs no data; then
`faussaire studio` shows the run in the browser. `faussaire COMMAND --help` has examples.

  faussaire train
  faussaire train mnist --preset cgan-mnist
  faussaire sample runs/0001-strokes-digits --grid 8x8 -o digits.png

Exit status: 0 done, or stopped and saved; 1 failed; 2 misused; 130 ended at once by Ctrl-C.";

/// The subcommands.
#[derive(Debug, Subcommand)]
enum Command {
    /// Train a GAN; without arguments, on drawn digits in about a minute
    Train(train::Train),
    /// Show runs in the browser while they train, play with them, start new ones
    Studio(studio::Studio),
    /// Generate images from a trained run
    Sample(sample::Sample),
    /// Score a run's images, or any others, against real images
    Judge(judge::Judge),
    /// Diagnose a run: what went wrong, what it means, what to try
    Doctor(doctor::Doctor),
    /// Write a run's history as a table, its curves and pictures, for a report of your own
    Report(figures::Report),
    /// Train several recipes with several seeds and test which is better
    Compare(compare::Compare),
    /// Export a run to ONNX, to PyTorch, or to a web page
    Export(export::Export),
    /// Serve generated images over HTTP
    Serve(serve::Serve),
    /// List, fetch, check or preview data sets
    Data(data::Data),
    /// List the built-in recipes, print one, or list all recipe keys
    Presets(presets::Presets),
    /// Print the layers of both nets as tables
    Summary(summary::Summary),
    /// Print a completion script for a shell
    Completions(completions::Completions),
    /// Print the manual page, or write all of them to a folder
    Man(man::Manual),
}

/// Clap's own styles for headings and words to type; it takes them away where there is no terminal.
const HEADING: &str = "\u{1b}[1m\u{1b}[4m";
const BOLD: &str = "\u{1b}[1m";
const PLAIN: &str = "\u{1b}[0m";

/// The subcommands in the order of their help, by what they are for. Those left out are listed last.
const GROUPS: [(&str, &[&str]); 4] = [
    ("Train and watch", &["train", "studio", "sample"]),
    ("Judge and diagnose", &["judge", "doctor", "compare", "report"]),
    ("Use a trained generator", &["export", "serve"]),
    ("Data and recipes", &["data", "presets", "summary"]),
];

impl CommandLine {
    /// Does what was asked for.
    pub fn run(&self) -> Result<()> {
        // The servers answer signals by themselves: they end when their requests have.
        if !matches!(self.command, Command::Studio(_) | Command::Serve(_)) {
            stopping::answer_signals()?;
        }
        let is_train = matches!(self.command, Command::Train(_));
        let has_share = match &self.command {
            Command::Sample(options) => options.share.is_some(),
            Command::Compare(options) => options.share.is_some(),
            _ => false,
        };
        if !is_train && !has_share {
            ranks::refuse_several()?;
        }
        match &self.command {
            Command::Train(options) => train::run(options),
            Command::Studio(options) => studio::run(options),
            Command::Sample(options) => sample::run(options),
            Command::Judge(options) => judge::run(options),
            Command::Doctor(options) => doctor::run(options),
            Command::Report(options) => figures::run(options),
            Command::Compare(options) => compare::run(options),
            Command::Export(options) => export::run(options),
            Command::Serve(options) => serve::run(options),
            Command::Data(options) => data::run(options),
            Command::Presets(options) => presets::run(options),
            Command::Summary(options) => summary::run(options),
            Command::Completions(options) => completions::run(options, &mut command()),
            Command::Man(options) => man::run(options, command()),
        }
    }
}

/// What the arguments ask for.
#[derive(Debug)]
pub enum Parsed {
    /// A subcommand.
    Line(Box<CommandLine>),
    /// Nothing that is left to do: help was printed, or what is wrong with them. With the exit status.
    Ended(u8),
}

/// Reads `arguments`, of which the first is the program's name.
///
/// # Errors
/// Help that can't be printed.
pub fn parse(arguments: &[OsString]) -> Result<Parsed> {
    let parsed = command().try_get_matches_from(arguments).and_then(|matches| CommandLine::from_arg_matches(&matches));
    match parsed {
        Ok(line) => Ok(Parsed::Line(Box::new(line))),
        Err(mut error) if error.use_stderr() => {
            ranks::after_the_first();
            let hint = meant::hint(&mut error, &command(), arguments.iter().cloned());
            let text = error.render();
            match console::user_attended_stderr() && console::colors_enabled_stderr() && is_plain(&text.to_string()) {
                true => print::picture(&text.ansi().to_string()),
                false => print::remark(&Line::plain(text.to_string().trim_end())),
            }
            if let Some(hint) = hint {
                report::hint(&hint);
            }
            Ok(Parsed::Ended(u8::try_from(error.exit_code()).unwrap_or(2)))
        }
        Err(help) => {
            let text = help.render();
            let coloured = console::user_attended() && console::colors_enabled();
            print::whole(if coloured { text.ansi().to_string() } else { text.to_string() }.as_bytes())?;
            Ok(Parsed::Ended(0))
        }
    }
}

/// Whether a terminal would only show `text`.
fn is_plain(text: &str) -> bool {
    matches!(printable(text), std::borrow::Cow::Borrowed(_))
}

/// The command with its help in groups.
pub fn command() -> clap::Command {
    let command = with_negative_numbers(CommandLine::command());
    let groups = grouped(&command);
    // Clap's own list has no groups.
    command.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{groups}{HEADING}Options:{PLAIN}\n{{options}}{{after-help}}"
    ))
}

/// A negative number behind a flag is its value, which is refused with the numbers that there are; clap alone takes it for an
/// unknown flag.
fn with_negative_numbers(command: clap::Command) -> clap::Command {
    let named = |arg: &clap::Arg| arg.get_action().takes_values() && !arg.is_positional();
    let command = command.mut_args(|arg| if named(&arg) { arg.allow_negative_numbers(true) } else { arg });
    command.mut_subcommands(with_negative_numbers)
}

/// The subcommands under their groups' headings.
fn grouped(command: &clap::Command) -> String {
    let rest: Vec<&str> = command
        .get_subcommands()
        .map(clap::Command::get_name)
        .filter(|name| !GROUPS.iter().any(|(_, names)| names.contains(name)))
        .chain(["help"])
        .collect();
    let mut text = String::new();
    for (heading, names) in GROUPS.into_iter().chain([("Shell", rest.as_slice())]) {
        text += &format!("{HEADING}{heading}:{PLAIN}\n");
        for name in names {
            let about = command.find_subcommand(name).and_then(|found| found.get_about());
            let about = about.map_or("Print this help, or a subcommand's".to_owned(), ToString::to_string);
            text += &format!("  {BOLD}{name:<11}{PLAIN}  {about}\n");
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn every_subcommand_is_listed_once() {
        let (command, help) = (command(), command().render_help().to_string());
        for name in command.get_subcommands().map(clap::Command::get_name) {
            let rows = help.lines().filter(|line| line.starts_with(&format!("  {name} ")));
            assert_eq!(rows.count(), 1, "{name}: {help}");
        }
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    }
}
