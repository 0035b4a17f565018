//! What the library calls recipe keys and its own items, and what the command line calls them. Errors of the library name
//! the former; the command adds the latter.

use faussaire::recipe::ImageSize;

use crate::quoting::quoted;

/// Names of the library that have a flag of their own. Any other recipe key is set by `--set KEY=VALUE`.
const FLAGS: [(&str, &str); 30] = [
    ("data.source", "the DATASET of `train`, or `judge --against DATASET`"),
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
    ("trainer::Options", "--epochs N, --steps N or --time DURATION"),
    ("judging::Options", "`judge`"),
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

/// A line that says what the library's `names` are on the command line, but for those that `hint` has with their flags; nothing where
/// none of them is anything there.
pub fn line(names: &[String], hint: &str) -> Option<String> {
    let mut known: Vec<(&str, String)> = Vec::new();
    for name in names {
        match flag(name) {
            Some(flag) if hint.contains(&with_flag(name, &flag)) => {}
            // Two names for one flag, such as a key and a method that sets it.
            Some(flag) if known.iter().any(|(_, other)| *other == flag) => {}
            Some(flag) => known.push((name, flag)),
            None => {}
        }
    }
    let lines: Vec<String> = known.iter().map(|(name, flag)| format!("`{name}` is {flag}")).collect();
    (!lines.is_empty()).then(|| lines.join("; "))
}

/// A hint as it is printed: with the flags in asides instead of names, and behind the first mention of each other name.
pub fn in_hint(hint: &str) -> String {
    /// More flags would hide the sentence.
    const MOST: usize = 3;
    let mut text = String::new();
    let (mut seen, mut depth): (Vec<&str>, usize) = (Vec::new(), 0);
    let plain = in_asides(hint);
    let parts: Vec<&str> = plain.split('`').collect();
    for (at, &part) in parts.iter().enumerate() {
        let Some(after) = parts.get(at + 1).filter(|_| at % 2 == 1) else {
            text += if at % 2 == 1 { "`" } else { "" };
            text += part;
            depth = (depth + part.matches('(').count()).saturating_sub(part.matches(')').count());
            continue;
        };
        let is_alone = depth == 0 && !part.contains('=') && !after.starts_with(" (");
        match typed(part).filter(|_| is_alone && !seen.contains(&part)) {
            Some(flag) => {
                seen.push(part);
                text += &with_flag(part, &flag);
            }
            None => text += &format!("`{part}`"),
        }
    }
    if seen.len() > MOST { plain } else { text }
}

/// A name with its flag.
fn with_flag(name: &str, flag: &str) -> String {
    format!("`{name}` ({flag})")
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
        let expected = "`data.size` is --size N; `data.channels` is --set data.channels=VALUE; `Trainer::resume` is train --resume \
                        FOLDER";
        assert_eq!(line(&names, "").as_deref(), Some(expected));
        assert_eq!(line(&names[..2], &in_hint("set `data.size` and `data.channels`")), None);
        let twice = ["labels.names", "Recipe::conditioned"].map(String::from);
        assert_eq!(line(&twice, "").as_deref(), Some("`labels.names` is --conditional"));
        assert_eq!(line(&["faussaire".into(), "train.".into()], ""), None);
    }

    #[test]
    fn hints_have_the_flags_behind_the_names() {
        for (hint, expected) in [
            (
                "label these images, or leave out `labels.names`, to train without labels",
                "label these images, or leave out `labels.names` (--conditional), to train without labels",
            ),
            (
                "give `train.steps` or `train.epochs`; `train.steps` wins (`data.size`)",
                "give `train.steps` (--steps N) or `train.epochs` (--epochs N); `train.steps` wins (--size N)",
            ),
            (
                "name it (see `data.source` and `train.batch`) or `x`",
                "name it (see `data.source` and `train.batch`) or `x`",
            ),
            (
                "`train.batch`, `train.seed`, `train.steps`, `train.init`",
                "`train.batch`, `train.seed`, `train.steps`, `train.init`",
            ),
            ("set `train.loss=hinge`", "set `train.loss=hinge`"),
            ("see `train.batch` (below)", "see `train.batch` (below)"),
            ("an odd ` here", "an odd ` here"),
        ] {
            assert_eq!(in_hint(hint), expected);
        }
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
