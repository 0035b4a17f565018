//! What the library calls recipe keys and its own items, and what the command line calls them. Errors of the library name
//! the former; the command adds the latter.

/// Names of the library that have a flag of their own. Any other recipe key is set by `--set KEY=VALUE`.
const FLAGS: [(&str, &str); 18] = [
    ("data.source", "a data set's name or path behind `train`; `judge --against`"),
    ("data.dir", "--data DIR"),
    ("data.size", "--size N"),
    ("train.batch", "--batch N"),
    ("train.epochs", "--epochs N"),
    ("train.steps", "--steps N"),
    ("train.seed", "--seed N"),
    ("train.precision", "--precision NAME"),
    ("train.judge", "--judge"),
    ("train.heal", "--heal"),
    ("train.init", "--init FILE"),
    ("labels.names", "--conditional"),
    ("Recipe::conditioned", "--conditional"),
    ("Trainer::at", "--run FOLDER"),
    ("Trainer::resume", "train --resume FOLDER"),
    ("Sampler::open", "--checkpoint NAME"),
    ("judging::Options", "judge"),
    ("judging::Options::against", "--against DATASET"),
];

/// The tables of a recipe, with which its keys begin.
const TABLES: [&str; 5] = ["data.", "labels.", "generator.", "discriminator.", "train."];

/// What `name` is on the command line, if it is anything there.
fn flag(name: &str) -> Option<String> {
    if let Some((_, flag)) = FLAGS.iter().find(|(known, _)| *known == name) {
        return Some((*flag).to_owned());
    }
    let is_key =
        name == "latent" || TABLES.iter().any(|table| name.strip_prefix(table).is_some_and(|key| !key.is_empty()));
    is_key.then(|| format!("--set {name}=VALUE"))
}

/// A line that says what the library's `names` are on the command line; nothing where none of them is anything there.
pub fn line(names: &[String]) -> Option<String> {
    let known: Vec<String> = names.iter().filter_map(|name| Some(format!("{name}: {}", flag(name)?))).collect();
    (!known.is_empty()).then(|| known.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_flags() {
        let names = ["data.size", "data.channels", "nothing", "Trainer::resume"].map(String::from);
        let expected =
            "data.size: --size N; data.channels: --set data.channels=VALUE; Trainer::resume: train --resume FOLDER";
        assert_eq!(line(&names).as_deref(), Some(expected));
        assert_eq!(line(&["faussaire".into(), "train.".into()]), None);
    }
}
