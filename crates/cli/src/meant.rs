//! What somebody probably means whose flag or subcommand does not exist: words of other programs, and recipe keys.

use std::ffi::OsString;
use std::path::Path;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use faussaire::recipe::Key;

use crate::quoting::quoted;

/// Flags of other programs, in small letters and with `_`, and ours.
const FLAGS: [(&[&str], &str); 11] = [
    (&["gpu", "gpus", "cuda", "use_cuda", "no_cuda"], "--device NAME"),
    (&["num_workers", "workers", "n_jobs", "num_threads"], "--threads N"),
    (&["c", "cfg", "recipe"], "--config FILE"),
    (&["output_dir", "outdir", "out", "o", "output", "save_dir", "logdir", "log_dir", "name"], "--run FOLDER"),
    (&["img_size", "image_size", "imagesize", "imsize", "resolution"], "--size N"),
    (&["iterations", "iters", "n_iter", "niter", "max_steps", "num_steps"], "--steps N"),
    (&["bs", "batchsize", "batch_size"], "--batch N"),
    (&["model", "arch", "net", "cfg_name"], "--preset NAME"),
    (&["num_epochs", "n_epochs", "max_epochs"], "--epochs N"),
    (&["labels", "cond", "class_conditional"], "--conditional"),
    (&["format"], "--to FORMAT"),
];

/// Subcommands of other programs, and ours.
const COMMANDS: [(&[&str], &str); 9] = [
    (&["fit", "learn", "run"], "faussaire train"),
    (&["resume", "continue"], "faussaire train --resume RUN"),
    (&["generate", "gen", "predict", "infer", "inference"], "faussaire sample RUN -o images.png"),
    (&["eval", "evaluate", "test", "score", "fid"], "faussaire judge RUN"),
    (&["preview", "show", "view"], "faussaire data preview DATASET"),
    (&["check", "info", "inspect"], "faussaire data check DATASET"),
    (&["download", "fetch"], "faussaire data fetch NAME"),
    (&["gui", "ui", "web", "dashboard", "tensorboard"], "faussaire studio"),
    (&["version"], "faussaire --version"),
];

/// A hint on `error` in these arguments of `command`, whose name comes first; from it suggestions that lead astray are taken.
/// Nothing where clap's own are good.
pub fn hint(error: &mut clap::Error, command: &Command, arguments: impl Iterator<Item = OsString>) -> Option<String> {
    let text = |error: &clap::Error, kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::UnknownArgument if error.get(ContextKind::SuggestedArg).is_none() => {
            // It advises to give the flag as the data set.
            error.remove(ContextKind::Suggested);
            of_flag(&text(error, ContextKind::InvalidArg)?, asked(command, arguments))
        }
        ErrorKind::InvalidSubcommand => {
            let name = text(error, ContextKind::InvalidSubcommand)?;
            let known = COMMANDS.iter().find(|(names, _)| names.contains(&name.to_lowercase().as_str()));
            let hint = match known {
                Some((_, command)) => format!("that is: {command}"),
                // `faussaire data images`.
                None if Path::new(&name).exists() => {
                    let set = quoted(&name);
                    format!("to look at it: faussaire data check {set}; to learn from it: faussaire train {set}")
                }
                None => return None,
            };
            error.remove(ContextKind::SuggestedSubcommand);
            Some(hint)
        }
        _ => None,
    }
}

/// The subcommand that arguments ask for, at any depth.
fn asked(command: &Command, arguments: impl Iterator<Item = OsString>) -> &Command {
    arguments.skip(1).fold(command, |command, argument| command.find_subcommand(argument).unwrap_or(command))
}

/// What a flag of another program means here, if `command` has our flag.
fn of_flag(argument: &str, command: &Command) -> Option<String> {
    let has = |flag: &str| {
        let long = flag.split(' ').next().and_then(|flag| flag.strip_prefix("--"));
        command.get_arguments().any(|own| own.get_long() == long)
    };
    let name = argument.strip_prefix('-')?.trim_start_matches('-').split('=').next()?.to_lowercase().replace('-', "_");
    if let Some((_, flag)) = FLAGS.iter().find(|(names, _)| names.contains(&name.as_str())) {
        return has(flag).then(|| format!("that is: {flag}"));
    }
    let key = &Key::meant(&name).filter(|_| name.len() > 1 && has("--set"))?.name;
    Some(match key.strip_prefix("generator.") {
        Some(rest) => {
            format!("that is a key of each net: --set generator.{rest}=VALUE --set discriminator.{rest}=VALUE")
        }
        None => format!("that is a key of the recipe: --set {key}=VALUE"),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn said(arguments: &[&str]) -> (String, Option<String>) {
        let command = crate::command_line::command();
        let mut error = command.clone().try_get_matches_from(arguments).unwrap_err();
        let hint = hint(&mut error, &command, arguments.iter().map(OsString::from));
        (error.render().to_string(), hint)
    }

    #[test]
    fn words_of_other_programs_are_translated() {
        for (arguments, expected) in [
            (&["faussaire", "train", "x", "--lr", "0.1"][..], "--set discriminator.adam.learning_rate=VALUE"),
            (&["faussaire", "train", "x", "--learning-rate=0.1"], "--set generator.adam.learning_rate=VALUE"),
            (&["faussaire", "train", "x", "--loss", "wgan"], "--set train.loss=VALUE"),
            (&["faussaire", "train", "x", "--gpu"], "--device NAME"),
            (&["faussaire", "train", "x", "--bs", "64"], "--batch N"),
            (&["faussaire", "train", "x", "--num-workers", "4"], "--threads N"),
            (&["faussaire", "train", "x", "-c", "x.toml"], "--config FILE"),
            (&["faussaire", "preview", "x"], "faussaire data preview DATASET"),
            (&["faussaire", "generate", "x"], "faussaire sample RUN"),
            (&["faussaire", "data", "src"], "faussaire data check src"),
        ] {
            let (error, hint) = said(arguments);
            let hint = hint.unwrap_or_default();
            assert!(hint.contains(expected) && !error.contains("tip:"), "{arguments:?}: {hint}: {error}");
        }
        // Clap's own suggestion is the better one.
        for arguments in [&["faussaire", "train", "x", "--epoch", "1"], &["faussaire", "train", "x", "--stepss", "1"]] {
            let (error, hint) = said(arguments);
            assert!(hint.is_none() && error.contains("similar"), "{error}");
        }
        assert_eq!(said(&["faussaire", "train", "x", "--xyzzy"]).1, None);
        assert_eq!(said(&["faussaire", "train", "x", "y"]).1, None);
        // Flags that this subcommand doesn't have, nor another program's word for them.
        let (_, to) = said(&["faussaire", "export", "x", "--format", "png"]);
        assert_eq!(to.as_deref(), Some("that is: --to FORMAT"));
        for arguments in [
            &["faussaire", "train", "x", "--format", "png"],
            &["faussaire", "judge", "R", "--lr", "1"],
            &["faussaire", "data", "check", "--max-epochs", "3"],
        ] {
            assert_eq!(said(arguments).1, None, "{arguments:?}");
        }
    }
}
