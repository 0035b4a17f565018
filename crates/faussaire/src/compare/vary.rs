//! The varied keys: `loss=gan,wgan-gp` and `batch=32,64` are two axes; their product, for every base
//! recipe, is the list of variants. A key without a dot is short for the usual one: `batch` for `train.batch`, `rate`
//! for both nets' learning rate.

use serde::{Deserialize, Serialize};

use super::Method;
use crate::data::did_you_mean;
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::recipe::TrainSettings;
use crate::registry::PREFIX;

/// Largest number of variants of a comparison: more is probably a typing error.
const MAX_VARIANTS: usize = 200;

/// One axis, `KEY=V1,V2,...`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// As given: `loss`, `train.batch`.
    pub key: String,
    /// The values in their order.
    pub values: Vec<String>,
}

/// One choice of a value on every axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice {
    /// Its display name: `wgan-gp batch=32`; empty if nothing is varied.
    pub name: String,
    /// Pairs of a key and its value, as given.
    pub values: Vec<(String, String)>,
}

impl Axis {
    /// Reads `KEY=V1,V2,...`. A comma inside brackets or quotes belongs to its value.
    ///
    /// # Errors
    /// Text of another form, an empty or repeated value.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |what: &str| {
            let hint = "for example loss=gan,wgan-gp,r3gan or train.batch=32,64 (`compare::Axis`)";
            Error::usage(format!("the axis {text}: {what}"), hint)
        };
        let (key, list) = text.split_once('=').ok_or_else(|| wrong("expected KEY=VALUE,VALUE,..."))?;
        let (key, values) = (key.trim().to_owned(), split(list));
        if key.is_empty() || values.iter().any(String::is_empty) {
            return Err(wrong("the key or a value is missing"));
        }
        if let Some(twice) = values.iter().enumerate().find(|(at, value)| values[..*at].contains(value)) {
            return Err(wrong(&format!("the value {} is given twice", twice.1)));
        }
        if ["loss", "train.loss"].contains(&key.as_str()) {
            values.iter().try_for_each(|value| known_loss(value).map_err(|what| wrong(&what)))?;
        }
        Ok(Self { key, values })
    }
}

/// Refuses what is neither a method nor a loss.
fn known_loss(value: &str) -> std::result::Result<(), String> {
    let methods = Method::ALL.iter().map(|method| method.name());
    let others = Loss::ALIASES.iter().map(|(other, _)| *other);
    let all: Vec<&str> = methods.chain(Loss::NAMES.iter().copied()).collect();
    let plain = |text: &str| text.to_lowercase().replace('_', "-");
    if value.starts_with(PREFIX) || all.iter().copied().chain(others).any(|known| plain(known) == plain(value)) {
        return Ok(());
    }
    let near = did_you_mean(value, all.iter().copied());
    Err(format!("there is no loss `{value}`; {near}expected one of {}", all.join(", ")))
}

/// Splits at commas outside of brackets and quotes.
fn split(list: &str) -> Vec<String> {
    let (mut depth, mut quoted) = (0i32, None);
    let mut values = vec![String::new()];
    for c in list.chars() {
        match c {
            ',' if depth == 0 && quoted.is_none() => {
                values.push(String::new());
                continue;
            }
            '[' | '{' if quoted.is_none() => depth += 1,
            ']' | '}' if quoted.is_none() => depth -= 1,
            '"' | '\'' if quoted.is_none() => quoted = Some(c),
            _ if quoted == Some(c) => quoted = None,
            _ => {}
        }
        if let Some(last) = values.last_mut() {
            last.push(c);
        }
    }
    values.into_iter().map(|value| value.trim().to_owned()).collect()
}

/// All choices, the last axis changing fastest; one empty choice where there is no axis.
///
/// # Errors
/// The same key on two axes, or too many choices.
pub fn choices(axes: &[Axis]) -> Result<Vec<Choice>> {
    let mut all = vec![Choice::default()];
    for (at, axis) in axes.iter().enumerate() {
        if axes[..at].iter().any(|other| other.key == axis.key) {
            let hint = "give all values to one axis (`compare::Axis`)";
            return Err(Error::usage(format!("the axis {} is given twice", axis.key), hint));
        }
        if all.len() * axis.values.len() > MAX_VARIANTS {
            let what = format!("more than {MAX_VARIANTS} variants");
            return Err(Error::usage(what, "vary fewer keys, or give fewer values"));
        }
        let with = |choice: &Choice, value: &String| {
            let last = axis.key.rsplit('.').next().unwrap_or(&axis.key);
            // A loss's name needs no key.
            let word = if last == "loss" { value.clone() } else { format!("{last}={value}") };
            let name = if choice.name.is_empty() { word } else { format!("{} {word}", choice.name) };
            let pair = (axis.key.clone(), value.clone());
            Choice { name, values: choice.values.iter().cloned().chain([pair]).collect() }
        };
        all = all.iter().flat_map(|choice| axis.values.iter().map(move |value| with(choice, value))).collect();
    }
    Ok(all)
}

impl Choice {
    /// Its changes to a recipe with these settings, as `key=value` with full keys.
    pub fn changes(&self, recipe: &TrainSettings) -> Vec<String> {
        self.values.iter().flat_map(|(key, value)| changes(key, value, recipe)).collect()
    }
}

fn changes(key: &str, value: &str, recipe: &TrainSettings) -> Vec<String> {
    let nets = |field: &str| ["generator", "discriminator"].map(|net| format!("{net}.adam.{field}={value}")).to_vec();
    match key {
        "loss" | "train.loss" => match Method::ALL.into_iter().find(|method| method.name() == value) {
            Some(method) => method.changes(recipe),
            None => vec![format!("train.loss={value}")],
        },
        "rate" | "learning_rate" | "lr" => nets("learning_rate"),
        "beta1" | "beta2" | "beta_1" | "beta_2" | "betas" => nets(key),
        // Top-level keys and dotted ones are complete.
        "latent" | "latent_dim" => vec![format!("{key}={value}")],
        _ if key.contains('.') => vec![format!("{key}={value}")],
        _ => vec![format!("train.{key}={value}")],
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn axis(text: &str) -> Axis {
        Axis::parse(text).unwrap()
    }

    #[test]
    fn commas_in_brackets_and_quotes_belong_to_the_value() {
        let text = r#"train.penalties={ r1 = 1.0, r2 = 1.0 },{},{ r1 = 5.0 }"#;
        assert_eq!(axis(text).values, ["{ r1 = 1.0, r2 = 1.0 }", "{}", "{ r1 = 5.0 }"]);
        let text = r#"train.augment.kinds=["colour","cutout"],["translation"]"#;
        assert_eq!(axis(text).values, [r#"["colour","cutout"]"#, r#"["translation"]"#]);
        assert_eq!(axis("data.source='a,b', c").values, ["'a,b'", "c"]);
        for wrong in ["loss", "=a", "loss=", "loss=a,,b", "loss=a,a"] {
            assert!(Axis::parse(wrong).unwrap_err().to_string().starts_with("the axis"), "{wrong}");
        }
        for (wrong, meant) in [("loss=gan,wgan-pg", "wgan-gp"), ("train.loss=hing", "hinge")] {
            let said = Axis::parse(wrong).unwrap_err().to_string();
            assert!(said.contains(&format!("did you mean `{meant}`?")), "{said}");
        }
        assert_eq!(axis("loss=bce,Hinge,own:mine").values.len(), 3);
    }

    #[test]
    fn choices_are_the_product() {
        let all = choices(&[axis("loss=gan,hinge"), axis("train.batch=32,64,128")]).unwrap();
        let names: Vec<&str> = all.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names[..4], ["gan batch=32", "gan batch=64", "gan batch=128", "hinge batch=32"]);
        assert_eq!(all.len(), 6);
        assert_eq!(choices(&[]).unwrap(), [Choice::default()]);
        assert!(choices(&[axis("loss=gan"), axis("loss=hinge")]).unwrap_err().to_string().contains("twice"));
        let many = (0..20).map(|i| i.to_string()).collect::<Vec<_>>().join(",");
        let many = [axis(&format!("batch={many}")), axis(&format!("latent={many}"))];
        assert!(choices(&many).unwrap_err().to_string().contains("200"));
    }

    #[test]
    fn short_keys_reach_their_place() {
        let recipe = TrainSettings::default();
        let of = |text: &str| choices(&[axis(text)]).unwrap()[0].changes(&recipe);
        assert_eq!(of("loss=hinge"), ["train.loss=hinge"]);
        assert_eq!(of("loss=wgan-gp"), Method::WganGp.changes(&recipe));
        assert_eq!(of("batch=8"), ["train.batch=8"]);
        assert_eq!(of("latent=8"), ["latent=8"]);
        assert_eq!(of("rate=1e-4"), ["generator.adam.learning_rate=1e-4", "discriminator.adam.learning_rate=1e-4"]);
        assert_eq!(of("learning_rate=1e-4"), of("rate=1e-4"));
        assert_eq!(of("discriminator.spectral=true"), ["discriminator.spectral=true"]);
    }
}
