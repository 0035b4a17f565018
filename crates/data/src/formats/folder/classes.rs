//! Classes from subfolders: images in two or more sibling folders are labelled by folder.

use std::collections::HashMap;

use crate::formats::archive::common_folders;

/// Labels from the first path component that differs between files, if it has two or more values and every image is in such
/// a folder. Folders named by numbers are sorted numerically.
pub fn classes<'a>(names: impl Iterator<Item = &'a str> + Clone) -> (Option<Vec<u32>>, Vec<String>) {
    let shared = common_folders(names.clone());
    let class = |name: &'a str| name[shared..].split_once('/').map(|(folder, _)| folder);
    let Some(mut classes) = names.clone().map(class).collect::<Option<Vec<&str>>>() else {
        return (None, Vec::new());
    };
    // Neighbours mostly share a folder, so that little is left to sort.
    classes.dedup();
    classes.sort_unstable();
    classes.dedup();
    if classes.len() < 2 {
        return (None, Vec::new());
    }
    if classes.iter().all(|class| class.parse::<u64>().is_ok()) {
        classes.sort_by_key(|class| class.parse::<u64>().unwrap_or(u64::MAX));
    }
    let rank: HashMap<&str, u32> = classes.iter().copied().zip(0..).collect();
    let labels = names.filter_map(class).map(|class| rank[class]).collect();
    (Some(labels), classes.into_iter().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_need_two_folders_and_no_stray() {
        let of = |files: &[&'static str]| classes(files.iter().copied());
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        assert_eq!(of(&["10/a", "9/b", "9/c/d"]), (Some(vec![1, 0, 0]), names(&["9", "10"])));
        assert_eq!(of(&["cat/a", "10/b"]), (Some(vec![1, 0]), names(&["10", "cat"])));
        assert_eq!(of(&["all/cat/a", "all/dog/b"]), (Some(vec![0, 1]), names(&["cat", "dog"])));
        assert_eq!(of(&["cat/a", "cat/b"]), (None, names(&[])));
        assert_eq!(of(&["cat/a", "dog/b", "c"]), (None, names(&[])));
        assert_eq!(of(&["all/cat/a", "all/b"]), (None, names(&[])));
    }
}
