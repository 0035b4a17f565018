//! `judge`: scores of images against real ones.

use std::path::PathBuf;

use faussaire::judging::{self, Options, Reference};
use pyo3::prelude::*;

use crate::dataset::Dataset;
use crate::pool::on_pool;
use crate::run::json;

/// Judges the run, or the images at a path, `of`; gives the scores in JSON, what was judged against what, and the page of
/// neighbours where it was asked for.
#[pyfunction]
#[pyo3(signature = (of, n, seed, against=None, reference=None, test=None, class_=None, inception=None, checkpoint=None, neighbours=false, data_dir=None))]
#[allow(clippy::too_many_arguments)]
pub fn judge(
    py: Python<'_>,
    of: String,
    n: usize,
    seed: u64,
    against: Option<String>,
    reference: Option<&Dataset>,
    test: Option<&Dataset>,
    class_: Option<String>,
    inception: Option<PathBuf>,
    checkpoint: Option<String>,
    neighbours: bool,
    data_dir: Option<PathBuf>,
) -> PyResult<(String, String, Option<String>)> {
    on_pool(py, || {
        let mut options = Options::of(of).n(n).seed(seed).neighbours(neighbours);
        (options.against, options.class, options.inception, options.data_dir) = (against, class_, inception, data_dir);
        if let Some(name) = checkpoint {
            options = options.checkpoint(name);
        }
        if let Some(train) = reference {
            options = options.reference(Reference::new(train.data.shared(), test.map(|test| test.data.shared())));
        }
        let judged = judging::run(&options, &mut |_| ())?;
        let about = format!("{} against {} ({})", judged.of, judged.real, judged.split);
        Ok((json(&judged.judgement)?, about, judged.neighbours))
    })
}
