//! The part of docs/recipes.md that lists the keys.

use super::Key;

/// Groups with their titles, in the order of a recipe; the nets' keys are listed once, for both.
const GROUPS: [(&str, &str); 5] = [
    ("data.", "`[data]`: the images"),
    ("labels.", "`[labels]`: labels of conditional nets"),
    ("generator.", "`[generator]` and `[discriminator]`: the nets; `*` is either"),
    ("train.", "`[train]`: the training"),
    ("", "At the top"),
];

/// Every key in Markdown: name, meaning, what is expected, default, other name.
pub fn reference() -> String {
    let mut text = String::new();
    let top = |key: &&Key| !key.name.contains('.');
    let mut list = |title: &str, keys: &mut dyn Iterator<Item = &Key>| {
        text.push_str(&format!("\n### {title}\n\n"));
        keys.for_each(|key| text.push_str(&line(key)));
    };
    let (nested, at_top) = GROUPS.split_at(GROUPS.len() - 1);
    list(at_top[0].1, &mut Key::all().iter().filter(top));
    for (prefix, title) in nested {
        list(title, &mut Key::all().iter().filter(|key| key.name.starts_with(prefix)));
    }
    text
}

fn line(key: &Key) -> String {
    let both = |name: &str| format!("`{}`", name.replacen("generator.", "*.", 1));
    let default = match (key.required, key.default.as_deref()) {
        (true, _) => "required".into(),
        (false, Some("")) => "default empty".into(),
        (false, Some(value)) => format!("default `{value}`"),
        (false, None) => "default none".into(),
    };
    let others: Vec<String> = key.names().skip(1).map(both).collect();
    let old = if others.is_empty() { String::new() } else { format!("; also read as {}", others.join(", ")) };
    format!("- {}: {} ({}; {default}{old})\n", both(&key.name), lower(&key.doc), key.kind.expected())
}

/// A sentence after a colon: in lower case, unless its first word is a name.
fn lower(doc: &str) -> String {
    let first = doc.split_whitespace().next().unwrap_or_default();
    let name = first.chars().skip(1).any(char::is_uppercase) || first.len() == 1 || first.contains('\'');
    let mut letters = doc.chars();
    match letters.next() {
        Some(letter) if !name => letter.to_lowercase().chain(letters).collect(),
        _ => doc.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: &str = "<!-- keys: generated from the table of keys; see the test beside `reference` -->\n";
    const END: &str = "\n<!-- end of the keys -->";

    /// With `UPDATE_DOCS=1` it writes the part instead.
    #[test]
    fn the_reference_lists_every_key() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/recipes.md");
        let text = std::fs::read_to_string(path).unwrap();
        let (before, rest) = text.split_once(BEGIN).unwrap();
        let (part, after) = rest.split_once(END).unwrap();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, format!("{before}{BEGIN}{}{END}{after}", reference())).unwrap();
            return;
        }
        assert!(part == reference(), "docs/recipes.md differs from the table: UPDATE_DOCS=1 cargo test reference");
    }
}
