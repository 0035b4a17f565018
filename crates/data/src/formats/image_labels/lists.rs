//! Parts of sets whose folders name none, from files beside the images: CelebA's list of partitions, lists such as `train.txt` and
//! `test.txt` with the names of the images, `train_test_split.txt`, or a column such as `split` of a table.

use std::collections::{BTreeMap, BTreeSet};

use super::{Sources, counted, listed, parts_by_column, parts_by_number, unclear_parts};
use crate::first_names::first_names;
use crate::parts::{Part, means_taken_out, part_of, rest_of};

/// Share of the images of which more must be listed, in percent; the others are in no part.
const MIN_LISTED: usize = 50;

/// Share of the lines of a list that must name an image, in percent.
const MIN_NAMED: usize = 90;

/// Lists that are named.
const MAX_SAID: usize = 3;

/// Parts of the images, and the files that list them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Lists {
    /// The part of each image; `None` if no list has it.
    pub parts: Vec<Option<Part>>,
    /// Number and name of the files that list each part.
    pub files: BTreeMap<Part, String>,
    /// The numbers of the files.
    pub used: Vec<usize>,
    /// What to say of the lists.
    pub remark: Option<String>,
}

/// The parts by the files beside the images; without files, if they don't list nearly all images, training images and others among
/// them.
pub(crate) fn lists(sources: &Sources<'_>) -> Lists {
    let mut remark = None;
    for find in [partition, by_number, by_list, by_column] {
        let Some(found) = find(sources) else { continue };
        let listed = found.parts.iter().flatten().count();
        let all = found.parts.len();
        // A table beside the set may be about another one.
        let is_outside = found.used.iter().all(|at| sources.sidecars()[*at].is_outside);
        if found.is_whole() && (!is_outside || listed * 100 >= all * MIN_NAMED) {
            return found;
        }
        if is_outside {
            continue;
        }
        let files: BTreeSet<&String> = found.files.values().collect();
        let files = first_names(&files.into_iter().collect::<Vec<_>>(), MAX_SAID);
        let why = match found.has_parts() {
            true if listed * 10 >= all => format!("only {listed} of {all} images are listed"),
            false if found.remark.is_some() => {
                "the images to learn from are listed for another part as well".to_owned()
            }
            false if listed > 0 && listed < all && found.files.keys().eq([&Part::Train]) => {
                format!("only {listed} of {all} images are listed")
            }
            _ => continue,
        };
        remark = remark.or_else(|| Some(format!("{files}: {why}, so that all are learned from")));
    }
    let remark = remark.or_else(|| unclear_parts(sources)).or_else(|| taken_out(sources));
    Lists { remark, ..Lists::default() }
}

impl Lists {
    fn of_one_file(parts: Vec<Option<Part>>, at: usize, name: &str) -> Self {
        let files = parts.iter().flatten().map(|part| (*part, name.to_owned())).collect();
        Self { parts, files, used: vec![at], remark: None }
    }

    fn has_parts(&self) -> bool {
        let others = self.parts.iter().flatten().any(|part| *part != Part::Train);
        others && self.parts.contains(&Some(Part::Train))
    }

    fn is_whole(&self) -> bool {
        let listed = self.parts.iter().flatten().count();
        listed * 100 > self.parts.len() * MIN_LISTED && self.has_parts()
    }
}

/// CelebA's list: 0 for training, 1 for validation and 2 for test images.
fn partition(sources: &Sources<'_>) -> Option<Lists> {
    for (at, sidecar) in sources.tables() {
        if !sidecar.stem().to_lowercase().contains("partition") {
            continue;
        }
        let Some(Ok(table)) = sources.table(at).filter(|table| table.as_ref().is_ok_and(|table| table.columns() == 2))
        else {
            continue;
        };
        let joined = sources.index().join(table.column(0), sidecar.scope());
        let mut parts = vec![None; sources.index().len()];
        for (value, image) in table.column(1).zip(&joined.image) {
            let part = match value {
                "0" => Part::Train,
                "1" => Part::Validation,
                "2" => Part::Test,
                _ => continue,
            };
            if let Some(image) = image {
                parts[*image as usize] = Some(part);
            }
        }
        if parts.iter().any(Option::is_some) {
            return Some(Lists::of_one_file(parts, at, &sidecar.name));
        }
    }
    None
}

fn by_number(sources: &Sources<'_>) -> Option<Lists> {
    let (parts, at) = parts_by_number(sources)?;
    Some(Lists::of_one_file(parts, at, &sources.sidecars()[at].name))
}

fn by_column(sources: &Sources<'_>) -> Option<Lists> {
    let found = parts_by_column(sources)?;
    let column = if found.column.is_empty() { "a column".to_owned() } else { format!("column {}", found.column) };
    let name = format!("{column} of {}", sources.sidecars()[found.table].name);
    let remark = found.other.map(|word| format!("{word:?} in {name} is no word for a part"));
    Some(Lists { remark, ..Lists::of_one_file(found.parts, found.table, &name) })
}

/// What is to be said of a list of images that are not to be learned from, by its name.
fn taken_out(sources: &Sources<'_>) -> Option<String> {
    let lists = sources.tables().filter(|(_, sidecar)| !sidecar.is_outside && means_taken_out(sidecar.stem()));
    lists.into_iter().find_map(|(at, sidecar)| {
        let images = listed_in(sources, at).filter(|images| !images.is_empty())?;
        let count = if images.len() == 1 { "1 image".to_owned() } else { format!("{} images", images.len()) };
        Some(format!(
            "{} is not used: {count} that it lists are learned from; a folder excluded/ beside the others leaves them aside",
            sidecar.name
        ))
    })
}

/// The images in a table, or in the lines of a list whose names have blanks.
fn listed_in(sources: &Sources<'_>, at: usize) -> Option<Vec<u32>> {
    let by_table = sources.table(at)?.as_ref().ok().and_then(|table| listed(sources, at, table));
    by_table.filter(|images| !images.is_empty()).or_else(|| {
        let sidecar = &sources.sidecars()[at];
        if !matches!(sidecar.extension().as_str(), "txt" | "lst" | "list") {
            return None;
        }
        let bytes = sidecar.read().ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let images: Vec<u32> =
            sources.index().join(lines.iter().copied(), sidecar.scope()).image.into_iter().flatten().collect();
        (!images.is_empty() && images.len() * 100 >= lines.len() * MIN_NAMED).then_some(images)
    })
}

/// Files of one folder and kind, one for each part. Tables (CSV) must label the training images; Kaggle's `test.csv` lists images
/// without labels, which may be others of the same names.
fn by_list(sources: &Sources<'_>) -> Option<Lists> {
    /// Whether they are beside the set, folder, extension and what else the name says.
    type Group<'a> = (bool, &'a str, String, String);
    let mut groups: BTreeMap<Group<'_>, Vec<(usize, Part)>> = BTreeMap::new();
    for (at, sidecar) in sources.tables() {
        let extension = sidecar.extension();
        if let Some(part) = part_of(sidecar.stem()) {
            // Of several splits (`train1.txt`, `train2.txt`) the first.
            let number: String = sidecar.stem().chars().filter(char::is_ascii_digit).collect();
            let rest = format!("{}{number}", rest_of(sidecar.stem()));
            groups.entry((sidecar.is_outside, sidecar.folder(), extension, rest)).or_default().push((at, part));
        }
    }
    let found = groups.into_iter().filter_map(|((is_outside, _, extension, _), mut files)| {
        let has =
            |wanted: &str| files.iter().any(|(at, _)| sources.sidecars()[*at].stem().eq_ignore_ascii_case(wanted));
        // trainval.txt lists what train.txt and val.txt do.
        if has("train") && has("val") {
            files.retain(|(at, _)| !sources.sidecars()[*at].stem().eq_ignore_ascii_case("trainval"));
        }
        let mut parts: Vec<Option<Part>> = vec![None; sources.index().len()];
        let (mut twice, mut example) = (0, 0);
        let needs_labels = !matches!(extension.as_str(), "txt" | "lst" | "list" | "json");
        files.sort_by_key(|(_, part)| *part);
        for (at, part) in &files {
            let lacks_labels = needs_labels && !crate::image_labels::has_labels(sources, *at);
            if lacks_labels && *part == Part::Train {
                return None;
            }
            let listed = listed_in(sources, *at)?;
            if lacks_labels && listed.iter().any(|image| parts[*image as usize].is_some()) {
                return None;
            }
            for image in listed {
                let before = parts[image as usize].replace(*part);
                if let Some(before) = before.filter(|before| before != part) {
                    // What is to be judged with is not learned from.
                    parts[image as usize] = Some(before.max(*part));
                    example = if twice == 0 { image } else { example };
                    twice += 1;
                }
            }
        }
        // Lists beside the set may be about other images of the same names.
        if is_outside && (twice > 0 || files.iter().all(|(_, part)| *part != Part::Train)) {
            return None;
        }
        // Where only images to judge with are listed, the others are to be learned from.
        if !needs_labels && files.iter().all(|(_, part)| *part != Part::Train) && parts.iter().any(Option::is_some) {
            parts.iter_mut().filter(|part| part.is_none()).for_each(|part| *part = Some(Part::Train));
        }
        let names = files.iter().map(|(at, part)| (*part, sources.sidecars()[*at].name.clone())).collect();
        let remark = (twice > 0).then(|| {
            let what = counted(twice, "image", "images", sources.index().name(example));
            format!("{what} in the lists of two parts, and not learned from")
        });
        Some(Lists { parts, files: names, used: files.iter().map(|(at, _)| *at).collect(), remark })
    });
    // The lists of most images; of PASCAL VOC's those in `Main`.
    let is_main = |lists: &Lists| lists.files.values().any(|name| name.contains("/Main/"));
    let rank = |lists: &Lists| (lists.is_whole(), lists.parts.iter().flatten().count(), is_main(lists));
    found.reduce(|best, lists| if rank(&lists) > rank(&best) { lists } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image_labels::testing::Case;

    /// The part of each image by its first letter, `-` for none.
    fn of(images: &'static str, files: &[(&'static str, &'static str)]) -> String {
        let case = Case::new(images, files);
        let sources = Sources::new(&case.names, &case.kept, &case.parts, &case.sidecars);
        let letter = |part: &Option<Part>| match part {
            Some(Part::Train) => "T",
            Some(Part::Validation) => "v",
            Some(Part::Test) => "t",
            Some(Part::Unlabelled) => "u",
            None => "-",
        };
        lists(&sources).parts.iter().map(letter).collect()
    }

    #[test]
    fn lists_beside_the_images_name_their_parts() {
        let images = "i/a/1.jpg i/a/2.jpg i/b/3.jpg i/b/4.jpg";
        for (files, expected) in [
            // CelebA, Food-101, pets, CUB, a column, tables with labels.
            (&[("Eval/list_eval_partition.txt", "1.jpg 0\n2.jpg 1\n3.jpg 2\n4.jpg 0\n")][..], "TvtT"),
            (&[("list_eval_partition.csv", "image_id,partition\n1.jpg,0\n2.jpg,1\n3.jpg,2\n4.jpg,0\n")], "TvtT"),
            (&[("meta/train.txt", "a/1\nb/3\n"), ("meta/test.txt", "a/2\nb/4\n")], "TtTt"),
            (
                &[
                    ("meta/train.json", "{\"a\": [\"a/1\"], \"b\": [\"b/3\"]}"),
                    ("meta/test.json", "{\"a\": [\"a/2\"], \"b\": [\"b/4\"]}"),
                ],
                "TtTt",
            ),
            (&[("trainval.txt", "1 1 1\n2 1 1\n"), ("test.txt", "3 2 1\n4 2 1\n")], "TTtt"),
            (&[("train.txt", "1\n2\n"), ("val.txt", "3\n4\n"), ("trainval.txt", "1\n2\n3\n4\n")], "TTvv"),
            (
                &[
                    ("images.txt", "1 a/1.jpg\n2 a/2.jpg\n3 b/3.jpg\n4 b/4.jpg\n"),
                    ("train_test_split.txt", "1 1\n2 0\n3 1\n4 0\n"),
                ],
                "TtTt",
            ),
            (
                &[("x.csv", "path,label,split\na/1.jpg,a,train\na/2.jpg,a,test\nb/3.jpg,b,train\nb/4.jpg,b,valid\n")],
                "TtTv",
            ),
            (&[("train.csv", "f,label\n1,a\n2,b\n"), ("test.csv", "f,label\n3,a\n4,b\n")], "TTtt"),
            (
                &[("train1.txt", "1\n2\n3\n"), ("test1.txt", "4\n"), ("train2.txt", "2\n3\n4\n"), ("test2.txt", "1\n")],
                "TTTt",
            ),
            (&[("x.csv", "f,label,is_valid\n1,a,False\n2,b,False\n3,a,True\n4,b,False\n")], "TTvT"),
            (&[("x.csv", "f,label,is_train\n1,a,1\n2,b,1\n3,a,0\n4,b,1\n")], "TTvT"),
            (&[("x.csv", "f,label,isTest\n1,a,0\n2,b,0\n3,a,1\n4,b,0\n")], "TTtT"),
            // Attributes and answers: classes called `train`, a test's result, a model's prediction.
            (&[("x.csv", "file,car,train,boat\n1,0,1,0\n2,1,0,0\n3,0,1,0\n4,0,0,1\n")], ""),
            (&[("x.csv", "file,label,test\n1,a,0\n2,b,0\n3,a,1\n4,b,0\n")], ""),
            (&[("x.csv", "file,label,pred\n1,a,0\n2,b,0\n3,a,1\n4,b,0\n")], ""),
            (&[("x.csv", "file,label,is_extra\n1,a,0\n2,b,0\n3,a,1\n4,b,0\n")], ""),
            // No parts: few listed, no training images, no labels.
            (&[("train.txt", "1\n"), ("test.txt", "2\n")], ""),
            // An image in two lists is not learned from.
            (&[("train.txt", "1\n2\n3\n"), ("test.txt", "3\n4\n")], "TTtt"),
            (&[("train.txt", "1\n2\n3\n4\n"), ("test.txt", "1\n2\n3\n4\n")], ""),
            (&[("val.txt", "1\n2\n"), ("test.txt", "3\n4\n")], ""),
            // The images that no list of test images has.
            (&[("test.txt", "3\n4\n")], "TTtt"),
            (&[("validation_list.txt", "a/2.jpg\n"), ("testing_list.txt", "b/3.jpg\n")], "TvtT"),
            (&[("test.txt", "some words about\nthe set\n")], ""),
            (&[("train.csv", "f,label\n1,a\n2,b\n"), ("test.csv", "f\n3\n4\n")], "TTtt"),
            (&[("train.csv", "f,label\n1,a\n2,b\n3,a\n4,b\n"), ("test.csv", "f\n3\n4\n")], ""),
            (&[("train.txt", "1\n2\n3\n4\n")], ""),
        ] {
            assert_eq!(of(images, files), expected, "{files:?}");
        }
    }
}
