//! Tables that number the images, as of CUB-200: `images.txt` with a number and a path in each row; other tables give the label
//! (`image_class_labels.txt`) or the part (`train_test_split.txt`) of each number, and `classes.txt` the names of the labels.

use std::collections::HashMap;

use super::{Labelled, Sources, Values, drop_missing, label};
use crate::parts::Part;

/// Labels by the numbers of the images.
pub(super) fn find(sources: &Sources<'_>, images: &[u32]) -> Option<Labelled> {
    let numbers = numbers(sources)?;
    let (labels, at) = by_number(sources, "image_class_labels", &numbers)?;
    let names: HashMap<&str, &str> =
        pairs(sources, "classes").map(|(_, pairs)| pairs.into_iter().collect()).unwrap_or_default();
    let name = |number: &str| label(names.get(number).unwrap_or(&number));
    let mut of: Vec<Option<String>> = images.iter().map(|image| name(labels.get(image)?)).collect();
    drop_missing(&mut of);
    let what = sources.sidecars()[at].name.clone();
    of.iter().any(Option::is_some).then(|| Labelled::apart(Values::Classes(of), what, Vec::new(), vec![at]))
}

/// The parts of the images by `train_test_split.txt`, where 1 is a training image, with the file's number.
pub(crate) fn parts(sources: &Sources<'_>) -> Option<(Vec<Option<Part>>, usize)> {
    let numbers = numbers(sources)?;
    let (values, at) = by_number(sources, "train_test_split", &numbers)?;
    let part = |image| match *values.get(&image)? {
        "1" => Some(Part::Train),
        "0" => Some(Part::Test),
        _ => None,
    };
    Some(((0..sources.index().len() as u32).map(part).collect(), at))
}

/// The image of each number, by `images.txt`.
fn numbers<'s>(sources: &'s Sources<'_>) -> Option<HashMap<&'s str, u32>> {
    let (at, pairs) = pairs(sources, "images")?;
    let joined = sources.index().join(pairs.iter().map(|(_, path)| *path), sources.sidecars()[at].scope());
    let numbered = pairs.iter().zip(&joined.image).filter_map(|((number, _), image)| Some((*number, (*image)?)));
    let numbers: HashMap<&str, u32> = numbered.filter(|(number, _)| number.parse::<u64>().is_ok()).collect();
    (!numbers.is_empty()).then_some(numbers)
}

/// The value of each image in the table called `name`.
fn by_number<'s>(
    sources: &'s Sources<'_>,
    name: &str,
    numbers: &HashMap<&str, u32>,
) -> Option<(HashMap<u32, &'s str>, usize)> {
    let (at, pairs) = pairs(sources, name)?;
    let values: HashMap<u32, &str> =
        pairs.into_iter().filter_map(|(number, value)| Some((*numbers.get(number)?, value))).collect();
    (!values.is_empty()).then_some((values, at))
}

/// The first two columns of the table called `name`, with its number.
fn pairs<'s>(sources: &'s Sources<'_>, name: &str) -> Option<(usize, Vec<(&'s str, &'s str)>)> {
    sources.tables().filter(|(_, sidecar)| sidecar.stem() == name).find_map(|(at, _)| {
        let table = sources.table(at)?.as_ref().ok().filter(|table| table.columns() >= 2)?;
        Some((at, (0..table.rows()).map(|row| (table.cell(row, 0), table.cell(row, 1))).collect()))
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use super::*;

    #[test]
    fn labels_and_parts_go_by_the_numbers_of_the_images() {
        let case = Case::new(
            "images/a_1.jpg images/a_2.jpg images/b_1.jpg",
            &[
                ("images.txt", "1 a_1.jpg\n2 a_2.jpg\n3 b_1.jpg\n"),
                ("image_class_labels.txt", "1 1\n2 1\n3 2\n"),
                ("classes.txt", "1 Albatross\n2 Auklet\n"),
                ("train_test_split.txt", "1 1\n2 0\n3 1\n"),
            ],
        );
        assert_eq!(case.train(), "Albatross Albatross Auklet");
        let sources = Sources::new(&case.names, &case.kept, &case.parts, &case.sidecars);
        let (found, _) = parts(&sources).unwrap_or_default();
        assert_eq!(found, [Some(Part::Train), Some(Part::Test), Some(Part::Train)]);
    }
}
