//! The sheet of neighbours: the finding, how all distances are spread, and the nearest images beside those that they are
//! near to.

use std::fmt::Write;

use crate::data::{Dataset, ImageShape};
use crate::error::Result;
use crate::metrics::Sheet;
use crate::page::{document, escape, image};
use crate::picture::{Images, png};

/// The nearest images that are shown, and as many as these from among all the others, evenly by rank.
const NEAREST: usize = 96;
const OTHERS: usize = 24;
/// Neighbours that are shown.
const SHOWN: usize = 3;
/// Images are shown at this many pixels at least.
const SIDE: usize = 84;
/// Bars of the histogram.
const BINS: usize = 48;

const STYLE: &str = "
.pairs{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,400px),1fr));gap:.8rem}
.pair{border:1px solid var(--line);border-radius:8px;background:var(--card);padding:.7rem}
.row{display:flex;gap:.5rem;flex-wrap:wrap}.row figure:first-child{margin-right:.6rem}.row figcaption{max-width:6.2rem;font-size:.78rem;line-height:1.3}
.flag{font-size:.82rem;font-weight:600;border:1.5px solid var(--accent);color:var(--accent);border-radius:4px;padding:0 .35rem}
@media(max-width:640px){svg text,svg text.soft{font-size:28px}}
.chart{border:1px solid var(--line);border-radius:8px;background:var(--card);padding:.6rem}
";

/// The sheet as one page: each of the nearest `images` beside its nearest ones in `train`, the set given to
/// [`Sheet::new`]. `of` says whose images they are.
///
/// # Errors
/// An image that can't be read.
pub fn page(sheet: &Sheet, of: &str, train: &dyn Dataset, images: &[f32]) -> Result<String> {
    let copies = &sheet.copies;
    let ratios = &sheet.ratios;
    let mut order: Vec<usize> = (0..ratios.len()).collect();
    order.sort_by(|&a, &b| ratios[a].total_cmp(&ratios[b]));
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let mut body = format!("<h1>Copies? {} beside what it learned from</h1>\n", escape(of));
    let _ = write!(
        body,
        "<p class=\"lead\"><strong>{}</strong> of {} images are suspiciously near to an image of {} (95 % interval {} to {}); of \
         real images that were not learned from, {} are. {}</p>\n<p class=\"soft\">Rule: {}. That is a ratio of {:.3}.</p>\n",
        percent(copies.share),
        ratios.len(),
        escape(&train.name()),
        percent(copies.low),
        percent(copies.high),
        percent(copies.expected),
        finding(sheet),
        escape(&copies.rule),
        copies.threshold
    );
    let _ = write!(
        body,
        "<h2>The nearest image learned from, over the mean of the next nine</h2>\n<p class=\"soft\">Solid: these images. Dashed: unseen real \
         images. The data-copying test over both (Meehan et al. 2020) gives {:.1} standard deviations: below −3 the images as \
         a whole are suspicious.</p>\n<div class=\"chart\">{}</div>\n",
        copies.z,
        histogram(ratios, &sheet.unseen, copies.threshold)
    );
    let nearest = order.len().min(NEAREST);
    let _ = writeln!(body, "<h2>The {nearest} most suspicious</h2>");
    body += &pairs(sheet, &order[..nearest], train, images)?;
    let rest = &order[nearest..];
    let others: Vec<usize> =
        (0..OTHERS.min(rest.len())).map(|i| rest[i * rest.len() / OTHERS.min(rest.len())]).collect();
    if !others.is_empty() {
        let _ = writeln!(body, "<h2>From among the other {}, evenly by rank</h2>", rest.len());
        body += &pairs(sheet, &others, train, images)?;
    }
    Ok(document(&format!("Copies? {of}"), STYLE, &body))
}

fn finding(sheet: &Sheet) -> &'static str {
    let copies = &sheet.copies;
    match () {
        () if copies.excess > 2.0 => "That is more than chance explains: look at the pairs below.",
        () if copies.z < -3.0 => {
            "No single image stands out, but as a whole they are more suspicious than unseen ones: see below."
        }
        () => "That is no more than chance explains.",
    }
}

/// A card for each of `chosen`: the image and its neighbours.
fn pairs(sheet: &Sheet, chosen: &[usize], train: &dyn Dataset, images: &[f32]) -> Result<String> {
    let shape = train.shape();
    let mut html = String::from("<div class=\"pairs\">\n");
    let mut other = vec![0.0; shape.len()];
    for &sample in chosen {
        let own = &images[sample * shape.len()..][..shape.len()];
        let near = f64::from(sheet.ratios[sample]) <= sheet.copies.threshold;
        let flag = if near { "<span class=\"flag\">suspiciously near</span>" } else { "" };
        let _ =
            write!(html, "<div class=\"pair\"><div class=\"row\">{}", figure(own, shape, &format!("image {sample}"))?);
        for (&index, distance) in
            sheet.neighbours.indices(sample).iter().zip(sheet.neighbours.distances(sample)).take(SHOWN)
        {
            train.read(index as usize, &mut other)?;
            let caption = format!("distance {distance:.3}{}; learned from, number {index}", equal(own, &other));
            html += &figure(&other, shape, &caption)?;
        }
        let _ = writeln!(html, "</div>{flag}</div>");
    }
    Ok(html + "</div>\n")
}

/// Says so where all pixels are equal: an image of a generator has 256 steps, a resized one has not.
fn equal(a: &[f32], b: &[f32]) -> &'static str {
    let same = a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1.0 / 255.0);
    if same { ", pixels equal" } else { "" }
}

fn figure(values: &[f32], shape: ImageShape, caption: &str) -> Result<String> {
    let picture = Images::from_values(values, shape, (0.0, 1.0))?.picture(0);
    let bytes = picture.map_or(Ok(Vec::new()), |picture| png::encode(&picture))?;
    let scale = SIDE.div_ceil(shape.height.max(shape.width).max(1)).max(1);
    let tag = image(&bytes, caption, shape.width * scale, shape.height * scale);
    Ok(format!("<figure>{tag}<figcaption>{caption}</figcaption></figure>"))
}

/// Both distributions as outlines, the threshold as a line.
fn histogram(ours: &[f32], unseen: &[f32], threshold: f64) -> String {
    const WIDTH: f64 = 1000.0;
    const HEIGHT: f64 = 230.0;
    const BASE: f64 = 190.0;
    // A few far-off images would press all others into the first bars.
    let mut sorted: Vec<f32> = ours.iter().chain(unseen).copied().collect();
    sorted.sort_by(f32::total_cmp);
    let most = f64::from(sorted[(sorted.len() - 1) * 995 / 1000]).max(threshold).max(1e-9) * 1.02;
    let shares = |set: &[f32]| {
        let mut bars = [0.0; BINS];
        let place = |d: &f32| ((f64::from(*d) / most * BINS as f64) as usize).min(BINS - 1);
        set.iter().for_each(|d| bars[place(d)] += 1.0 / set.len() as f64);
        bars
    };
    let (ours, unseen) = (shares(ours), shares(unseen));
    let highest = ours.iter().chain(&unseen).copied().fold(1e-9, f64::max);
    let (x, y) = (|share: f64| 10.0 + share * (WIDTH - 20.0), |share: f64| BASE - 160.0 * share / highest);
    let outline = |bars: &[f64; BINS], style: &str| {
        let step = |(at, share): (usize, &f64)| {
            let (from, to) = (x(at as f64 / BINS as f64), x((at + 1) as f64 / BINS as f64));
            format!("{from:.1},{0:.1} {to:.1},{0:.1}", y(*share))
        };
        let points: Vec<String> = bars.iter().enumerate().map(step).collect();
        format!("<polyline points=\"{}\" fill=\"none\" {style}/>", points.join(" "))
    };
    let line = x(threshold / most);
    let (side, place) = if line > 0.45 * WIDTH { ("end", line - 6.0) } else { ("start", line + 6.0) };
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"how much nearer the nearest image learned from is than the next\">\
         <line x1=\"10\" x2=\"{0}\" y1=\"{BASE}\" y2=\"{BASE}\" stroke=\"var(--line)\"/>{1}{2}\
         <line x1=\"{line:.1}\" x2=\"{line:.1}\" y1=\"20\" y2=\"{BASE}\" stroke=\"var(--accent)\" stroke-width=\"2\"/>\
         <text x=\"{place:.1}\" y=\"32\" text-anchor=\"{side}\">suspiciously near up to here</text>\
         <text class=\"soft\" x=\"10\" y=\"212\">0</text><text class=\"soft\" x=\"{0}\" y=\"212\" text-anchor=\"end\">ratio {most:.2}</text></svg>",
        WIDTH - 10.0,
        outline(&unseen, "stroke=\"var(--c7)\" stroke-width=\"2\" stroke-dasharray=\"6 4\""),
        outline(&ours, "stroke=\"var(--c0)\" stroke-width=\"2.5\""),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::{Strokes, fill};
    use crate::metrics::Learned;

    #[test]
    fn the_page_shows_each_copy_beside_its_original() {
        let (train, new) = (Strokes::new(1, 600), Strokes::new(3, 200));
        let held_out = Strokes::new(2, 200);
        let (mut mixed, mut copies) = (Vec::new(), Vec::new());
        fill(&new, &(0..140).collect::<Vec<_>>(), &mut mixed).unwrap();
        fill(&train, &(100..160).collect::<Vec<_>>(), &mut copies).unwrap();
        mixed.extend(copies);
        for unseen in [Some(&held_out as &dyn Dataset), None] {
            let copier = Sheet::new(Learned { train: &train, held_out: unseen }, &mixed, 0).unwrap();
            let page = page(&copier, "a <run>", &train, &mixed).unwrap();
            assert!(page.contains("learned from, number 100<"), "the first copy's original");
            assert!(page.contains("a &lt;run&gt;") && page.contains("pixels equal") && !page.contains("NaN"));
            assert_eq!(page.matches("suspiciously near</").count(), (200.0 * copier.copies.share).round() as usize);
        }
    }
}
