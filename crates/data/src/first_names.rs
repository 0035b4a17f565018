//! Lists of names in messages: the first ones, and whether there are more.

use std::path::Path;

use crate::printable::printable_path;

/// The first names in one line, `most` of them: `a, b, c` or `a, b, ...`.
pub fn first_names(names: &[impl AsRef<str>], most: usize) -> String {
    let listed: Vec<String> = names.iter().take(most).map(|name| printable_path(Path::new(name.as_ref()))).collect();
    let more = if names.len() > most { ", ..." } else { "" };
    listed.join(", ") + more
}

#[cfg(test)]
mod tests {
    use super::first_names;

    #[test]
    fn more_names_are_said() {
        assert_eq!(first_names(&["a", "b"], 2), "a, b");
        assert_eq!(first_names(&["a".to_owned(), "b".to_owned(), "c".to_owned()], 2), "a, b, ...");
        assert_eq!(first_names(&["a\nb", "c"], 2), "a\\u000ab, c");
        assert_eq!(first_names(&[] as &[&str], 2), "");
    }
}
