//! Names that are written in several ways: in capitals or not, with accents in one character or two, with spaces around.

use std::borrow::Cow;
use std::collections::BTreeMap;

use unicode_normalization::{UnicodeNormalization, is_nfc_quick};

/// Pairs that are listed in a remark.
const MAX_PAIRS: usize = 3;

/// A name in one spelling: composed characters in lower case, one space between words.
pub(crate) fn plain(name: &str) -> String {
    let composed: Cow<'_, str> = match is_nfc_quick(name.chars()) {
        unicode_normalization::IsNormalized::Yes => name.into(),
        _ => name.nfc().collect::<String>().into(),
    };
    composed.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A remark on names of classes that differ only in their spelling.
pub(crate) fn alike(names: &[String]) -> Option<String> {
    let mut spelled: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    names.iter().for_each(|name| spelled.entry(plain(name)).or_default().push(name));
    let several: Vec<String> = spelled
        .into_values()
        .filter(|spellings| spellings.len() > 1)
        .map(|spellings| spellings.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(" and "))
        .collect();
    let more =
        if several.len() > MAX_PAIRS { format!("; and {} more", several.len() - MAX_PAIRS) } else { String::new() };
    let listed = several[..several.len().min(MAX_PAIRS)].join("; ");
    (!several.is_empty()).then(|| {
        format!("classes that differ only in capitals, spaces or accents are different classes: {listed}{more}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_has_one_spelling() {
        for (one, other) in [("IMG_1", "img_1"), ("e\u{301}", "É"), (" a  b ", "a b"), ("\u{1100}\u{1161}", "가")] {
            assert_eq!(plain(one), plain(other), "{one}");
        }
        assert_ne!(plain("e"), plain("é"));
    }

    #[test]
    fn classes_of_one_name_are_remarked() {
        let of = |names: &[&str]| alike(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["cat", "dog"]), None);
        let expected = "classes that differ only in capitals, spaces or accents are different classes: \"Cat\" and \"cat\" \
                        and \"cat \"";
        assert_eq!(of(&["Cat", "cat", "cat ", "dog"]).as_deref(), Some(expected));
    }
}
