//! What a data set is called within the names of extractors and scores.

use faussaire_data::Dataset;

/// The name of `data` within an extractor's name: the last part of a path, without `train` or `test`.
pub(crate) fn data_name(data: &dyn Dataset) -> String {
    plain_name(&data.name())
}

fn plain_name(name: &str) -> String {
    let is_half = |part: &&str| ["train", "test", "val"].contains(part);
    let mut parts = name.split(['/', '\\']).rev().filter(|part| !part.is_empty()).peekable();
    let last = parts.next_if(is_half);
    let name = parts.next().or(last).unwrap_or_default();
    name.replace(' ', "-").replace("-test", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_named_by_the_last_part_of_their_path() {
        for (name, plain) in [
            ("mnist-test", "mnist"),
            ("/data/my photos/", "my-photos"),
            ("photos/train", "photos"),
            ("photos/test", "photos"),
            ("test", "test"),
            ("quickdraw:sheep", "quickdraw:sheep"),
            ("a\\b.npy", "b.npy"),
            ("", ""),
        ] {
            assert_eq!(plain_name(name), plain, "{name}");
        }
    }
}
