//! The names of classes that are numbers, or WordNet's: `classes.txt` with a name a line, `names` of YOLO's `data.yaml`, tables of
//! numbers and names (`classes.csv`, `words.txt`), JSON such as `{"0": "cat"}`. They are taken only if each class has one.

use std::collections::{BTreeMap, BTreeSet};

use super::{Labelled, Sources, Values, label_rank};
use crate::first_names::first_names;
use crate::sidecars::{Sidecar, Table, stem};

/// Words in the names of files that hold names of classes.
const WORDS: [&str; 8] = ["class", "label", "name", "categor", "synset", "words", "species", "breed"];

/// Largest file that is read.
const MAX_BYTES: usize = 16 << 20;

/// Files that are read.
const MAX_FILES: usize = 20;

/// Columns looked at.
const MAX_COLUMNS: usize = 4;

/// Names in a note.
const MAX_SAID: usize = 3;

/// Names of classes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ClassNames {
    /// The name of each class.
    pub names: BTreeMap<String, String>,
    /// Where they are from.
    pub note: String,
    /// The number of the file.
    pub at: usize,
}

/// What a file says of classes.
enum Names {
    /// Names in the order of numbers, and whether these are from 0 for certain.
    List(Vec<String>, bool),
    Table(Table),
}

/// The names of `classes`, or a note on a list that doesn't fit; `None` without a list, or if they have names. The files that gave
/// the labels are `used`.
pub(crate) fn class_names(
    sources: &Sources<'_>,
    classes: &[String],
    used: &[usize],
) -> Option<Result<ClassNames, String>> {
    let numbers: Option<Vec<usize>> = classes.iter().map(|class| class.parse().ok()).collect();
    let is_wordnets = |class: &String| {
        class.len() == 9 && class.starts_with('n') && class[1..].bytes().all(|byte| byte.is_ascii_digit())
    };
    if classes.len() < 2 || numbers.is_none() && !classes.iter().all(is_wordnets) {
        return None;
    }
    let mut files: Vec<(usize, &Sidecar<'_>)> =
        sources.sidecars().iter().enumerate().filter(|(_, own)| may_name(own)).collect();
    files.retain(|(at, own)| !used.contains(at) && !sources.index().is_named(own.stem()));
    // YOLO's come first, then those nearest to the root.
    files.sort_by_key(|(_, own)| (!is_yolos(own), own.is_outside, own.name.matches('/').count()));
    let mut why = None;
    for (at, own) in files.into_iter().take(MAX_FILES) {
        let found = match names_in(sources, own) {
            Some(Names::List(names, is_from_zero)) => match &numbers {
                Some(numbers) => in_order(classes, numbers, &names, is_from_zero),
                None => continue,
            },
            Some(Names::Table(table)) => match by_key(classes, &table, &|cell| sources.index().some(cell).is_some()) {
                Some(names) => Ok(names),
                None => continue,
            },
            None => continue,
        };
        match found {
            Ok(names) => {
                let pairs: Vec<String> = classes.iter().map(|class| format!("{class} is {}", names[class])).collect();
                let note =
                    format!("the names of the classes are those in {}: {}", own.name, first_names(&pairs, MAX_SAID));
                return Some(Ok(ClassNames { names, note, at }));
            }
            Err(what) => {
                why.get_or_insert(format!("the names of classes in {} are not used: {what}", own.name));
            }
        }
    }
    why.map(Err)
}

fn is_yolos(own: &Sidecar<'_>) -> bool {
    matches!(own.extension().as_str(), "yaml" | "yml" | "names")
}

/// Whether a file may hold names of classes.
fn may_name(own: &Sidecar<'_>) -> bool {
    let stem = own.stem().to_lowercase();
    let is_text = matches!(own.extension().as_str(), "txt" | "csv" | "tsv" | "json" | "");
    is_yolos(own) || is_text && WORDS.iter().any(|word| stem.contains(word))
}

fn names_in(sources: &Sources<'_>, own: &Sidecar<'_>) -> Option<Names> {
    let bytes = own.read().ok().filter(|bytes| bytes.len() <= MAX_BYTES)?;
    let extension = own.extension();
    if matches!(extension.as_str(), "yaml" | "yml") {
        return Some(Names::List(in_yaml(std::str::from_utf8(&bytes).ok()?)?, true));
    }
    let is_image = |cell: &str| sources.index().some(cell).is_some();
    let table = Table::parse(&extension, &bytes, &is_image).ok()?;
    if table.columns() > 1 {
        return Some(Names::Table(table));
    }
    let has_header = table.header.is_none() && table.rows() > 0 && {
        let first = table.cell(0, 0);
        label_rank(first).is_some() || first.eq_ignore_ascii_case("name")
    };
    let names: Vec<String> = table.column(0).skip(usize::from(has_header)).map(str::to_owned).collect();
    let are_different = names.iter().collect::<BTreeSet<_>>().len() == names.len();
    let is_name = |name: &String| !name.is_empty() && name.parse::<f64>().is_err() && !is_image(name);
    (names.len() > 1 && are_different && names.iter().all(is_name)).then(|| Names::List(names, extension == "names"))
}

/// Labels from the last words of the files' names (`12_frog.png`), if a list beside has all of these.
pub(super) fn by_last_words(sources: &Sources<'_>, images: &[u32]) -> Option<Labelled> {
    let words: Vec<&str> = images
        .iter()
        .map(|image| stem(sources.index().name(*image)).rsplit_once(['_', '-', ' ']).map(|(_, word)| word))
        .collect::<Option<_>>()?;
    let found: BTreeSet<&str> = words.iter().copied().collect();
    if found.len() < 2 || found.len() == words.len() {
        return None;
    }
    let may_be = |(at, own): (usize, _)| may_name(own).then_some((at, own));
    sources.sidecars().iter().enumerate().filter_map(may_be).take(MAX_FILES).find_map(|(at, own)| {
        let Some(Names::List(names, _)) = names_in(sources, own) else { return None };
        let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        found.is_subset(&names).then(|| {
            let labels = words.iter().map(|word| Some((*word).to_owned())).collect();
            let what = format!("the last words of the files' names ({}, for one), which {} lists", words[0], own.name);
            Labelled::apart(Values::Classes(labels), what, Vec::new(), vec![at])
        })
    })
}

/// The names by their places in a list.
fn in_order(
    classes: &[String],
    numbers: &[usize],
    names: &[String],
    is_from_zero: bool,
) -> Result<BTreeMap<String, String>, String> {
    let (least, most) = (numbers.iter().min().copied().unwrap_or(0), numbers.iter().max().copied().unwrap_or(0));
    let from = match (least, most) {
        (0, _) => 0,
        _ if is_from_zero => 0,
        (_, most) if most == names.len() => 1,
        _ => {
            return Err(format!(
                "there are {} of them, and the labels are {least} to {most}, so that the first one may be that of 0 or of 1",
                names.len()
            ));
        }
    };
    let name = |number: &usize| names.get(number - from).cloned();
    let all: Option<Vec<String>> = numbers.iter().map(name).collect();
    match all {
        Some(all) => Ok(classes.iter().cloned().zip(all).collect()),
        None => Err(format!("there are {} of them, but a label is {most}", names.len())),
    }
}

/// The names by a column that holds all classes, each once; those in the next column of different texts.
fn by_key(classes: &[String], table: &Table, is_image: &dyn Fn(&str) -> bool) -> Option<BTreeMap<String, String>> {
    let plain = |cell: &str| cell.parse::<u64>().map_or_else(|_| cell.to_owned(), |number| number.to_string());
    let columns = table.columns().min(MAX_COLUMNS);
    (0..columns).find_map(|key| {
        let mut rows: BTreeMap<String, usize> = BTreeMap::new();
        for (row, cell) in table.column(key).enumerate() {
            if rows.insert(plain(cell), row).is_some() {
                return None;
            }
        }
        // Numbers of images may be those of classes by chance.
        let images = table.column(key).filter(|cell| is_image(cell)).count();
        if images * 2 > table.rows() && table.rows() > 2 * classes.len() + 2 {
            return None;
        }
        let of: Vec<usize> = classes.iter().map(|class| rows.get(&plain(class)).copied()).collect::<Option<_>>()?;
        (0..columns).filter(|column| *column != key).find_map(|column| {
            let cells: Vec<&str> = of.iter().map(|row| table.cell(*row, column)).collect();
            let short: Vec<&str> = cells.iter().map(|cell| cell.split(',').next().unwrap_or(cell).trim()).collect();
            let are_names = |cells: &[&str]| {
                let are_different = cells.iter().collect::<BTreeSet<_>>().len() == cells.len();
                are_different && cells.iter().all(|cell| !cell.is_empty() && cell.parse::<f64>().is_err())
            };
            let names = if are_names(&short) { short } else { cells };
            are_names(&names).then(|| classes.iter().cloned().zip(names.into_iter().map(str::to_owned)).collect())
        })
    })
}

/// The list or map `names` of a file in YAML: `names: [a, b]`, or a line for each as `- a` or `0: a`.
fn in_yaml(text: &str) -> Option<Vec<String>> {
    let plain = |name: &str| name.trim().trim_matches(['\'', '"']).trim().to_owned();
    let mut lines = text.lines().map(|line| line.split(" #").next().unwrap_or(line).trim_end());
    let first = lines.by_ref().find_map(|line| line.strip_prefix("names:"))?.trim().to_owned();
    let split = |inner: &str| inner.split(',').map(str::to_owned).collect::<Vec<_>>();
    let items: Vec<String> = if let Some(rest) = first.strip_prefix(['[', '{']) {
        let mut all = rest.to_owned();
        while !all.contains([']', '}']) {
            all += lines.next()?;
        }
        split(all.split([']', '}']).next().unwrap_or_default())
    } else {
        let is_item = |line: &&str| line.trim_start().starts_with('-') || line.starts_with([' ', '\t']);
        let items = lines.filter(|line| !line.trim().is_empty()).take_while(is_item);
        items.map(|line| line.trim_start().trim_start_matches("- ").to_owned()).collect()
    };
    let keyed = |(at, item): (usize, &String)| {
        let (key, name) = item.split_once(':')?;
        (key.trim().parse() == Ok(at)).then(|| plain(name))
    };
    let by_key: Option<Vec<String>> = items.iter().enumerate().map(keyed).collect();
    let names = by_key.unwrap_or_else(|| items.iter().map(|item| plain(item)).collect());
    let names: Vec<String> = match names.split_last() {
        Some((last, rest)) if last.is_empty() => rest.to_vec(),
        _ => names,
    };
    let are_different = names.iter().collect::<BTreeSet<_>>().len() == names.len();
    (names.len() > 1 && are_different && names.iter().all(|name| !name.is_empty())).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use super::*;

    /// The names of classes by a file, or why they are not used.
    fn named(file: &'static str, text: &'static str, classes: &str) -> String {
        let case = Case::new("img_1.jpg img_2.jpg", &[(file, text)]);
        let sources = Sources::new(&case.names, &case.kept, &case.parts, &case.sidecars);
        let classes: Vec<String> = classes.split(' ').map(str::to_owned).collect();
        match class_names(&sources, &classes, &[]) {
            Some(Ok(found)) => classes.iter().map(|class| found.names[class].as_str()).collect::<Vec<_>>().join("|"),
            Some(Err(why)) => why,
            None => String::new(),
        }
    }

    #[test]
    fn names_are_found_in_any_usual_list() {
        for (file, text, classes, expected) in [
            ("classes.txt", "cat\npolar bear\n", "0 1", "cat|polar bear"),
            ("classes.txt", "cat\ndog\nfox\n", "0 2", "cat|fox"),
            ("classes.txt", "cat\ndog\n", "1 2", "cat|dog"),
            ("class_names.csv", "name\ncat\ndog\n", "0 1", "cat|dog"),
            ("obj.names", "cat\ndog\nfox\n", "1 2", "dog|fox"),
            ("labels.txt", "0 cat\n1 polar bear\n", "0 1", "cat|polar bear"),
            ("classes.csv", "class_id,name\n0,cat\n1,dog\n", "00 01", "cat|dog"),
            ("label_map.json", "{\"0\": \"Blight (CBB)\", \"1\": \"Healthy\"}", "0 1", "Blight (CBB)|Healthy"),
            ("class_indices.json", "{\"cat\": 0, \"dog\": 1}", "0 1", "cat|dog"),
            (
                "words.txt",
                "n01440764\ttench, Tinca tinca\nn01443537\tgoldfish\n",
                "n01440764 n01443537",
                "tench|goldfish",
            ),
            (
                "synset_words.txt",
                "n01440764 tench, Tinca tinca\nn01443537 goldfish, x\n",
                "n01440764 n01443537",
                "tench|goldfish",
            ),
            ("data.yaml", "nc: 2\nnames: ['cat', \"polar bear\"]\n", "0 1", "cat|polar bear"),
            ("data.yaml", "names:\n  0: cat\n  1: dog # a dog\nnc: 2\n", "0 1", "cat|dog"),
            ("data.yaml", "names:\n- cat\n- dog\nnc: 2\n", "1 0", "dog|cat"),
            // No number, other files, lists of something else.
            ("classes.txt", "cat\ndog\n", "a b", ""),
            ("notes.txt", "cat\ndog\n", "0 1", ""),
            ("labels.txt", "cat\ncat\n", "0 1", ""),
            ("labels.txt", "img_1.jpg\nimg_2.jpg\n", "0 1", ""),
            ("classes.csv", "id,label\n0,cat\n1,dog\n2,x\n3,y\n4,z\n5,u\n6,v\n", "0 1", "cat|dog"),
            ("labels.csv", "file,label\nimg_1.jpg,0\nimg_2.jpg,1\nimg_3.jpg,1\n", "0 1", ""),
        ] {
            assert_eq!(named(file, text, classes), expected, "{file} {text}");
        }
    }

    #[test]
    fn tables_of_images_name_no_classes() {
        let text = "id,caption\n0,a\n1,b\n2,c\n3,d\n4,e\n5,f\n6,g\n";
        let case = Case::new("0.png 1.png 2.png 3.png 4.png 5.png 6.png", &[("labels.csv", text)]);
        let sources = Sources::new(&case.names, &case.kept, &case.parts, &case.sidecars);
        assert_eq!(class_names(&sources, &["0".to_owned(), "1".to_owned()], &[]), None);
    }

    #[test]
    fn last_words_of_names_are_classes_if_they_are_listed() {
        let images = "0_frog.png 1_cat.png 2_frog.png 3_cat.png";
        let labels = |list| Case::new(images, &[("labels.txt", list)]).train();
        assert_eq!(labels("cat\ndog\nfrog\n"), "frog cat frog cat");
        assert_eq!(labels("cat\ndog\n"), "");
    }

    #[test]
    fn lists_that_do_not_fit_are_said() {
        for (classes, why) in [
            ("0 1 2", "the names of classes in classes.txt are not used: there are 2 of them, but a label is 2"),
            ("2 3", "so that the first one may be that of 0 or of 1"),
        ] {
            assert!(named("classes.txt", "cat\ndog\n", classes).contains(why), "{classes}");
        }
    }
}
