//! What the columns of a table of text are by their names: labels, or the numbers and names of images.

use csv::ByteRecord;

/// Names of columns of labels.
pub const LABELS: [&str; 15] = [
    "label",
    "labels",
    "class",
    "classes",
    "target",
    "emotion",
    "y",
    "digit",
    "letter",
    "category",
    "expression",
    "character",
    "class_label",
    "class_name",
    "label_name",
];

/// Names of columns that number or name the images.
pub const IDS: [&str; 12] = [
    "id",
    "image_id",
    "imageid",
    "img_id",
    "index",
    "idx",
    "",
    "unnamed: 0",
    "img_name",
    "filename",
    "file",
    "image_name",
];

/// Whether a column of this name, in lower case, holds labels.
pub fn is_label(name: &str) -> bool {
    LABELS.contains(&name)
}

/// Whether a column of this name, in lower case, numbers or names the images.
pub fn is_id(name: &str) -> bool {
    IDS.contains(&name)
}

/// A field without quotes and spaces around.
pub fn field(record: &ByteRecord, at: usize) -> &str {
    let text = record.get(at).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
    text.trim_start_matches('\u{feff}').trim()
}
