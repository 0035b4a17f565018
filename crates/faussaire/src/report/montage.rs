//! All sheets of a run in one picture: a row of images per sheet, from the same latents, with the epoch in front.

use super::record::Record;
use super::sheets;
use crate::data::ImageShape;
use crate::error::Result;
use crate::recipe::Recipe;
use crate::render::{Picture, font, png};
use crate::run::Run;

/// The most rows; of more sheets some are chosen, evenly.
const ROWS: usize = 60;
/// The most images in a row.
const COLUMNS: usize = 12;
/// Pixels between rows; the grey of the ground and of the letters; pixels per pixel of a letter.
const GAP: usize = 2;
const GROUND: u8 = 64;
const LETTERS: u8 = 235;
const TEXT: usize = 2;

/// The montage of `run`, and what it shows; none without sheets of images.
pub(super) fn of(run: &Run, recipe: &Recipe, record: &Record) -> Result<Option<(Picture, String)>> {
    let (generator, _) = recipe.networks()?;
    let [height, _, _] = generator.output().dims();
    if height == 1 {
        return Ok(None);
    }
    let chosen = sheets::evenly(&record.sheets, ROWS);
    let mut rows = Vec::new();
    for (step, file) in chosen {
        let Some(sheet) = sheets::bytes(run.path(), file).and_then(|bytes| png::decode(&bytes).ok()) else { continue };
        let tiles = tiles(&sheet, generator.labels() > 0);
        if !tiles.is_empty() {
            rows.push((label(record, *step), tiles));
        }
    }
    if rows.is_empty() {
        return Ok(None);
    }
    let about = format!(
        "{} of {} sheets, a row each{}",
        rows.len(),
        record.sheets.len(),
        if generator.labels() > 0 { ", an image per class" } else { "" }
    );
    Ok(put_together(&rows).map(|picture| (picture, about)))
}

/// `epoch 3`, or the step where it isn't at the end of an epoch.
fn label(record: &Record, step: u64) -> String {
    let per_epoch = record.steps.last().filter(|last| last.epoch > 0.0).map(|last| last.step as f64 / last.epoch);
    let epoch = per_epoch.map_or(0.0, |per_epoch| step as f64 / per_epoch);
    let whole = epoch.round();
    // An epoch of 93.75 steps ends with the 94th.
    let near = per_epoch.is_some_and(|per_epoch| (epoch - whole) * per_epoch < 1.0 && epoch >= whole - 1e-9);
    if near { format!("epoch {whole}") } else { format!("step {step}") }
}

/// The images of a sheet's first row; of a conditional net's sheet, those of its first column, one per class.
fn tiles(sheet: &Picture, by_class: bool) -> Vec<Picture> {
    let (rows, columns) = (runs(sheet, false), runs(sheet, true));
    let places: Vec<((usize, usize), (usize, usize))> = match by_class {
        true => columns.first().map_or(Vec::new(), |column| rows.iter().map(|row| (*row, *column)).collect()),
        false => rows.first().map_or(Vec::new(), |row| columns.iter().map(|column| (*row, *column)).collect()),
    };
    places.into_iter().take(COLUMNS).map(|(row, column)| cut(sheet, row, column)).collect()
}

/// First place and length of every image along a side of the sheet: what lies between the gaps, whose lines are of one grey from
/// one end to the other.
fn runs(sheet: &Picture, across: bool) -> Vec<(usize, usize)> {
    let ImageShape { height, width, channels } = sheet.shape;
    let (count, other) = if across { (width, height) } else { (height, width) };
    let is_gap = |at: usize| {
        (0..other).all(|o| {
            let (y, x) = if across { (o, at) } else { (at, o) };
            sheet.bytes[(y * width + x) * channels..][..channels].iter().all(|byte| *byte == GROUND)
        })
    };
    let mut found: Vec<(usize, usize)> = Vec::new();
    let mut inside = false;
    for at in 0..count {
        let gap = is_gap(at);
        match found.last_mut() {
            Some((_, length)) if inside && !gap => *length += 1,
            _ if !gap => found.push((at, 1)),
            _ => {}
        }
        inside = !gap;
    }
    found
}

fn cut(sheet: &Picture, (top, height): (usize, usize), (left, width): (usize, usize)) -> Picture {
    let ImageShape { width: whole, channels, .. } = sheet.shape;
    let row = |y: usize| &sheet.bytes[(y * whole + left) * channels..][..width * channels];
    let bytes = (top..top + height).flat_map(row).copied().collect();
    Picture { shape: ImageShape { height, width, channels }, bytes }
}

/// Rows of images with their labels; none where the picture would be too large.
fn put_together(rows: &[(String, Vec<Picture>)]) -> Option<Picture> {
    let largest = |side: fn(&ImageShape) -> usize| {
        rows.iter().flat_map(|(_, tiles)| tiles.iter().map(|tile| side(&tile.shape))).max().unwrap_or(0)
    };
    let (tile_h, tile_w, channels) = (largest(|s| s.height), largest(|s| s.width), largest(|s| s.channels));
    let margin = rows.iter().map(|(label, _)| font::width(label, TEXT)).max().unwrap_or(0) + 6 * TEXT;
    let columns = rows.iter().map(|(_, tiles)| tiles.len()).max().unwrap_or(0);
    let row_h = tile_h.max(font::height(TEXT)) + GAP;
    let shape = ImageShape { height: rows.len() * row_h + GAP, width: margin + columns * (tile_w + GAP), channels };
    if shape.len() > 1 << 30 {
        return None;
    }
    let mut picture = Picture { shape, bytes: vec![GROUND; shape.len()] };
    for (nth, (label, tiles)) in rows.iter().enumerate() {
        let top = GAP + nth * row_h;
        let above = (row_h - GAP).saturating_sub(font::height(TEXT)) / 2;
        font::draw(label, TEXT, |x, y| {
            let at = ((top + above + y) * shape.width + 2 * TEXT + x) * channels;
            picture.bytes[at..at + channels].fill(LETTERS);
        });
        for (column, tile) in tiles.iter().enumerate().filter(|(_, tile)| tile.shape.channels == channels) {
            let left = margin + column * (tile_w + GAP);
            let width = tile.shape.width * channels;
            for (y, row) in tile.bytes.chunks_exact(width).enumerate() {
                let at = ((top + y) * shape.width + left) * channels;
                picture.bytes[at..at + width].copy_from_slice(row);
            }
        }
    }
    Some(picture)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::render::{Images, sheet};

    fn sheet_of(count: u8, rows: usize, columns: usize) -> Picture {
        let shape = ImageShape { height: 4, width: 6, channels: 1 };
        let bytes = (0..count).flat_map(|image| vec![100 + image; shape.len()]).collect();
        let options = sheet::Options { scale: Some(1), ..sheet::Options::default() };
        sheet::sheet(&Images { shape, bytes }, rows, columns, &options).unwrap()
    }

    #[test]
    fn the_first_row_or_column_of_a_sheet_is_taken() {
        let sheet = sheet_of(6, 2, 3);
        let greys = |by_class| tiles(&sheet, by_class).iter().map(|tile| tile.bytes[0]).collect::<Vec<_>>();
        assert_eq!((greys(false), greys(true)), (vec![100, 101, 102], vec![100, 103]));
        assert!(tiles(&sheet, false).iter().all(|tile| (tile.shape.height, tile.shape.width) == (4, 6)));
        assert!(tiles(&sheet_of(1, 1, 1), false).len() == 1);
    }

    #[test]
    fn rows_stand_below_each_other_behind_their_labels() {
        let tiles = tiles(&sheet_of(2, 1, 2), false);
        let picture = put_together(&[("epoch 1".into(), tiles.clone()), ("epoch 10".into(), tiles)]).unwrap();
        let row = font::height(TEXT) + GAP;
        assert_eq!(picture.shape.height, 2 * row + GAP);
        let at = |x: usize, y: usize| picture.bytes[y * picture.shape.width + x];
        let left = picture.shape.width - 2 * (6 + GAP);
        for nth in 0..2 {
            assert_eq!((at(left, GAP + nth * row), at(left + 6 + GAP, GAP + nth * row)), (100, 101));
            assert!((0..left).any(|x| at(x, GAP + nth * row + row / 2) == LETTERS));
        }
    }
}
