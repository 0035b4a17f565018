//! The page of neighbours: how many images are suspiciously near to a training image, how all ratios are distributed, and
//! the nearest images beside the training images that they are near to. `templates/neighbours.html` is its text.

use askama::Template;

use crate::data::{Dataset, ImageShape};
use crate::error::Result;
use crate::metrics::{Memorization, NearestTraining};
use crate::render::chart::{Sample, histogram};
use crate::render::page::{Image, render};
use crate::render::{Images, png};

/// The nearest images that are shown, and the most of all the others, evenly by rank.
const NEAREST: usize = 96;
const OTHERS: usize = 24;
/// Neighbours that are shown.
const SHOWN: usize = 3;
/// The least width of an image on the page, in pixels.
const SIDE: usize = 84;

#[derive(Template)]
#[template(path = "neighbours.html")]
struct Page<'a> {
    of: &'a str,
    train: String,
    share: String,
    count: usize,
    low: String,
    high: String,
    expected: String,
    verdict: &'static str,
    rule: &'a str,
    threshold: String,
    chart: String,
    groups: Vec<Group>,
}

struct Group {
    title: String,
    pairs: Vec<Pair>,
}

/// An image, then the training images nearest to it.
struct Pair {
    figures: Vec<Image>,
    near: bool,
}

/// The page: each of the nearest `images` beside its nearest ones in `train`, the set that `sheet` was made with. Images of
/// `train` from number `originals` on are mirror images of the others. `of` says whose images they are.
///
/// # Errors
/// An image that can't be read.
pub fn neighbours(
    sheet: &NearestTraining,
    of: &str,
    (train, originals): (&dyn Dataset, usize),
    images: &[f32],
) -> Result<String> {
    let (copies, ratios) = (&sheet.memorization, sheet.ratios());
    let mut order: Vec<usize> = (0..ratios.len()).collect();
    order.sort_by(|&a, &b| ratios[a].total_cmp(&ratios[b]));
    let nearest = order.len().min(NEAREST);
    let rest = &order[nearest..];
    let count = OTHERS.min(rest.len());
    let others: Vec<usize> = (0..count).map(|i| rest[i * rest.len() / count]).collect();
    let pairs =
        |chosen: &[usize]| chosen.iter().map(|&at| pair(sheet, at, (train, originals), images)).collect::<Result<_>>();
    let mut groups = vec![Group { title: format!("The {nearest} most suspicious"), pairs: pairs(&order[..nearest])? }];
    if !others.is_empty() {
        let title = format!("{count} of the other {}, evenly by rank", rest.len());
        groups.push(Group { title, pairs: pairs(&others)? });
    }
    let percent = |share: f64| format!("{:.1}%", 100.0 * share);
    render(&Page {
        of,
        train: train.name(),
        share: percent(copies.share),
        count: ratios.len(),
        low: percent(copies.low),
        high: percent(copies.high),
        expected: percent(copies.expected),
        verdict: verdict(copies),
        rule: &copies.rule,
        threshold: format!("{:.3}", copies.threshold),
        chart: ratio_chart(sheet)?,
        groups,
    })
}

fn verdict(copies: &Memorization) -> &'static str {
    match () {
        () if copies.excess > 2.0 => "That is more than chance explains: look at the pairs below.",
        () if copies.z < -3.0 => {
            "No single image stands out, but as a whole they are more suspicious than held-out real images: see below."
        }
        () => "That is no more than chance explains.",
    }
}

/// The ratios of these images and of held-out real ones, with the threshold.
fn ratio_chart(sheet: &NearestTraining) -> Result<String> {
    let samples = [
        Sample { name: "these images", values: sheet.ratios() },
        Sample { name: "held-out real images", values: sheet.held_out() },
    ];
    let note = format!(
        "The data-copying test over both distributions (Meehan et al. 2020) gives {} standard deviations: below −3 the images \
         as a whole are suspicious.",
        format!("{:.1}", sheet.memorization.z).replace('-', "−")
    );
    let title = "Distance to the nearest training image, over the mean distance of the next nine";
    render(&histogram(&samples, (sheet.memorization.threshold, "suspiciously near"), (title, &note, "ratio")))
}

/// Image number `sample` and its neighbours.
fn pair(
    sheet: &NearestTraining,
    sample: usize,
    (train, originals): (&dyn Dataset, usize),
    images: &[f32],
) -> Result<Pair> {
    let shape = train.shape();
    let own = &images[sample * shape.len()..][..shape.len()];
    let mut figures = vec![figure(own, shape, format!("image {sample}"))?];
    let mut other = vec![0.0; shape.len()];
    for (index, distance) in sheet.nearest(sample).take(SHOWN) {
        train.read(index, &mut other)?;
        let turned = if index < originals { "" } else { ", mirrored" };
        let place = index % originals.max(1);
        let caption = format!("distance {distance:.3}{}; training image {place}{turned}", equal(own, &other));
        figures.push(figure(&other, shape, caption)?);
    }
    Ok(Pair { figures, near: f64::from(sheet.ratios()[sample]) <= sheet.memorization.threshold })
}

/// Says so where all pixels are equal: an image of a generator has 256 steps, a resized one has not.
fn equal(a: &[f32], b: &[f32]) -> &'static str {
    let same = a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1.0 / 255.0);
    if same { ", pixels equal" } else { "" }
}

fn figure(values: &[f32], shape: ImageShape, caption: String) -> Result<Image> {
    let picture = Images::from_values(values, shape, (0.0, 1.0))?.picture(0);
    let bytes = picture.map_or(Ok(Vec::new()), |picture| png::encode(&picture))?;
    let scale = SIDE.div_ceil(shape.height.max(shape.width).max(1)).max(1);
    Ok(Image::new(&bytes, caption, (shape.width * scale, shape.height * scale)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::{Strokes, fill};
    use crate::metrics::TrainingImages;
    use crate::render::page::hostile;

    fn values(set: &dyn Dataset, range: std::ops::Range<usize>) -> Vec<f32> {
        let mut values = Vec::new();
        fill(set, &range.collect::<Vec<_>>(), &mut values).unwrap();
        values
    }

    #[test]
    fn copies_are_shown_beside_their_originals() {
        let (train, held_out, new) = (Strokes::new(1, 600), Strokes::new(2, 200), Strokes::new(3, 200));
        // Sixty training images among two hundred.
        let mut mixed = values(&new, 0..140);
        mixed.extend(values(&train, 100..160));
        for unseen in [Some(&held_out as &dyn Dataset), None] {
            let sheet = NearestTraining::new(TrainingImages { train: &train, held_out: unseen }, &mixed, 0).unwrap();
            let page = neighbours(&sheet, "a <run>", (&train, 600), &mixed).unwrap();
            assert!(page.contains("training image 100<"), "the first copy's original");
            assert!(page.contains("a &#60;run&#62;") && page.contains("pixels equal") && !page.contains("NaN"));
            let near = (200.0 * sheet.memorization.share).round() as usize;
            assert_eq!(page.matches("class=\"flag\">suspiciously near</").count(), near);
            assert!(page.contains("more than chance explains: look") && page.contains("24 of the other 104"), "{near}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn no_name_becomes_markup(name in hostile::names()) {
            let train = Strokes::new(1, 40);
            let images = values(&Strokes::new(3, 20), 0..20);
            let mut sheet = NearestTraining::new(TrainingImages { train: &train, held_out: None }, &images, 0).unwrap();
            let plain = neighbours(&sheet, "plain", (&train, 40), &images).unwrap();
            sheet.memorization.rule = name.clone();
            let html = neighbours(&sheet, &name, (&train, 40), &images).unwrap();
            prop_assert_eq!(hostile::elements(&html), hostile::elements(&plain));
            prop_assert!(html.matches(&hostile::escaped(&name)).count() >= 3);
        }
    }
}
