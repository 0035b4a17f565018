//! The sheets of a run as figures: which ones a report shows, and how they are read from a folder that may come from anywhere.

use std::path::Path;

use super::record::Record;
use crate::data::read_plain;
use crate::net::summary::grouped;
use crate::render::page::Image;

/// The most sheets in a report, and the most bytes of them, so that it can be sent by mail.
const SHEETS: usize = 12;
const SHEET_BYTES: usize = 6 << 20;
/// A larger file is no sheet.
const LARGEST: u64 = 64 << 20;

/// A sheet and its caption.
pub(super) struct Figure {
    pub image: Image,
    pub caption: String,
}

/// The last sheet of the run in `folder`.
pub(super) fn last(folder: &Path, record: &Record) -> Option<Figure> {
    record.sheets.last().and_then(|sheet| figure(folder, sheet))
}

/// Sheets over time, evenly chosen, the first and the last among them; none where there are fewer than two.
pub(super) fn over_time(folder: &Path, record: &Record) -> Vec<Figure> {
    let all = &record.sheets;
    if all.len() < 2 {
        return Vec::new();
    }
    let mut chosen = evenly(all, SHEETS);
    loop {
        let figures: Vec<_> = chosen.iter().filter_map(|sheet| figure(folder, sheet)).collect();
        // Base64 takes four characters for three bytes.
        let bytes = figures.iter().map(|figure| figure.image.base64.len() / 4 * 3).sum::<usize>();
        if chosen.len() <= 2 || bytes <= SHEET_BYTES {
            return figures;
        }
        // Every second one, but the last stays.
        let last = chosen.len() - 1;
        chosen = chosen.into_iter().enumerate().filter(|(at, _)| at % 2 == 0 || *at == last).map(|(_, s)| s).collect();
    }
}

/// At most `most` of `all`, evenly chosen, the first and the last among them.
pub(super) fn evenly<T>(all: &[T], most: usize) -> Vec<&T> {
    match all.len().min(most) {
        count @ 0..2 => all.iter().take(count).collect(),
        count => (0..count).map(|i| &all[i * (all.len() - 1) / (count - 1)]).collect(),
    }
}

/// The bytes of the file of a sheet; none where it is missing.
pub(super) fn bytes(folder: &Path, file: &str) -> Option<Vec<u8>> {
    // The log is the run's own, but may come from anywhere: only plain names inside samples/ are followed.
    let name = file.strip_prefix("samples/").filter(|name| !name.contains(['/', '\\']))?;
    let (samples, path) = (folder.join("samples"), folder.join("samples").join(name));
    if !std::fs::symlink_metadata(samples).is_ok_and(|meta| meta.is_dir())
        || !std::fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_file())
    {
        return None;
    }
    read_plain(&path, LARGEST).ok()
}

/// A sheet as a figure; none where its file is missing or not a picture.
fn figure(folder: &Path, (step, file): &(u64, String)) -> Option<Figure> {
    let caption = format!("step {}", grouped(*step));
    let image = Image::of_file(&bytes(folder, file)?, format!("images of the averaged generator at {caption}"))?;
    Some(Figure { image, caption })
}
