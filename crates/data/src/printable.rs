//! Text of others' making (names of files, lines of logs, what a server answered) as it may be printed. A terminal obeys
//! control characters: they can colour, move, erase and retitle what it shows.

use std::borrow::Cow;
use std::path::Path;

/// `text` with every character that a terminal obeys written as `\u001b`, an escape of JSON and TOML, too. Ends of lines and
/// tabs stay.
///
/// ```
/// use faussaire_data::printable; // faussaire::data
///
/// assert_eq!(printable("cat\u{1b}[31m.png\n"), "cat\\u001b[31m.png\n");
/// ```
pub fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c != '\n' && c != '\t' && is_obeyed(c))
}

/// `path` in one line, as [`printable`]: a name may have ends of lines, too.
pub fn printable_path(path: &Path) -> String {
    escaped(&path.to_string_lossy(), is_obeyed).into_owned()
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut printed = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match is_escaped(c) {
            true => printed += &format!("\\u{:04x}", u32::from(c)),
            false => printed.push(c),
        }
    }
    Cow::Owned(printed)
}

/// Whether a terminal acts on `c` instead of showing it: control characters, and those that reverse the direction of text.
fn is_obeyed(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_shown() {
        let text = "a\u{1b}]0;x\u{7}b\rc\u{9b}1m\u{202e}d\u{7f}";
        let shown = printable(text);
        assert_eq!(shown, "a\\u001b]0;x\\u0007b\\u000dc\\u009b1m\\u202ed\\u007f");
        // JSON reads it as the same text.
        let json: String = serde_json::from_str(&format!("\"{shown}\"")).unwrap();
        assert_eq!(json, text);
    }

    #[test]
    fn plain_text_is_unchanged() {
        assert!(matches!(printable("Ünï\tcode ✓ 日本\n"), Cow::Borrowed(_)));
        assert_eq!(printable_path(Path::new("a\nerror: b")), "a\\u000aerror: b");
    }
}
