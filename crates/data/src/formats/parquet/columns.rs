//! Selects the columns of images and labels of a parquet file: by the metadata of Hugging Face's library, else by names and
//! types.

use parquet::basic::{ConvertedType, Type};
use parquet::file::metadata::FileMetaData;
use parquet::schema::types::ColumnDescriptor;
use serde_json::Value;

/// The indices of the columns to read, and the names of the labels.
#[derive(Debug, PartialEq, Eq)]
pub struct Columns {
    /// Encoded images.
    pub image: usize,
    /// Integer labels.
    pub label: Option<usize>,
    /// In label order; empty if the file has none.
    pub names: Vec<String>,
}

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
    let usual = |name: &str| ["image", "img", "images", "jpg", "png"].contains(&name);
    let image = named(&is_image).or_else(|| named(&usual)).or(match images[..] {
        [only] => Some(only),
        _ => None,
    });
    let Some(image) = image else {
        let listed: Vec<String> = columns.iter().take(20).map(|column| column.path().string()).collect();
        let many = if images.is_empty() { "no column holds images" } else { "several columns may hold the images" };
        return Err(format!("{many}; its columns are {}", listed.join(", ").escape_debug()));
    };
    let label = label(columns, &described);
    let names = label.map_or(Vec::new(), |at| class_names(&described, top(&columns[at])));
    Ok(Columns { image, label, names })
}

/// The column of labels: one described as such, else integers with a known name.
fn label(columns: &[std::sync::Arc<ColumnDescriptor>], described: &Value) -> Option<usize> {
    let whole = |at: &usize| {
        let column = &columns[*at];
        matches!(column.physical_type(), Type::INT32 | Type::INT64)
            && column.max_rep_level() == 0
            && column.path().parts().len() == 1
    };
    let of = |is: &dyn Fn(&str) -> bool| (0..columns.len()).filter(whole).find(|&at| is(top(&columns[at])));
    of(&|name| kind(described, name) == Some("ClassLabel"))
        .or_else(|| of(&|name| ["label", "labels", "class", "target"].contains(&name)))
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
