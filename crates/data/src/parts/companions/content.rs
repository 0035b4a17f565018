//! Whether images of the same names belong together by what they show. Names alone do not tell: classes are often numbered alike.
//! Some images of both groups are compared: an image and its counterpart are more alike than the image and the counterparts of
//! others.

use rayon::prelude::*;

use crate::spread::spread;

/// Rows and columns of a thumbnail.
pub(crate) const SIDE: usize = 16;

/// Pairs that are compared; fewer than `MIN_PAIRS` say nothing.
const PAIRS: usize = 8;
const MIN_PAIRS: usize = 4;

/// Share of the pairs that a finding must hold for, in percent.
const SHARE: usize = 75;

/// One picture in two sizes or formats: the brightness of its parts differs by no more than this on average, and by no more than
/// `MAX_APART` in all but `ODD` of them.
const MEAN_APART: usize = 4;
const MAX_APART: u8 = 16;
const ODD: usize = 4;

/// What an image shows.
#[derive(Clone, Debug)]
pub(crate) struct Glance {
    /// The mean brightness of each of 16x16 parts.
    pub thumbnail: Vec<u8>,
    pub is_grey: bool,
    /// Whether it has few levels, as masks and drawings.
    pub is_flat: bool,
    pub pixels: usize,
}

/// The files behind the names of a set.
pub(crate) trait Contents: Sync {
    /// The length in bytes of file `index`; `None` if only its name is known.
    fn length(&self, index: usize) -> Option<u64>;

    /// The bytes of file `index`; `None` if they can't be read.
    fn bytes(&self, index: usize) -> Option<Vec<u8>>;

    /// What the image in file `index` shows; `None` if it can't be decoded.
    fn glance(&self, index: usize) -> Option<Glance>;
}

/// Names without files.
pub(crate) struct Names;

impl Contents for Names {
    fn length(&self, _: usize) -> Option<u64> {
        None
    }

    fn bytes(&self, _: usize) -> Option<Vec<u8>> {
        None
    }

    fn glance(&self, _: usize) -> Option<Glance> {
        None
    }
}

/// How two groups of images of the same names are related.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// They can't be compared.
    Unknown,
    /// They have nothing in common but the names.
    None,
    /// The same pictures, of which those of one group are better: larger or in colour.
    Same { first_is_better: bool },
    /// The pictures of one group have few levels or are grey, those of the other one are not; `belong` if they go together.
    Map { first_is_map: bool, belong: bool },
    /// They belong together, as crops or the two sides of a pair do.
    Pairs,
}

/// Compares two groups of images by some of these pairs.
pub(super) fn relation(contents: &dyn Contents, pairs: &[(usize, usize)]) -> Relation {
    let chosen: Vec<(usize, usize)> = spread(pairs.len(), PAIRS).map(|at| pairs[at]).collect();
    let glances = |&(one, other): &(usize, usize)| Some((contents.glance(one)?, contents.glance(other)?));
    let seen: Vec<(Glance, Glance)> =
        chosen.par_iter().filter_map(glances).filter(|(a, b)| !is_blank(a) && !is_blank(b)).collect();
    if seen.len() < MIN_PAIRS {
        return Relation::Unknown;
    }
    let needed = (seen.len() * SHARE).div_ceil(100).max(MIN_PAIRS);
    let hits = seen.iter().enumerate().filter(|(at, (one, _))| is_nearest(one, &seen, *at)).count();
    let belong = hits >= needed;
    if belong && seen.iter().filter(|(one, other)| are_same(one, other)).count() >= needed {
        let worth = |glance: &Glance| usize::from(!glance.is_grey);
        let sums = |of: &dyn Fn(&Glance) -> usize| {
            seen.iter().fold((0, 0), |(first, second), (one, other)| (first + of(one), second + of(other)))
        };
        let (first, second) = match sums(&worth) {
            (first, second) if first == second => sums(&|glance| glance.pixels),
            unequal => unequal,
        };
        return Relation::Same { first_is_better: first >= second };
    }
    let share = |is: &dyn Fn(&(Glance, Glance)) -> bool| seen.iter().filter(|pair| is(pair)).count() >= needed;
    let is_less = |one: &Glance, other: &Glance| {
        (one.is_flat && !other.is_flat) || (one.is_grey && !other.is_grey && one.is_flat >= other.is_flat)
    };
    if share(&|(one, other)| is_less(one, other)) {
        return Relation::Map { first_is_map: true, belong };
    }
    if share(&|(one, other)| is_less(other, one)) {
        return Relation::Map { first_is_map: false, belong };
    }
    if belong { Relation::Pairs } else { Relation::None }
}

/// Whether pair `at` of `seen` is the one in which the other image is most like `one`.
fn is_nearest(one: &Glance, seen: &[(Glance, Glance)], at: usize) -> bool {
    let alike: Vec<f64> = seen.iter().map(|(_, other)| correlation(&one.thumbnail, &other.thumbnail).abs()).collect();
    alike.iter().enumerate().all(|(place, value)| place == at || *value < alike[at])
}

/// The correlation of the brightness of two images; 0 for an image of one brightness.
fn correlation(a: &[u8], b: &[u8]) -> f64 {
    let mean = |values: &[u8]| values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len().max(1) as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (f64::from(*a) - mean_a, f64::from(*b) - mean_b);
        (ab, aa, bb) = (ab + a * b, aa + a * a, bb + b * b);
    }
    if aa == 0.0 || bb == 0.0 { 0.0 } else { ab / (aa * bb).sqrt() }
}

/// Whether an image shows nothing that another one could resemble.
fn is_blank(image: &Glance) -> bool {
    image.thumbnail.iter().all(|value| image.thumbnail.first() == Some(value))
}

/// Whether two images are one picture, in two sizes or formats.
fn are_same(one: &Glance, other: &Glance) -> bool {
    let apart: Vec<u8> = one.thumbnail.iter().zip(&other.thumbnail).map(|(a, b)| a.abs_diff(*b)).collect();
    let sum: usize = apart.iter().map(|apart| usize::from(*apart)).sum();
    let odd = apart.iter().filter(|apart| **apart > MAX_APART).count();
    sum <= MEAN_APART * apart.len() && odd <= ODD
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// Files by their glances.
    pub(crate) struct Glances(pub Vec<Glance>);

    impl Contents for Glances {
        fn length(&self, index: usize) -> Option<u64> {
            self.0.get(index).map(|glance| glance.pixels as u64)
        }

        fn bytes(&self, index: usize) -> Option<Vec<u8>> {
            self.0.get(index).map(|glance| glance.thumbnail.clone())
        }

        fn glance(&self, index: usize) -> Option<Glance> {
            self.0.get(index).cloned()
        }
    }

    /// A photograph in colour that `seed` determines.
    pub(crate) fn photo(seed: usize) -> Glance {
        let value = |at: usize| (((at + 1) * (seed + 3) * 2_654_435_761) >> 7) as u8;
        let thumbnail = (0..SIDE * SIDE).map(|at| value(at / 4)).collect();
        Glance { thumbnail, is_grey: false, is_flat: false, pixels: 4096 }
    }

    /// A mask of `image`.
    pub(crate) fn mask(image: &Glance) -> Glance {
        let thumbnail = image.thumbnail.iter().map(|value| if *value > 127 { 255 } else { 0 }).collect();
        Glance { thumbnail, is_grey: true, is_flat: true, ..*image }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{Glances, mask, photo};
    use super::*;

    fn of(first: &[Glance], second: &[Glance]) -> Relation {
        let contents = Glances([first, second].concat());
        let pairs: Vec<(usize, usize)> = (0..first.len()).map(|at| (at, first.len() + at)).collect();
        relation(&contents, &pairs)
    }

    #[test]
    fn images_belong_together_by_what_they_show() {
        let photos: Vec<Glance> = (0..10).map(photo).collect();
        let others: Vec<Glance> = (40..50).map(photo).collect();
        let changed = |change: &dyn Fn(Glance) -> Glance| photos.iter().cloned().map(change).collect::<Vec<_>>();
        let smaller = changed(&|image| Glance { pixels: 64, ..image });
        assert_eq!(of(&photos, &smaller), Relation::Same { first_is_better: true });
        assert_eq!(of(&smaller, &photos), Relation::Same { first_is_better: false });
        let grey = changed(&|image| Glance { is_grey: true, pixels: 9999, ..image });
        assert_eq!(of(&grey, &photos), Relation::Same { first_is_better: false }, "colour is better than size");
        let masks = changed(&|image| mask(&image));
        assert_eq!(of(&masks, &photos), Relation::Map { first_is_map: true, belong: true });
        let moved: Vec<Glance> = masks[3..].iter().chain(&masks[..3]).cloned().collect();
        assert_eq!(of(&photos, &moved), Relation::Map { first_is_map: false, belong: false });
        let dark = changed(&|image| Glance { thumbnail: image.thumbnail.iter().map(|v| v / 2).collect(), ..image });
        assert_eq!(of(&photos, &dark), Relation::Pairs);
        assert_eq!(of(&photos, &others), Relation::None);
        let blank = vec![Glance { thumbnail: vec![9; SIDE * SIDE], ..photo(0) }; 10];
        assert_eq!(of(&blank, &blank), Relation::Unknown, "blank images are alike by chance");
        assert_eq!(of(&photos[..3], &masks[..3]), Relation::Unknown);
        assert_eq!(relation(&Names, &[(0, 1); 9]), Relation::Unknown);
    }
}
