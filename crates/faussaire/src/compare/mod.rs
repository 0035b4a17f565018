//! Comparisons of several recipes, each trained with several seeds: the varied keys, the plan and its folder, the
//! outcome of each run, statistics of few runs, and the table and page that show them. The caller does the training and
//! judging.

mod forms;
mod found;
mod method;
mod outcome;
mod page;
mod plan;
mod statistics;
mod student;
mod table;
mod vary;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod reference;

pub use forms::{csv, json, markdown};
pub use method::Method;
pub use outcome::{History, Measure, Outcome, State};
pub use page::page;
pub use plan::{Folder, Job, Length, Plan, Variant};
pub use statistics::{Pair, Summary, Verdict, Welch};
pub use table::{Column, Entry, Table};
pub use vary::{Axis, Choice, choices};
