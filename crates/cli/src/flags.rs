//! What the library calls recipe keys and its own items, and what the command line calls them. Errors of the library name
//! the former; the command adds the latter.

use faussaire::recipe::ImageSize;

use crate::quoting::quoted;

/// Names of the library that have a flag of their own. Any other recipe key is set by `--set KEY=VALUE`.
const FLAGS: [(&str, &str); 30] = [
    ("data.source", "a data set's name or path behind `train`; `judge --against`"),
    ("data.dir", "--data DIR"),
    ("data.size", "--size N"),
    ("data.mirror", "--mirror"),
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
    ("Recipe::for_data", "--preset auto"),
    ("Trainer::at", "--run FOLDER"),
    ("Trainer::resume", "train --resume FOLDER"),
    ("Sampler::open", "--checkpoint NAME"),
    ("Subject::open", "--checkpoint NAME"),
    ("Format::Onnx", "--to onnx"),
    ("export::Options::net", "--net NAME"),
    ("export::Options::pixels", "--pixels TYPE"),
    ("export::Options::layout", "--layout ORDER"),
    ("export::Options::half", "--half"),
    ("compare::Axis", "--vary KEY=VALUE,VALUE,..."),
    ("device::named", "--device NAME"),
    ("trainer::Options", "--epochs N, --steps N, --time DURATION"),
    ("judging::Options", "judge"),
    ("judging::Options::against", "--against DATASET"),
    ("judging::Options::parts", "--parts DIR"),
];

/// Reads the size of images: N or HEIGHTxWIDTH.
pub fn size(text: &str) -> Result<ImageSize, String> {
    text.parse()
        .map_err(|_| format!("expected N or HEIGHTxWIDTH such as 48x64, height first, at most {}", ImageSize::MAX))
}

/// What `name` is on the command line, if it is anything there.
fn flag(name: &str) -> Option<String> {
    if let Some((_, flag)) = FLAGS.iter().find(|(known, _)| *known == name) {
        return Some((*flag).to_owned());
    }
    let is_key = faussaire::recipe::Key::all().iter().any(|key| key.name == name);
    is_key.then(|| format!("--set {name}=VALUE"))
}

/// A line that says what the library's `names` are on the command line; nothing where none of them is anything there.
pub fn line(names: &[String]) -> Option<String> {
    let mut known: Vec<(&str, String)> = Vec::new();
    for name in names {
        match flag(name) {
            // Two names for one flag, such as a key and a method that sets it.
            Some(flag) if known.iter().any(|(_, other)| *other == flag) => {}
            Some(flag) => known.push((name, flag)),
            None => {}
        }
    }
    let lines: Vec<String> = known.iter().map(|(name, flag)| format!("{name}: {flag}")).collect();
    (!lines.is_empty()).then(|| lines.join("; "))
}

/// `hint` with the flags in place of the library's names where these are an aside: ``(`Trainer::at`)`` becomes
/// `(--run FOLDER)`.
pub fn in_asides(hint: &str) -> String {
    let mut text = String::new();
    let mut rest = hint;
    while let Some((before, aside, after)) = aside(rest) {
        text += before;
        let flags: Option<Vec<String>> =
            aside.split(", ").map(|item| typed(item.strip_prefix('`')?.strip_suffix('`')?)).collect();
        match flags {
            Some(flags) => text += &format!("({})", flags.join(", ")),
            None => text += &format!("({aside})"),
        }
        rest = after;
    }
    text + rest
}

/// The flag for `name` or `name=value`, if it is one that a person can type.
fn typed(name: &str) -> Option<String> {
    let (name, value) = name.split_once('=').map_or((name, None), |(name, value)| (name, Some(value)));
    let flag = flag(name).filter(|flag| flag.starts_with("--") || flag.starts_with("train --"))?;
    Some(match (value, flag.rsplit_once(' ')) {
        (Some(value), Some(("--set", _))) => format!("--set {}", quoted(&format!("{name}={value}"))),
        (Some(value), Some((flag, _))) => format!("{flag} {}", quoted(value)),
        _ => flag,
    })
}

/// What is before, in and after the first parentheses of `text`.
fn aside(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('(')?;
    let (inside, after) = rest.split_once(')')?;
    Some((before, inside, after))
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
        let twice = ["labels.names", "Recipe::conditioned"].map(String::from);
        assert_eq!(line(&twice).as_deref(), Some("labels.names: --conditional"));
        assert_eq!(line(&["faussaire".into(), "train.".into()]), None);
    }

    #[test]
    fn asides_name_the_flags_instead() {
        let hint = "choose another folder (`Trainer::at`), or resize (`data.size`, `data.channels`); see `train.batch` (below)";
        let expected = "choose another folder (--run FOLDER), or resize (--size N, --set data.channels=VALUE); see `train.batch` (below)";
        assert_eq!(in_asides(hint), expected);
        let hint = "take its weights (`train.init=a b/g.safetensors`) or (`data.channels=1`)";
        assert_eq!(in_asides(hint), "take its weights (--init 'a b/g.safetensors') or (--set data.channels=1)");
        assert_eq!(in_asides("a ( that never ends"), "a ( that never ends");
    }
}
