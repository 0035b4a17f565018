//! Placeholder while signals are collected.

use super::{Observation, Vitals};

pub(super) fn examine(_vitals: &Vitals) -> Option<Observation> {
    None
}
