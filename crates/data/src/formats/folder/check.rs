//! Checks every file of a set before training.

use std::path::Path;

use rayon::prelude::*;

use super::{decode, size};
use crate::dataset::BadFile;
use crate::error::Result;
use crate::image_files;
use crate::resize::ImageOptions;

/// Decodes every training and test image in a folder or archive and lists those that can't be used; without a size in `options`, also
/// those whose size differs from the first good image's.
///
/// # Errors
/// The folder or archive can't be read, or has no image.
pub fn check(root: &Path, options: &ImageOptions) -> Result<Vec<BadFile>> {
    let files = image_files::all_files(root)?;
    let decode = |index| files.read(index).and_then(|bytes| decode::decode(&bytes, Some(1))).map(|(shape, _)| shape);
    let shapes: Vec<_> = (0..files.len()).into_par_iter().map(decode).collect();
    let first = shapes.iter().enumerate().find_map(|(index, shape)| Some((index, *shape.as_ref().ok()?)));
    let judge = |index: usize| match (&shapes[index], first) {
        (Err(reason), _) => Some(reason.clone()),
        (Ok(shape), Some((model, expected))) if options.size.is_none() && *shape != expected => {
            Some(format!("it has {}, but {} has {}", size(*shape), files.path(model).display(), size(expected)))
        }
        _ => None,
    };
    let bad = |index| Some(BadFile { reason: judge(index)?, path: files.path(index) });
    Ok((0..files.len()).filter_map(bad).collect())
}
