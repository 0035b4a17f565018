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
    let count = all.len().min(SHEETS);
    let mut chosen: Vec<_> = (0..count).map(|i| &all[i * (all.len() - 1) / (count - 1)]).collect();
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

/// A sheet as a figure; none where its file is missing or not a picture.
fn figure(folder: &Path, (step, file): &(u64, String)) -> Option<Figure> {
    // The log is the run's own, but may come from anywhere: only plain names inside samples/ are followed.
    let name = file.strip_prefix("samples/").filter(|name| !name.contains(['/', '\\']))?;
    let (samples, path) = (folder.join("samples"), folder.join("samples").join(name));
    if !std::fs::symlink_metadata(samples).is_ok_and(|meta| meta.is_dir())
        || !std::fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_file())
    {
        return None;
    }
    let caption = format!("step {}", grouped(*step));
    let image =
        Image::of_file(&read_plain(&path, LARGEST).ok()?, format!("images of the averaged generator at {caption}"))?;
    Some(Figure { image, caption })
}
