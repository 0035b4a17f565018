//! Selects the columns of images and labels of a parquet file: by the metadata of Hugging Face's library, else by names and
//! types.

use parquet::basic::{ConvertedType, Type};
use parquet::file::metadata::FileMetaData;
use parquet::schema::types::ColumnDescriptor;
use serde_json::Value;

use crate::first_names::first_names;
use crate::parts::{Part, by_flag, is_of_parts, is_partition, of_partition, part_of};

/// Names of columns of labels, in order of preference.
const LABELS: [&str; 15] = [
    "label",
    "labels",
    "class",
    "target",
    "fine_label",
    "cls",
    "class_name",
    "label_name",
    "category",
    "classes",
    "targets",
    "y",
    "digit",
    "emotion",
    "species",
];

/// Columns of numbers of rows, as pandas writes them.
const INDEXES: [&str; 2] = ["__index_level_0__", "Unnamed: 0"];

/// Columns that are not read and named.
const MAX_SAID: usize = 8;

/// The indices of the columns to read, and the names of the labels.
#[derive(Debug, PartialEq, Eq)]
pub struct Columns {
    /// Encoded images.
    pub image: usize,
    /// Labels: whole numbers, text or booleans.
    pub label: Option<usize>,
    /// The part of each row, and how its values tell it.
    pub part: Option<(usize, Telling)>,
    /// In label order; empty if the file has none.
    pub names: Vec<String>,
    /// Other columns of classes, columns named for labels that are not read, with the reason, and all other columns.
    pub notes: Vec<String>,
}

/// How the values of a column tell the part of each row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Telling {
    /// As words, such as `test`.
    Words,
    /// As numbers of these words.
    Codes(Vec<String>),
    /// As CelebA's numbers.
    Partition,
    /// As yes or no, which mean these parts.
    Flag([Part; 2]),
}

impl Telling {
    /// The part that a number means.
    pub fn part(&self, number: i64) -> Option<Part> {
        match self {
            Self::Words => None,
            Self::Codes(words) => part_of(words.get(usize::try_from(number).ok()?)?),
            Self::Partition => of_partition(number),
            Self::Flag([yes, no]) => match number {
                1 => Some(*yes),
                0 => Some(*no),
                _ => None,
            },
        }
    }
}

/// Whether a column holds images.
pub fn has_images(file: &FileMetaData) -> bool {
    let described = description(file);
    let columns = file.schema_descr().columns();
    columns.iter().any(|column| may_be_image(column) && is_usual(&described, top(column))) || choose(file).is_ok()
}

/// Whether a column of this name holds images if it is binary.
fn is_usual(described: &Value, name: &str) -> bool {
    kind(described, name) == Some("Image") || IMAGES.contains(&name)
}

/// Names of columns of images.
const IMAGES: [&str; 8] = ["image", "img", "images", "jpg", "png", "jpeg", "webp", "image_bytes"];

/// Columns from which each may be a pixel.
const MIN_PIXELS: usize = 17;

/// What to do with values of pixels, as the end of a message.
const PIXELS: &str =
    "; columns of pixels are read from a table in text: pandas.read_parquet(\"FILE\").to_csv(\"set.csv\", index=False)";
const LISTS: &str = "; lists of pixels are read from an array: numpy.savez(\"set.npz\", x=numpy.stack(df[\"COLUMN\"].tolist()), \
                     y=df[\"label\"]) with df = pandas.read_parquet(\"FILE\"), the lists of one image being reshaped to its height and width";

/// Selects the columns.
///
/// # Errors
/// There is no column of images, or the choice is ambiguous.
pub fn choose(file: &FileMetaData) -> Result<Columns, String> {
    let described = description(file);
    let columns = file.schema_descr().columns();
    let images: Vec<usize> = (0..columns.len()).filter(|&at| may_be_image(&columns[at])).collect();
    let named = |of: &dyn Fn(&str) -> bool| images.iter().copied().find(|&at| of(top(&columns[at])));
    let is_image = |name: &str| kind(&described, name) == Some("Image");
    let image = named(&is_image).or_else(|| named(&|name| IMAGES.contains(&name))).or(match images[..] {
        [only] => Some(only),
        _ => None,
    });
    let Some(image) = image else {
        let listed: Vec<String> = columns.iter().take(20).map(|column| column.path().string()).collect();
        let many = if images.is_empty() { "no column holds images" } else { "several columns may hold the images" };
        let more = if columns.len() > listed.len() { ", ..." } else { "" };
        let remedy = match () {
            // Values of pixels, in a list or a column each.
            () if listed.iter().any(|name| name.ends_with(".element")) => LISTS,
            () if columns.len() >= MIN_PIXELS => PIXELS,
            () => "",
        };
        return Err(format!("{many}; its columns are {}{more}{remedy}", listed.join(", ").escape_debug()));
    };
    let (label, notes) = label(columns, &described);
    let names = label.map_or(Vec::new(), |at| class_names(&described, top(&columns[at])));
    let telling = |at: usize| Some((at, telling(&columns[at], &described)?));
    let part =
        (0..columns.len()).filter(|at| Some(*at) != label).filter_map(telling).min_by_key(|(_, how)| match how {
            Telling::Flag(_) => 1,
            _ => 0,
        });
    let is_unread = |at: &usize| is_of_parts(top(&columns[*at])) && Some(*at) != label;
    let unread = (0..columns.len()).find(is_unread).filter(|_| part.is_none()).map(|at| {
        let name = top(&columns[at]);
        format!(
            "the column {name} holds no words such as train and test, and is not read as parts of the set: in pandas, \
             df[\"{name}\"] = df[\"{name}\"].map({{0: \"train\", 1: \"test\"}}) makes words of numbers"
        )
    });
    let mut notes: Vec<String> = notes.into_iter().chain(unread).collect();
    let is_said = |name: &str| notes.iter().any(|note| note.contains(&format!("the column {name} ")));
    let used = [Some(image), label, part.as_ref().map(|(at, _)| *at)];
    let used: Vec<&str> = used.iter().flatten().map(|at| top(&columns[*at])).collect();
    let mut others: Vec<String> = Vec::new();
    for column in columns {
        let name = top(column);
        if !used.contains(&name) && !is_said(name) && !INDEXES.contains(&name) {
            let is_image = images.iter().any(|image| top(&columns[*image]) == name);
            others.push(if is_image { format!("{name} (images)") } else { name.to_owned() });
        }
    }
    others.dedup();
    if !others.is_empty() {
        notes.push(format!("columns not read: {}", first_names(&others, MAX_SAID).escape_debug()));
    }
    Ok(Columns { image, label, part, names, notes })
}

/// How a column tells the part of each row, if it does by its name, type and description.
fn telling(column: &ColumnDescriptor, described: &Value) -> Option<Telling> {
    let name = top(column);
    let is_text = column.physical_type() == Type::BYTE_ARRAY;
    match () {
        () if !may_be_label(column) => None,
        () if are_names_of_parts(described, name) => Some(Telling::Codes(class_names(described, name))),
        () if is_text => is_of_parts(name).then_some(Telling::Words),
        () if is_of_parts(name) && is_partition(name) => Some(Telling::Partition),
        () => by_flag(name).map(Telling::Flag),
    }
}

/// Whether a column is described as one of classes that are all called like parts.
fn are_names_of_parts(described: &Value, name: &str) -> bool {
    let parts: Option<Vec<Part>> = class_names(described, name).iter().map(|name| part_of(name)).collect();
    kind(described, name) == Some("ClassLabel")
        && parts.is_some_and(|parts| parts.len() > 1 && parts.contains(&Part::Train))
}

/// The column of labels: one described as such, else one with a known name; and notes on others like it.
fn label(columns: &[std::sync::Arc<ColumnDescriptor>], described: &Value) -> (Option<usize>, Vec<String>) {
    let name = |at: usize| top(&columns[at]);
    let rank = |at: usize| LABELS.iter().position(|known| name(at).eq_ignore_ascii_case(known)).unwrap_or(LABELS.len());
    let is_described =
        |at: usize| kind(described, name(at)) == Some("ClassLabel") && !are_names_of_parts(described, name(at));
    let mut candidates: Vec<usize> =
        (0..columns.len()).filter(|&at| is_described(at) || rank(at) < LABELS.len()).collect();
    candidates.dedup_by_key(|at| name(*at));
    candidates.sort_by_key(|&at| (!is_described(at), rank(at)));
    let (readable, others): (Vec<usize>, Vec<usize>) =
        candidates.into_iter().partition(|&at| may_be_label(&columns[at]));
    let chosen = readable.first().copied();
    let unread = others.iter().map(|&at| {
        format!(
            "the column {} is not read as labels: it holds several values per row, or none that are labels",
            name(at)
        )
    });
    let also = readable.iter().skip(1).filter(|&&at| is_described(at)).filter_map(|&at| {
        Some(format!("classes are those of the column {}; the column {} is left aside", name(chosen?), name(at)))
    });
    (chosen, if chosen.is_some() { also.collect() } else { unread.collect() })
}

/// Whole numbers, text or booleans, once per row.
fn may_be_label(column: &ColumnDescriptor) -> bool {
    let text = matches!(column.converted_type(), ConvertedType::UTF8 | ConvertedType::ENUM) || is_text(column);
    let kind = match column.physical_type() {
        Type::INT32 | Type::INT64 | Type::BOOLEAN | Type::FLOAT | Type::DOUBLE => true,
        Type::BYTE_ARRAY => text,
        _ => false,
    };
    kind && column.max_rep_level() == 0 && column.path().parts().len() == 1
}

/// Whether its logical type is text.
fn is_text(column: &ColumnDescriptor) -> bool {
    use parquet::basic::LogicalType;
    matches!(column.logical_type_ref(), Some(LogicalType::String | LogicalType::Enum))
}

/// Whether column number `at` is text, once per row.
pub fn is_text_column(file: &FileMetaData, at: usize) -> bool {
    let column = file.schema_descr().column(at);
    column.physical_type() == Type::BYTE_ARRAY && may_be_label(&column)
}

/// The name of the column, or of its group.
fn top(column: &ColumnDescriptor) -> &str {
    column.path().parts().first().map_or("", String::as_str)
}

/// Binary values, once per row: a column itself, or the `bytes` of a group.
fn may_be_image(column: &ColumnDescriptor) -> bool {
    let parts = column.path().parts();
    let binary = column.physical_type() == Type::BYTE_ARRAY && column.converted_type() == ConvertedType::NONE;
    let placed = parts.len() == 1 || (parts.len() == 2 && parts[1] == "bytes");
    binary && placed && column.max_rep_level() == 0
}

/// Hugging Face's description of the columns: `{"image": {"_type": "Image"}, ...}`.
fn description(file: &FileMetaData) -> Value {
    let notes = file.key_value_metadata().into_iter().flatten();
    let note = notes.filter(|note| note.key == "huggingface").find_map(|note| note.value.as_deref());
    let mut note: Value = note.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    note.pointer_mut("/info/features").map(Value::take).unwrap_or_default()
}

fn kind<'a>(described: &'a Value, name: &str) -> Option<&'a str> {
    described.get(name)?.get("_type")?.as_str()
}

fn class_names(described: &Value, name: &str) -> Vec<String> {
    let names = described.get(name).and_then(|column| column.get("names")).and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
