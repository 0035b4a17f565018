//! A JSON schema of recipes, for completion and checks in editors.

use std::ops::Bound::{Excluded, Included};

use serde_json::{Map, Value, json};

use super::table::{AUTO, Entry, Line};
use super::{ImageSize, Key, Kind, settings};

/// The schema (draft 2020-12). It includes the other names of keys, marked as deprecated.
pub fn schema() -> Value {
    let mut schema = group(settings::ROOT, "");
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "A recipe of Faussaire".into();
    schema
}

fn group(lines: &'static [Line], at: &str) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for line in lines {
        let name = super::table::dotted(at, line.name);
        let (value, is_required) = property(line, &name);
        for other in line.other_names() {
            let mut earlier = value.clone();
            earlier["deprecated"] = true.into();
            earlier["description"] = format!("Another name of `{}`", line.name).into();
            properties.insert(other.into(), earlier);
        }
        if is_required {
            required.push(line.name);
        }
        properties.insert(line.name.into(), value);
    }
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// The schema of a line, and whether it is required.
fn property(line: &'static Line, name: &str) -> (Value, bool) {
    let (mut value, required) = match line.entry {
        Entry::Key { kind, required } => (of(&kind), required),
        Entry::Group(inner) => {
            let value = group(inner, name);
            let required = value["required"].as_array().is_some_and(|names| !names.is_empty());
            (value, required)
        }
    };
    value["description"] = line.doc.trim().trim_end_matches('.').into();
    let key = Key::all().iter().find(|key| key.name == name);
    if let Some(default) = key.and_then(|key| key.default.as_deref()) {
        value["default"] = default_of(&line.entry, default);
    }
    (value, required)
}

/// A default as JSON; texts and choices have no quotes in the table.
fn default_of(entry: &Entry, text: &str) -> Value {
    match entry {
        Entry::Key { kind: Kind::Text | Kind::Choice(_) | Kind::AutoSwitch, .. } => text.into(),
        _ => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
    }
}

fn of(kind: &Kind) -> Value {
    match kind {
        Kind::Integer { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::OneOf(numbers) => json!({ "enum": numbers }),
        Kind::Number { low, high } => {
            let mut value = json!({ "type": "number" });
            let mut set = |name: &str, bound: f64| value[name] = bound.into();
            match low {
                Included(low) => set("minimum", *low),
                Excluded(low) => set("exclusiveMinimum", *low),
                std::ops::Bound::Unbounded => (),
            }
            match high {
                Included(high) => set("maximum", *high),
                Excluded(high) => set("exclusiveMaximum", *high),
                std::ops::Bound::Unbounded => (),
            }
            value
        }
        Kind::Size => json!({ "anyOf": [
            { "type": "integer", "minimum": 0, "maximum": ImageSize::MAX },
            { "type": "string", "pattern": "^[0-9]+x[0-9]+$" },
        ] }),
        Kind::Switch => json!({ "type": "boolean" }),
        Kind::AutoSwitch => json!({ "enum": [AUTO, true, false] }),
        Kind::Choice(words) => json!({ "enum": words }),
        Kind::Text => json!({ "type": "string" }),
        Kind::List(item) => json!({ "type": "array", "items": of(item) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Preset;

    /// Whether `value` is valid under `schema`, of which it knows the words that [`schema`] writes and no others.
    fn valid(schema: &Value, value: &Value) -> bool {
        schema.as_object().unwrap().iter().all(|(word, is)| {
            let (number, bound) = (value.as_f64(), is.as_f64());
            match word.as_str() {
                "$schema" | "title" | "description" | "default" | "deprecated" => true,
                "type" => match is.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "integer" => value.is_u64() || value.is_i64(),
                    "number" => value.is_number(),
                    other => panic!("type {other}"),
                },
                "enum" => is.as_array().unwrap().contains(value),
                "minimum" => number >= bound,
                "maximum" => number <= bound,
                "exclusiveMinimum" => number > bound,
                "exclusiveMaximum" => number < bound,
                "anyOf" => is.as_array().unwrap().iter().any(|one| valid(one, value)),
                "pattern" => {
                    assert_eq!(is, "^[0-9]+x[0-9]+$");
                    let sides = value.as_str().and_then(|text| text.split_once('x'));
                    let digits = |side: &str| !side.is_empty() && side.bytes().all(|b| b.is_ascii_digit());
                    sides.is_some_and(|(h, w)| digits(h) && digits(w))
                }
                "items" => value.as_array().unwrap().iter().all(|item| valid(is, item)),
                "required" => is.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some()),
                "properties" => is
                    .as_object()
                    .unwrap()
                    .iter()
                    .all(|(name, is)| value.get(name).is_none_or(|value| valid(is, value))),
                "additionalProperties" => {
                    let known = schema["properties"].as_object().unwrap();
                    value.as_object().unwrap().keys().all(|name| known.contains_key(name))
                }
                other => panic!("the schema has {other}, which this test doesn't know"),
            }
        })
    }

    fn json_of(text: &str) -> Value {
        serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap()
    }

    #[test]
    fn every_preset_is_valid_and_every_default_too() {
        let schema = schema();
        for preset in Preset::ALL {
            assert!(valid(&schema, &json_of(preset.text())), "{}", preset.name());
            let whole = crate::Recipe::parse(preset.text(), preset.name(), &[]).unwrap().to_toml().unwrap();
            assert!(valid(&schema, &json_of(&whole)), "{} with every key", preset.name());
        }
        let defaults = |schema: &Value| {
            schema["properties"].as_object().unwrap().values().for_each(|one| {
                assert!(one.get("default").is_none_or(|default| valid(one, default)), "{one}");
            });
        };
        defaults(&schema["properties"]["train"]);
        defaults(&schema["properties"]["generator"]["properties"]["adam"]);
    }

    #[test]
    fn what_parsing_refuses_is_invalid() {
        let tp = json_of(Preset::Tp.text());
        for (group, key, value) in [
            ("train", "batch", json!(0)),
            ("train", "batch", json!("abc")),
            ("train", "loss", json!("wgna")),
            ("train", "smoothing", json!(0.5)),
            ("train", "bacth", json!(1)),
            ("data", "channels", json!(2)),
            ("data", "size", json!(-1)),
            ("data", "size", json!("48,64")),
            ("data", "size", json!([48, 64])),
            ("data", "mirror", json!(1)),
            ("generator", "layers", json!([1])),
        ] {
            let mut bad = tp.clone();
            bad[group][key] = value;
            assert!(!valid(&schema(), &bad), "{group}.{key}");
            let text = toml::to_string(&bad).unwrap();
            assert!(crate::Recipe::parse(&text, "bad", &[]).is_err(), "{group}.{key}");
        }
        for missing in ["latent", "generator"] {
            let mut bad = tp.clone();
            bad.as_object_mut().unwrap().remove(missing);
            assert!(!valid(&schema(), &bad), "{missing}");
        }
    }
}
