//! `faussaire summary PRESET|RUN|FILE`: the layers of both nets as tables, or the checks of a step of the course's lab.

use clap::Args;
use std::path::Path;

use faussaire::lab::{self, Check};
use faussaire::run::Run;
use faussaire::{Error, Preset, Recipe, Result};

use crate::numbers::for_library;
use crate::print::say;

/// `faussaire summary`
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Summary {
    /// Preset, run folder or recipe file
    #[arg(value_name = "PRESET|RUN|FILE")]
    pub of: String,
    /// Check step N of the course's lab (1 to 10) with these nets, instead: shapes, parameter counts, the first loss, what moves
    #[arg(long, value_name = "N", value_parser = for_library::<usize>(1, 10))]
    pub check: Option<usize>,
}

const EXAMPLES: &str = "\
Examples:
  faussaire summary tp
  faussaire summary runs/0001-mnist-tp
  faussaire summary my-nets.toml --check 2";

pub fn run(options: &Summary) -> Result<()> {
    let of = &options.of;
    let path = Path::new(of);
    let recipe = if path.is_dir() {
        Run::open(path)?.recipe(&[])?
    } else if path.is_file() {
        Recipe::read(path, &[])?
    } else {
        Recipe::parse(Preset::named(of)?.text(), of, &[])?
    };
    if let Some(number) = options.check {
        return faussaire::device::on_pool(|| checked(&recipe, number));
    }
    let (generator, discriminator) = recipe.networks()?;
    say!("{}", generator.summary());
    say!("{}", discriminator.summary().trim_end());
    Ok(())
}

/// Prints the checks of a step, and fails where one of them does.
fn checked(recipe: &Recipe, number: usize) -> Result<()> {
    let checks = lab::checks(recipe, number)?;
    say!("step {number}, {}:", lab::STEPS.get(number.wrapping_sub(1)).unwrap_or(&""));
    let wide = checks.iter().map(|check| check.what.chars().count()).max().unwrap_or(0);
    for Check { what, found, expected, holds, .. } in &checks {
        match holds {
            true => say!("  ok     {what:wide$}  {found}"),
            false => say!("  wrong  {what:wide$}  {found}; expected {expected}"),
        }
    }
    let wrong = checks.iter().filter(|check| !check.holds).count();
    if wrong > 0 {
        return Err(Error::run(
            format!("{wrong} of {} checks of step {number} failed", checks.len()),
            "compare the layers with those of the sheet: faussaire presets tp",
        ));
    }
    Ok(())
}
