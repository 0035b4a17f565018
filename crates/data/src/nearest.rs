//! Suggestions for mistyped words: "did you mean ...?".

/// The candidate with the smallest edit distance to `word`, if it is small enough for a typo.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (edits(&word, &candidate.to_lowercase()), candidate))
        .filter(|(edits, _)| *edits <= allowed)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// "did you mean `NAME`? " for the candidate nearest to `word`, to be put before the accepted words; empty without one.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates).map_or_else(String::new, |near| format!("did you mean `{near}`? "))
}

/// The edit distance with transpositions of `a` and `b` (optimal string alignment).
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let substituted = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = substituted.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (a, b, count) in [("", "abc", 3), ("mnist", "mnist", 0), ("mnsit", "mnist", 1), ("kitten", "sitting", 3)] {
            assert_eq!((edits(a, b), edits(b, a)), (count, count), "{a} {b}");
        }
    }

    #[test]
    fn typos_get_a_suggestion_and_other_words_do_not() {
        let known = ["mnist", "fashion-mnist", "strokes"];
        assert_eq!(nearest("MNSIT", known), Some("mnist"));
        assert_eq!(nearest("fashion_mnist", known), Some("fashion-mnist"));
        assert_eq!(nearest("stroke", known), Some("strokes"));
        assert_eq!(nearest("imagenet", known), None);
        assert_eq!(nearest("", known), None);
        assert_eq!(did_you_mean("mnits", known), "did you mean `mnist`? ");
        assert_eq!(did_you_mean("imagenet", known), "");
    }
}
