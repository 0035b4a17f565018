//! A call in Python, `layers.Conv2D(64, (4, 4), strides=2)`: its name, the modules before it, and its arguments. Each is
//! taken by name; what is left over is an error.

use super::{Reading, expanded};
use faussaire_data::did_you_mean;

/// A call with its arguments by name.
pub(super) struct Call {
    /// The modules before the name: `tf.keras.layers`; empty without.
    pub modules: String,
    /// As it was written: `Conv2D`.
    pub name: String,
    /// The arguments, the positional ones as yet without a name.
    arguments: Vec<(String, String)>,
    /// The names that were asked for, for suggestions.
    known: Vec<&'static str>,
}

impl Call {
    /// Reads `line`; `None` if it is no call. Keras's `model.add(...)` around it is left out.
    pub fn read(line: &str) -> Reading<Option<Self>> {
        let mut line = line.trim().trim_end_matches(',').trim();
        let Some((path, _)) = line.split_once('(') else { return Ok(None) };
        if path.trim_end().ends_with(".add")
            && let Some(inner) = line.strip_suffix(')').and_then(|line| line.split_once('('))
        {
            line = inner.1.trim();
        }
        let Some((path, arguments)) = line.split_once('(') else { return Ok(None) };
        let Some(arguments) = arguments.strip_suffix(')') else {
            return Err("the line has an opening parenthesis but doesn't end with a closing one".into());
        };
        let path = path.trim();
        let (modules, name) = path.rsplit_once('.').unwrap_or(("", path));
        let named = |argument: String| match argument.split_once('=').filter(|(key, _)| is_word(key)) {
            Some((key, value)) => (key.trim().to_string(), value.trim().to_string()),
            None => (String::new(), argument),
        };
        let arguments = parts(arguments).into_iter().map(named).collect();
        Ok(Some(Self { modules: modules.into(), name: name.trim().into(), arguments, known: Vec::new() }))
    }

    /// Gives the positional arguments their names, in this order.
    pub fn order(&mut self, names: &[&'static str]) -> Reading<()> {
        for (place, (name, value)) in self.arguments.iter_mut().enumerate() {
            if name.is_empty() {
                let Some(known) = names.get(place) else {
                    return Err(format!("`{value}` is not understood here; write its name before it"));
                };
                *name = (*known).into();
            }
        }
        let mut names: Vec<&str> = self.arguments.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(twice) => Err(format!("`{}` is given twice", twice[0])),
            None => Ok(()),
        }
    }

    /// Removes and returns an argument, without quotation marks; `None` stands for none.
    pub fn take(&mut self, name: &'static str) -> Option<String> {
        self.known.push(name);
        let at = self.arguments.iter().position(|(known, _)| known == name)?;
        let value = unquoted(&self.arguments.remove(at).1).to_string();
        (value != "None").then_some(value)
    }

    /// An argument that must be there.
    pub fn needed(&mut self, name: &'static str) -> Reading<String> {
        self.take(name).ok_or_else(|| format!("expected `{name}`"))
    }

    /// A whole number or a product of some, without spaces.
    pub fn size(&mut self, name: &'static str) -> Reading<String> {
        Ok(self.needed(name)?.replace(' ', ""))
    }

    /// ` word value` if the argument is given.
    pub fn option(&mut self, name: &'static str, word: &str) -> String {
        self.take(name).map_or(String::new(), |value| format!(" {word} {value}"))
    }

    /// Accepts an argument with one of the `values` that change nothing here, and refuses others for the reason `why`.
    pub fn neutral(&mut self, name: &'static str, values: &[&str], why: &str) -> Reading<()> {
        match self.take(name) {
            Some(value) if !values.contains(&value.replace(' ', "").as_str()) => {
                Err(format!("`{name}={value}` has no counterpart here: {why}"))
            }
            _ => Ok(()),
        }
    }

    /// Accepts arguments that have no effect on the result, whatever their values are.
    pub fn without_effect(&mut self, names: &[&'static str]) {
        names.iter().for_each(|name| drop(self.take(name)));
    }

    /// Whether a switch is on.
    pub fn switch(&mut self, name: &'static str, default: bool) -> Reading<bool> {
        match self.take(name).as_deref() {
            None => Ok(default),
            Some("True" | "true" | "1") => Ok(true),
            Some("False" | "false" | "0") => Ok(false),
            Some(other) => Err(format!("expected `{name}` True or False, found `{other}`")),
        }
    }

    /// Checks that no arguments remain.
    pub fn end(self) -> Reading<()> {
        let Some((name, value)) = self.arguments.first() else { return Ok(()) };
        let near = did_you_mean(name, self.known.iter().copied());
        Err(match near.is_empty() {
            true => format!("`{name}={value}` has no counterpart here"),
            false => format!("`{}` knows no `{name}`: {}", self.name, near.trim_end()),
        })
    }
}

/// Whether `text` is a name before `=`, not part of a value such as `f(a=1)` or `a==b`.
fn is_word(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The line of an activation: its name, a function such as `tf.nn.relu`, or a layer such as `LeakyReLU(0.2)`; `None` for
/// a linear one.
pub(super) fn activation(text: &str) -> Reading<Option<String>> {
    let text = unquoted(text.trim());
    if text.contains('(') {
        let mut lines = expanded(text)?;
        return match (lines.pop(), lines.is_empty()) {
            (Some(line), true) if is_activation(&line) => Ok(Some(line)),
            _ => Err(format!("`{text}` is no activation")),
        };
    }
    let name = text.rsplit('.').next().unwrap_or(text).to_lowercase();
    match name.as_str() {
        "linear" | "none" | "identity" | "" => Ok(None),
        // Keras's function and layer have different defaults.
        "leaky_relu" => Ok(Some("leakyrelu 0.2".into())),
        "relu" | "tanh" | "sigmoid" | "softmax" => Ok(Some(name)),
        _ => {
            let near = did_you_mean(&name, ["relu", "leaky_relu", "tanh", "sigmoid", "softmax", "linear"]);
            Err(format!("{near}expected activation relu, leaky_relu, tanh, sigmoid, softmax or linear, found `{text}`"))
        }
    }
}

fn is_activation(line: &str) -> bool {
    let word = line.split(' ').next().unwrap_or_default();
    ["relu", "leakyrelu", "tanh", "sigmoid", "softmax"].contains(&word)
}

/// Splits `text` at commas outside brackets.
pub(super) fn parts(text: &str) -> Vec<String> {
    let (mut parts, mut depth, mut part) = (Vec::new(), 0, String::new());
    for c in text.chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 {
            parts.push(std::mem::take(&mut part));
        } else {
            part.push(c);
        }
    }
    parts.push(part);
    parts.into_iter().map(|part| part.trim().to_string()).filter(|part| !part.is_empty()).collect()
}

pub(super) fn unquoted(text: &str) -> &str {
    text.trim_matches(['"', '\''])
}

/// `text` without the brackets around all of it.
pub(super) fn inside(text: &str) -> &str {
    let text = text.trim();
    let bare = |open: char, close: char| text.strip_prefix(open).and_then(|text| text.strip_suffix(close));
    bare('(', ')').or_else(|| bare('[', ']')).unwrap_or(text)
}

/// The numbers of `(7, 7, 64)`, `[7, 7, 64]` or `7`.
pub(super) fn numbers(text: &str) -> Vec<String> {
    parts(inside(text)).into_iter().map(|n| n.replace(' ', "")).collect()
}

/// `(4, 3)` as `4x3`.
pub(super) fn pair(text: &str) -> String {
    numbers(text).join("x")
}

/// `(2, 2)` as `2`.
pub(super) fn square(text: &str) -> Reading<String> {
    match &numbers(text)[..] {
        [one] => Ok(one.clone()),
        [one, other] if one == other => Ok(one.clone()),
        _ => Err(format!("expected the same factor in both directions, found `{text}`")),
    }
}
