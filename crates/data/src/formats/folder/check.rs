//! Checks every file of a set before training.

use std::path::Path;

use rayon::prelude::*;

use super::size;
use crate::dataset::BadFile;
use crate::error::Result;
use crate::image_files;
use crate::pictures::decode;
use crate::resize::ImageOptions;
use crate::survey::Survey;

/// Decodes every training and test image in a folder or archive and lists those that can't be used; without a size in `options`, also
/// those that have another size than most.
///
/// # Errors
/// The folder or archive can't be read, or has no image.
pub fn check(root: &Path, options: &ImageOptions) -> Result<Vec<BadFile>> {
    let files = image_files::all_files(root)?;
    let options = &image_files::options_for(root, options)?;
    let decode = |index| files.read(index).and_then(|bytes| decode(&bytes, Some(1), options)).map(|(shape, _)| shape);
    let shapes: Vec<_> = (0..files.len()).into_par_iter().map(decode).collect();
    // As for training; of a set whose sample is all bad, the first good image.
    let survey = Survey::of(files.len(), options, |index| files.read(index));
    let (model, (odd, good)) = (survey.model(), survey.odd_sizes());
    let first = model.into_iter().chain(0..files.len());
    let first = first.filter_map(|index| Some((index, *shapes[index].as_ref().ok()?))).next();
    let judge = |index: usize| match (&shapes[index], first) {
        (Err(reason), _) => Some(reason.clone()),
        (Ok(shape), Some((model, expected))) if options.size.is_none() && *shape != expected => {
            Some(match 2 * odd > good {
                true => format!(
                    "it has {}, and the images have no usual size; `data.size` gives all one size",
                    size(*shape)
                ),
                false => format!(
                    "it has {}, but most have {}, as {}",
                    size(*shape),
                    size(expected),
                    files.path(model).display()
                ),
            })
        }
        _ => None,
    };
    let bad = |index| Some(BadFile { reason: judge(index)?, path: files.path(index) });
    Ok((0..files.len()).filter_map(bad).collect())
}
