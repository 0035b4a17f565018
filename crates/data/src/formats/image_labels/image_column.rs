//! The column of a table that names the images. Cells with the paths of files come first, then a column called like an image
//! (`image_id`, `file`), then `id`, then any other, such as the index that pandas writes. Two columns that name different images,
//! between which nothing decides, are refused.

use std::cmp::Reverse;

use super::label_rank;
use super::tables::{MAX_COLUMNS, Unfit};
use crate::sidecars::{Index, Scope, Table};

/// What columns of images are about, without spaces and signs.
const NOUNS: [&str; 14] = [
    "file", "image", "images", "img", "picture", "pic", "photo", "path", "frame", "jpg", "jpeg", "png", "scan",
    "filename",
];

/// What follows a noun: `image_id`, `file_name`.
const SUFFIXES: [&str; 14] =
    ["", "s", "name", "names", "id", "ids", "uid", "path", "file", "filename", "key", "number", "no", "stem"];

/// Names of columns of any key.
const KEYS: [&str; 9] = ["id", "ids", "uid", "uuid", "key", "name", "fname", "fn", "f"];

/// Rows whose cells are looked at for paths.
const LOOKED_AT: usize = 20;

/// Rows that are looked at for names in another spelling.
const LOOKED_AT_LOOSELY: usize = 500;

/// The column with the names of images.
#[derive(Debug)]
pub(super) struct ImageColumn {
    pub at: usize,
    /// Whether the first row holds the names of the columns.
    pub has_header: bool,
    /// Which column was chosen, where another one names other images.
    pub note: Option<String>,
}

/// How well a column fits, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// It is called like a column of labels.
    Label,
    Other,
    Key,
    /// It is called like an image.
    Image,
    /// Its cells are paths, or names of files.
    Paths,
}

/// Finds the column.
///
/// # Errors
/// No column names an image, or two name different ones.
pub(super) fn find(table: &Table, index: &Index<'_>, scope: Scope<'_>) -> Result<ImageColumn, Unfit> {
    let counts = counts(table, index);
    let best = counts.iter().copied().max().filter(|best| *best > 0).ok_or(Unfit::NoImages)?;
    let candidates: Vec<usize> = (0..counts.len()).filter(|column| counts[*column] * 2 >= best).collect();
    let is_name = |column: usize| index.some(table.cell(0, column)).is_none();
    let in_first_row = table.header.is_none() && candidates.iter().all(|column| is_name(*column));
    let name = |column: usize| match &table.header {
        Some(header) => header[column].trim(),
        None if in_first_row => table.cell(0, column).trim(),
        None => "",
    };
    let fit = |column: usize| if has_paths(table, column, index) { Fit::Paths } else { by_name(name(column)) };
    let found = |at: usize, note| ImageColumn { at, has_header: table.header.is_none() && is_name(at), note };
    if let [only] = candidates[..] {
        return Ok(found(only, None));
    }
    let fits: Vec<Fit> =
        (0..counts.len()).map(|column| if candidates.contains(&column) { fit(column) } else { Fit::Label }).collect();
    let joined: Vec<Vec<Option<u32>>> = (0..counts.len())
        .map(|column| match candidates.contains(&column) {
            true => index.join(table.column(column), scope).image,
            false => Vec::new(),
        })
        .collect();
    let differ = |a: usize, b: usize| {
        joined[a].iter().zip(&joined[b]).any(|pair| matches!(pair, (Some(one), Some(other)) if one != other))
    };
    let best_of = |columns: &mut dyn Iterator<Item = usize>| {
        columns.max_by_key(|column| (fits[*column], counts[*column], Reverse(*column)))
    };
    let first = best_of(&mut candidates.iter().copied()).ok_or(Unfit::NoImages)?;
    // Of columns that name the same images, one that names more of them.
    let more = candidates.iter().copied().filter(|column| fits[*column] != Fit::Label && !differ(first, *column));
    let at = best_of(&mut more.filter(|column| counts[*column] > counts[first])).unwrap_or(first);
    let called = |column: usize| match name(column) {
        "" if table.header.is_some() || in_first_row => "the unnamed column".to_owned(),
        "" => format!("column {}", column + 1),
        name => format!("column {name}"),
    };
    let others = || candidates.iter().copied().filter(|column| *column != at && differ(at, *column));
    let rival = others().find(|column| fits[*column] == fits[at] && counts[*column] * 10 >= counts[at] * 9);
    if let Some(rival) = rival {
        return Err(Unfit::Because(format!(
            "{} and {} name different images; call the one with the names of the files file_name",
            called(at.min(rival)),
            called(at.max(rival))
        )));
    }
    let loser = others().find(|column| fits[at] != Fit::Paths && fits[*column] != Fit::Label);
    Ok(found(at, loser.map(|loser| format!("images by {}, not by {}", called(at), called(loser)))))
}

/// The largest number of images that a column names.
pub(super) fn most_named(table: &Table, index: &Index<'_>) -> usize {
    counts(table, index).into_iter().max().unwrap_or(0)
}

/// The number of images that each column names.
fn counts(table: &Table, index: &Index<'_>) -> Vec<usize> {
    // To compare names in all spellings takes a while.
    let rows = if index.is_loose() { LOOKED_AT_LOOSELY } else { table.rows() };
    let named = |column: usize| {
        let mut seen = vec![false; index.len()];
        table
            .column(column)
            .take(rows)
            .filter_map(|cell| index.some(cell))
            .for_each(|image| seen[image as usize] = true);
        seen.into_iter().filter(|seen| *seen).count()
    };
    (0..table.columns().min(MAX_COLUMNS)).map(named).collect()
}

/// Whether most of the first cells that name images do so by paths or with an extension.
fn has_paths(table: &Table, column: usize, index: &Index<'_>) -> bool {
    let cells: Vec<&str> = table.column(column).filter(|cell| index.some(cell).is_some()).take(LOOKED_AT).collect();
    cells.iter().filter(|cell| cell.contains(['.', '/', '\\'])).count() * 2 > cells.len()
}

/// Whether a column is called like images.
pub(super) fn is_called_so(name: &str) -> bool {
    by_name(name) == Fit::Image
}

/// How well a column fits by its name.
fn by_name(name: &str) -> Fit {
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let is_noun = |plain: &str| {
        NOUNS.iter().any(|noun| plain.strip_prefix(noun).is_some_and(|suffix| SUFFIXES.contains(&suffix)))
    };
    if label_rank(name).is_some() {
        Fit::Label
    } else if is_noun(&plain) || ["filename", "filepath", "imageid", "path"].iter().any(|end| plain.ends_with(end)) {
        Fit::Image
    } else if KEYS.contains(&plain.as_str()) {
        Fit::Key
    } else {
        Fit::Other
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use super::{Fit, by_name};
    use crate::parts::Part;

    const TWELVE: &str = "images/0.png images/1.png images/2.png images/3.png images/4.png images/5.png images/6.png \
                          images/7.png images/8.png images/9.png images/10.png images/11.png";

    /// A permutation of 0 to 11.
    fn shuffled(at: usize) -> usize {
        (at * 5 + 3) % 12
    }

    /// A table of 12 rows in shuffled order, each image labelled by its number; `row` gets the row and the image.
    fn table(header: &str, row: impl Fn(usize, usize, &str) -> String) -> &'static str {
        let rows = (0..12).map(|at| row(at, shuffled(at), ["cat", "dog", "fox"][shuffled(at) % 3]) + "\n");
        Box::leak((header.to_owned() + "\n" + &rows.collect::<String>()).into_boxed_str())
    }

    #[test]
    fn a_column_called_like_an_image_beats_an_index() {
        let right = "cat dog fox cat dog fox cat dog fox cat dog fox";
        for (header, by) in [
            (",id,label", "images by column id, not by the unnamed column"),
            ("Unnamed: 0,id,label", "images by column id, not by column Unnamed: 0"),
            ("index,id,label", "images by column id, not by column index"),
            ("n,picture,label", "images by column picture, not by column n"),
            ("id,image_id,label", "images by column image_id, not by column id"),
            ("age,img,label", "images by column img, not by column age"),
            ("row,File Name,label", "images by column File Name, not by column row"),
        ] {
            let text = table(header, |at, image, label| format!("{at},{image},{label}"));
            let (found, what, notes) = Case::new(TWELVE, &[("labels.csv", text)]).labels(Part::Train);
            let expected = (right, "column label of labels.csv", format!("labels.csv: {by}"));
            assert_eq!((found.as_str(), what.as_str(), notes.join("; ")), expected, "{header}");
        }
        let text = table("label,age,id", |at, image, label| format!("{label},{at},{image}"));
        assert_eq!(Case::new(TWELVE, &[("labels.csv", text)]).train(), right);
        // The names of files need no word.
        let text = table("id,x,label", |at, image, label| format!("{at},{image}.png,{label}"));
        let (found, _, notes) = Case::new(TWELVE, &[("labels.csv", text)]).labels(Part::Train);
        assert_eq!((found.as_str(), notes.len()), (right, 0), "{notes:?}");
        // Nor do columns that name the same images, or labels that are numbers.
        let text = table(",id,label", |_, image, label| format!("{image},{image},{label}"));
        let (found, _, notes) = Case::new(TWELVE, &[("labels.csv", text)]).labels(Part::Train);
        assert_eq!((found.as_str(), notes.len()), (right, 0), "{notes:?}");
        let text = table("label,id", |_, image, _| format!("{},{image}", image % 8));
        let (found, _, notes) = Case::new(TWELVE, &[("labels.csv", text)]).labels(Part::Train);
        assert_eq!((found.as_str(), notes.len()), ("0 1 2 3 4 5 6 7 0 1 2 3", 0), "{notes:?}");
    }

    #[test]
    fn an_index_that_is_off_by_one_is_not_taken() {
        let rows: String = (0..11).map(|at| format!("{at},{},{}\n", at + 1, ["cat", "dog"][(at + 1) % 2])).collect();
        let text: &'static str = Box::leak(format!(",id,label\n{rows}").into_boxed_str());
        assert_eq!(Case::new(TWELVE, &[("labels.csv", text)]).train(), "- dog cat dog cat dog cat dog cat dog cat dog");
        // The index names one image more than the column.
        let text: &'static str = Box::leak(format!(",id,label\n{rows}11,12,cat\n").into_boxed_str());
        let (found, _, notes) = Case::new(TWELVE, &[("labels.csv", text)]).labels(Part::Train);
        assert_eq!(found, "- dog cat dog cat dog cat dog cat dog cat dog");
        assert!(notes.iter().any(|note| note.contains("images by column id")), "{notes:?}");
    }

    #[test]
    fn columns_between_which_nothing_decides_are_refused() {
        for (header, said) in [
            ("a,b,label", "column a and column b name different images"),
            (",age,label", "the unnamed column and column age name different images"),
            ("image,img_id,label", "column image and column img_id name different images"),
        ] {
            let text = table(header, |at, image, label| format!("{at},{image},{label}"));
            let (found, _, unused) = Case::new(TWELVE, &[("labels.csv", text)]).labels(Part::Train);
            assert_eq!(found, "", "{header}");
            assert!(unused.len() == 1 && unused[0].starts_with(&format!("labels.csv: {said}")), "{unused:?}");
        }
        // A few numbers that are images by chance are no rival.
        let text = table("a,b,label", |at, image, label| format!("{},{image},{label}", at % 9));
        assert_eq!(
            Case::new(TWELVE, &[("labels.csv", text)]).train(),
            "cat dog fox cat dog fox cat dog fox cat dog fox"
        );
    }

    #[test]
    fn names_of_columns_are_ranked() {
        for (fit, names) in [
            (Fit::Image, "file filename file_name image Image_ID img img_path imageName image_file path relative_path"),
            (Fit::Key, "id ID name key"),
            (Fit::Other, "index n age profile image_width file_size patient_id"),
            (Fit::Label, "label class_id digit"),
        ] {
            for name in names.split(' ') {
                assert_eq!(by_name(name), fit, "{name}");
            }
        }
        assert_eq!((by_name(""), by_name("Unnamed: 0")), (Fit::Other, Fit::Other));
    }
}
