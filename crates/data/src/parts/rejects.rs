//! Folders of images that somebody took out of a set, by a word or a sign in their names: `cat/rejected/`, `cat/_old/`, `excluded/`.
//!
//! A class may be called `bad` or `trash`. Beside images such a folder is none; beside other folders it is one, but for words that
//! no class has.

use super::words;

/// Words for what was taken out, in lower case with a space between them. Those of the second list may be names of classes as well.
const TAKEN_OUT: [&str; 18] = [
    "rejected",
    "reject",
    "rejects",
    "excluded",
    "exclude",
    "discarded",
    "discard",
    "deleted",
    "removed",
    "aussortiert",
    "aussortierte",
    "ausgeschlossen",
    "nicht verwenden",
    "do not use",
    "tmp",
    "temp",
    "papierkorb",
    "gelöscht",
];
const MAY_BE_CLASSES: [&str; 3] = ["trash", "corbeille", "junk"];
const BAD: [&str; 9] =
    ["bad", "schlecht", "blurry", "unscharf", "duplicate", "duplicates", "duplikate", "doppelt", "dupes"];

/// Words for what was kept, beside which `rejected` is a class.
const KEPT: [&str; 9] = ["accepted", "accept", "approved", "ok", "good", "pass", "passed", "included", "kept"];

/// Folders beside `trash`, at most, if this is what was taken out of a class.
const MAX_BESIDE: usize = 2;

/// Whether the name of a file or column has a word for what was taken out.
pub(crate) fn means_taken_out(name: &str) -> bool {
    const OTHERS: [&str; 3] = ["ignore", "blacklist", "remove"];
    let known = |word: &String| TAKEN_OUT.iter().chain(&BAD).chain(&OTHERS).any(|known| known == word);
    words(name).iter().any(known)
}

/// Which of the folders `names`, each with as many files in and below it as `totals` says, were taken out of the `files` beside them, or
/// of the other folders. `is_in_class`: they are in a folder with others beside it.
pub(super) fn rejected(names: &[&str], totals: &[usize], files: usize, is_in_class: bool) -> Vec<bool> {
    let said: Vec<String> = names.iter().map(|name| words(name).join(" ")).collect();
    let is_in = |list: &[&str], at: usize| list.contains(&said[at].as_str());
    let is_out = |at: usize| is_in(&TAKEN_OUT, at);
    let may_be = |at: usize| is_out(at) || is_in(&MAY_BE_CLASSES, at);
    let others = (0..names.len()).filter(|at| !may_be(*at)).count();
    let is_kept = (0..names.len()).any(|at| is_in(&KEPT, at));
    let is_rejected = |at: usize| {
        let is_marked = names[at].starts_with('_');
        let of_images = (may_be(at) || is_in(&BAD, at) || is_marked) && files >= totals[at];
        let of_folders = is_out(at) && others > 1 || may_be(at) && is_marked && others > 0;
        let of_class = is_in_class && may_be(at) && (1..=MAX_BESIDE).contains(&others);
        of_images || ((of_folders || of_class) && !is_kept)
    };
    (0..names.len()).map(is_rejected).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_out_is_told_from_classes() {
        for (names, files, is_in_class, expected) in [
            // Beside images.
            ("bad blurry good", 12, false, "bad blurry"),
            ("rejected _old bad", 6, true, "rejected _old bad"),
            ("_excluded", 12, false, "_excluded"),
            // Beside folders.
            ("cat dog rejected", 0, false, "rejected"),
            ("Hund Katze Aussortiert", 0, false, "Aussortiert"),
            ("cat dog _trash", 1, false, "_trash"),
            ("done trash", 0, true, "trash"),
            // Classes.
            ("bad good", 1, false, ""),
            ("accepted pending rejected", 0, false, ""),
            ("cardboard glass metal paper plastic trash", 0, true, ""),
            ("paper plastic trash", 0, false, ""),
            ("_hidden cat dog", 0, false, ""),
            ("cat rejected", 0, false, ""),
        ] {
            let names: Vec<&str> = names.split(' ').collect();
            let found = rejected(&names, &vec![4; names.len()], files, is_in_class);
            let found: Vec<&str> = names.iter().zip(found).filter(|(_, is)| *is).map(|(name, _)| *name).collect();
            assert_eq!(found.join(" "), expected, "{names:?}");
        }
    }
}
