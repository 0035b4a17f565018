//! Remarks on the layers of the nets.

use super::range::{self, op};
use super::{Facts, Found, rewritten, times};
use crate::net::summary::grouped;
use crate::net::{LayerEntry, Network, Op};
use crate::pixel_range::PixelRange;
use crate::recipe::joint_batch::has_batchnorm;

/// The largest latent that is narrow for images, which vary in more ways.
const NARROW: usize = 3;
/// Share of values to drop above which hardly any gradient is left.
const MOST_DROPPED: f32 = 0.7;
/// Parameters of G over those of D from which on D is small.
const SMALL_D: usize = 30;

pub(super) fn joint_batchnorm(facts: &Facts) -> Option<Found> {
    let d = &facts.discriminator;
    (has_batchnorm(d) && facts.recipe.train.joint_batch.joins(d)).then(|| Found {
        what: "the discriminator has batch normalisation and takes real and generated images as one batch".into(),
        follows: ", so that the batch's statistics tell it which are which and it need not look at the images".into(),
        advice: "give each kind a batch of its own".into(),
        set: vec!["train.joint_batch=false".into()],
    })
}

pub(super) fn bounded_scores(facts: &Facts) -> Option<Found> {
    let (d, loss) = (&facts.discriminator, facts.recipe.train.loss);
    let [low, high] = range::of_scores(d);
    if range::is_free([low, high]) {
        return None;
    }
    let scored = range::under_sigmoid(d);
    let from = range::bounded_from(scored);
    // A final sigmoid is the loss's, and named only where others come before it.
    let tail = activations(&d.layers()[from..]);
    let follows = match (low.is_finite(), high.is_finite(), loss.scale().log_odds && !loss.is_relativistic()) {
        _ if low == high => format!("it gives every image the same score of {low}, and can learn nothing"),
        (true, true, true) => {
            format!(
                "its probability of \"real\" is never below {:.2} nor above {:.2}: it can be sure of no image, and may stop learning",
                sigmoid(low),
                sigmoid(high)
            )
        }
        (true, true, false) => {
            format!("its scores are never below {low:.2} nor above {high:.2}, near which it stops learning")
        }
        (true, false, true) => {
            format!(
                "its scores are never below {low}: it can't call an image generated, and stops learning once all are {low}"
            )
        }
        (true, false, false) => format!("its scores are never below {low}, and it stops learning once all are {low}"),
        _ => format!("its scores are never above {high}"),
    };
    let set = rewritten(d, |index, entry| {
        let removed = (from..scored.len()).contains(&index) && is_activation(entry);
        if removed { Vec::new() } else { vec![entry.line.clone()] }
    });
    Some(Found {
        what: format!("the discriminator ends in {tail}"),
        follows: format!(", so {follows}"),
        advice: format!("end it with {}", ending(&scored[..from], d)),
        set: vec![set],
    })
}

/// The last layer without bounds, and the sigmoid if there is one: "`dense 1`, `sigmoid`".
fn ending(free: &[LayerEntry], d: &Network) -> String {
    let last = free.last().map_or("dense 1", |entry| entry.line.as_str());
    let sigmoid = d.layers().last().filter(|entry| op(entry) == Op::Sigmoid).map_or("", |_| ", `sigmoid`");
    format!("`{last}`{sigmoid}")
}

/// The keywords of activations: "`tanh`, `sigmoid`".
fn activations(layers: &[LayerEntry]) -> String {
    let names = layers.iter().filter(|entry| is_activation(entry));
    names.map(|entry| format!("`{}`", entry.layer.kind().keyword())).collect::<Vec<_>>().join(", ")
}

fn is_activation(entry: &LayerEntry) -> bool {
    op(entry).activation().is_some() || op(entry) == Op::Softmax
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

pub(super) fn bounded_pixels(facts: &Facts) -> Option<Found> {
    let g = &facts.generator;
    let (lowest, highest) = PixelRange::of(g).ok()?.bounds();
    let [low, high] = range::of(g.layers());
    // Points are not bounded.
    if facts.points() || (low <= lowest && high >= highest) {
        return None;
    }
    let share = |x: f32| (x - lowest) / (highest - lowest);
    let last = g.layers().len() - 1;
    let from = range::bounded_from(&g.layers()[..last]);
    let unreached = match (share(low) > 0.01, share(high) < 0.99) {
        (true, true) => "neither black nor white",
        (true, false) => "no dark pixels",
        _ => "no bright pixels",
    };
    Some(Found {
        what: format!(
            "the generator ends in {}, so its pixels stay between {:.2} and {:.2}, where 0 is black and 1 white",
            activations(&g.layers()[from..]),
            share(low),
            share(high),
        ),
        follows: format!(": it can make {unreached}"),
        advice: format!("end it with one activation, `{}`", g.layers()[last].layer.kind().keyword()),
        set: vec![rewritten(g, |index, entry| {
            let removed = (from..last).contains(&index) && op(entry).activation().is_some();
            if removed { Vec::new() } else { vec![entry.line.clone()] }
        })],
    })
}

pub(super) fn linear_generator(facts: &Facts) -> Option<Found> {
    linear(&facts.generator)
}

pub(super) fn linear_discriminator(facts: &Facts) -> Option<Found> {
    linear(&facts.discriminator)
}

/// Several layers with weights and nothing between them that is not linear.
fn linear(net: &Network) -> Option<Found> {
    let weighted: Vec<usize> =
        net.layers().iter().enumerate().filter(|(_, entry)| is_weighted(entry)).map(|(index, _)| index).collect();
    let [first, .., last] = weighted[..] else { return None };
    if !net.layers()[first..last].iter().all(is_linear) {
        return None;
    }
    Some(Found {
        what: format!("the {} has no activation between its {} layers with weights", net.name(), weighted.len()),
        follows: ", so they can do hardly more than one linear layer".into(),
        advice: "put one before each but the first".into(),
        set: vec![rewritten(net, |index, entry| {
            let activation = (index != first && weighted.contains(&index)).then(|| "leakyrelu 0.2".to_owned());
            activation.into_iter().chain([entry.line.clone()]).collect()
        })],
    })
}

fn is_weighted(entry: &LayerEntry) -> bool {
    matches!(op(entry), Op::Dense | Op::Conv { .. } | Op::ConvTranspose { .. } | Op::Projection)
}

/// Whether the layer is linear in its input. Batch normalisation is, but for its statistics.
fn is_linear(entry: &LayerEntry) -> bool {
    is_weighted(entry)
        || matches!(
            op(entry),
            Op::Nothing
                | Op::Reshape
                | Op::Upsample { .. }
                | Op::AveragePool { .. }
                | Op::GlobalPool { .. }
                | Op::PixelShuffle { .. }
                | Op::BatchNorm { .. }
                | Op::Embedding
                | Op::Open
                | Op::Close { .. }
        )
}

/// Two layers in a row that begin at zero: nothing passes through either, forward or backward, for ever.
pub(super) fn zeros(facts: &Facts) -> Option<Found> {
    let (net, lines) = facts.nets().into_iter().map(|net| (net, zero_lines(net))).find(|(_, lines)| lines.len() > 1)?;
    let named: Vec<String> = lines.iter().map(|line| format!("`{line}`")).collect();
    Some(Found {
        what: format!("several layers of the {} begin at zero, {}", net.name(), named.join(", ")),
        follows: ": neither values nor gradients pass through them".into(),
        advice: format!("initialise the {}'s layers with random weights", net.name()),
        set: vec![rewritten(net, |_, entry| vec![without_zeros(&entry.line)])],
    })
}

/// Lines of layers that begin at zero, outside of residual blocks, which pass values around them.
fn zero_lines(net: &Network) -> Vec<&str> {
    let mut depth = 0;
    let mut found = Vec::new();
    for entry in net.layers() {
        match op(entry) {
            Op::Open => depth += 1,
            Op::Close { .. } => depth -= 1,
            _ if depth == 0 && without_zeros(&entry.line) != entry.line => found.push(entry.line.as_str()),
            _ => {}
        }
    }
    found
}

/// A layer without `init zeros`; any other layer as it is.
pub(crate) fn without_zeros(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.windows(2).position(|pair| pair == ["init", "zeros"]) {
        Some(at) => [&words[..at], &words[at + 2..]].concat().join(" "),
        None => line.to_owned(),
    }
}

pub(super) fn small_discriminator(facts: &Facts) -> Option<Found> {
    let [g, d] = facts.nets().map(|net| net.parameters().1);
    (g >= SMALL_D * d).then(|| Found {
        what: format!(
            "the discriminator has {} parameters, the generator {} times as many ({})",
            grouped(d as u64),
            times(g as f64 / d as f64),
            grouped(g as u64)
        ),
        follows: ": it can hardly tell what is wrong with the images".into(),
        advice: "give the discriminator more filters or layers".into(),
        set: Vec::new(),
    })
}

pub(super) fn dropout(facts: &Facts) -> Option<Found> {
    let (net, (keyword, rate)) =
        facts.nets().into_iter().find_map(|net| Some((net, net.layers().iter().find_map(dropped)?)))?;
    Some(Found {
        what: format!(
            "the {} has `{keyword} {rate}`, which drops all but {:.0}% of the values at random",
            net.name(),
            100.0 * (1.0 - rate)
        ),
        follows: ": its gradient is mostly noise".into(),
        advice: "drop less; 0.2 to 0.5 is usual".into(),
        set: vec![rewritten(net, |_, entry| {
            vec![dropped(entry).map_or_else(|| entry.line.clone(), |(keyword, _)| format!("{keyword} 0.3"))]
        })],
    })
}

/// The keyword and the rate of a layer that drops most of its values.
fn dropped(entry: &LayerEntry) -> Option<(&str, f32)> {
    let (keyword, rate) = entry.line.split_once(' ')?;
    let rate = rate.trim().parse().ok()?;
    (["dropout", "dropout2d"].contains(&keyword) && rate > MOST_DROPPED).then_some((keyword, rate))
}

pub(super) fn narrow_latent(facts: &Facts) -> Option<Found> {
    let latent = facts.recipe.latent;
    (latent <= NARROW && !facts.points()).then(|| Found {
        what: format!(
            "the noise z has {}",
            if latent == 1 { "one number".into() } else { format!("{latent} numbers") }
        ),
        follows: format!(
            ", so that all images lie {}: many of them will be alike",
            if latent == 1 { "along one curve" } else { "on one surface" }
        ),
        advice: "use a larger latent".into(),
        set: vec!["latent=32".into()],
    })
}

pub(super) fn spectral_batchnorm(facts: &Facts) -> Option<Found> {
    let d = &facts.discriminator;
    (facts.recipe.discriminator.spectral && has_batchnorm(d)).then(|| Found {
        what:
            "the discriminator has spectral normalisation, which bounds its gradient, and batch normalisation, which \
               rescales it without a bound"
                .into(),
        follows: String::new(),
        advice: "replace batch normalisation by layer normalisation".into(),
        set: vec![rewritten(d, |_, entry| {
            let replaced = matches!(op(entry), Op::BatchNorm { .. } | Op::ConditionalBatchNorm { .. });
            vec![if replaced { "layernorm".into() } else { entry.line.clone() }]
        })],
    })
}

/// A dense layer of the generator through which everything passes, and which is as narrow as a narrow latent.
pub(super) fn bottleneck(facts: &Facts) -> Option<Found> {
    let g = &facts.generator;
    let narrow = |entry: &&LayerEntry| op(entry) == Op::Dense && entry.output.len() <= NARROW;
    let is_open = g.layers().iter().any(|entry| matches!(op(entry), Op::Open));
    let entry = g.layers().iter().find(narrow).filter(|_| !facts.points() && !is_open)?;
    Some(Found {
        what: format!(
            "the generator's `{}` has {} value{}",
            entry.line,
            entry.output.len(),
            if entry.output.len() == 1 { "" } else { "s" }
        ),
        follows: ", through which all that the noise says must pass: many images will be alike".into(),
        advice: "make it as wide as the latent, at least".into(),
        set: Vec::new(),
    })
}

/// Batch normalisation at the end of a net, or just before the activation that ends it: it fixes the mean and the spread of the pixels of
/// a batch, or of the scores.
pub(super) fn last_batchnorm(facts: &Facts) -> Option<Found> {
    let last = |net: &Network| -> Option<usize> {
        let at = net.layers().iter().rposition(|entry| !is_activation(entry))?;
        matches!(op(&net.layers()[at]), Op::BatchNorm { .. } | Op::ConditionalBatchNorm { .. }).then_some(at)
    };
    let (net, at) = facts.nets().into_iter().find_map(|net| Some((net, last(net)?)))?;
    let is_generator = net.name() == facts.generator.name();
    let what = if is_generator { "pixels" } else { "scores" };
    Some(Found {
        what: format!("the {} ends in `{}`", net.name(), net.layers()[at].line),
        follows: format!(", which fixes the mean and the spread of its {what} in each batch"),
        advice: "leave it out at the end".into(),
        set: vec![rewritten(net, |index, entry| if index == at { Vec::new() } else { vec![entry.line.clone()] })],
    })
}

/// A convolution whose stride is larger than its kernel.
pub(super) fn untouched_pixels(facts: &Facts) -> Option<Found> {
    let is_over = |entry: &&LayerEntry| match op(entry) {
        // As shortcuts around blocks have.
        Op::Conv { kernel: [1, 1], .. } => false,
        Op::Conv { kernel, stride, .. } | Op::ConvTranspose { kernel, stride, .. } => {
            kernel.iter().zip(&stride).any(|(kernel, stride)| stride > kernel)
        }
        _ => false,
    };
    let (net, entry) = facts.nets().into_iter().find_map(|net| Some((net, net.layers().iter().find(is_over)?)))?;
    let follows = match op(entry) {
        Op::ConvTranspose { .. } => ", so that some pixels of its output depend on none of its input: a grid of dots",
        _ => ", so that it never looks at some pixels of its input",
    };
    Some(Found {
        what: format!("the {}'s `{}` has a stride larger than its kernel", net.name(), entry.line),
        follows: follows.into(),
        advice: "use a kernel of twice the stride, such as 4x4 with stride 2".into(),
        set: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use crate::recipe::Preset;
    use crate::recipe::remarks::tests::{on, only};

    /// Layers of D that end in these.
    fn d(ending: &str) -> String {
        format!(
            "discriminator.layers=[\"conv 64 4x4 stride 2\",\"leakyrelu 0.2\",\"conv 64 4x4 stride 2\",\"leakyrelu 0.2\",{ending}]"
        )
    }

    /// Layers of G that end in these.
    fn g(ending: &str) -> String {
        format!(
            "generator.layers=[\"dense 7*7*16\",\"reshape 7 7 16\",\"relu\",\"upsample 4\",\"conv 1 5x5\",{ending}]"
        )
    }

    #[test]
    fn scores_without_both_signs_are_remarked_on() {
        for (ending, part) in [
            (
                "\"flatten\",\"dense 1\",\"relu\"",
                "ends in `relu`, so its scores are never below 0: it can't call an image",
            ),
            (
                "\"flatten\",\"dense 1\",\"relu\",\"sigmoid\"",
                "ends in `relu`, `sigmoid`, so its scores are never below 0",
            ),
            (
                "\"flatten\",\"Dense(1, activation='tanh')\"",
                "ends in `tanh`, so its probability of \"real\" is never below 0.27",
            ),
            (
                "\"flatten\",\"dense 1\",\"sigmoid\",\"sigmoid\"",
                "`sigmoid`, `sigmoid`, so its probability of \"real\" is never below 0.50 nor above 0.73",
            ),
            ("\"conv 1 3x3\",\"tanh\",\"globalpool\"", "never below 0.27 nor above 0.73"),
        ] {
            let all = on(Preset::Quick, &[&d(ending)], 9600);
            let remark = all.iter().find(|remark| remark.name == "bounded-scores").unwrap();
            assert!(remark.what.contains(part), "{ending}: {remark:?}");
            assert!(on(Preset::Quick, &[&remark.set[0]], 9600).iter().all(|one| one.name != "bounded-scores"));
            assert!(remark.advice.starts_with("end it with `dense 1`") || ending.contains("conv 1"), "{remark:?}");
        }
        let hinge = on(Preset::Quick, &[&d("\"flatten\",\"dense 1\",\"tanh\""), "train.loss=hinge"], 9600);
        assert!(hinge[0].what.contains("its scores are never below -1.00 nor above 1.00"), "{hinge:?}");
        only("logits", Preset::Quick, &[&d("\"flatten\",\"dense 1\"")]);
    }

    #[test]
    fn a_score_that_is_always_the_same_is_remarked_on() {
        let all = on(Preset::Quick, &[&d("\"flatten\",\"dense 1\",\"softmax\"")], 9600);
        let remark = all.iter().find(|remark| remark.name == "bounded-scores").unwrap();
        assert!(
            remark
                .what
                .ends_with("ends in `softmax`, so it gives every image the same score of 1, and can learn nothing"),
            "{remark:?}"
        );
        assert!(remark.set[0].ends_with("\"flatten\", \"dense 1\"]"), "{remark:?}");
    }

    #[test]
    fn layers_that_hold_images_back_are_remarked_on() {
        let narrow = "generator.layers=[\"dense 2\",\"relu\",\"dense 7*7*16\",\"reshape 7 7 16\",\"relu\",\"upsample 4\",\"conv 1 5x5\",\"sigmoid\"]";
        assert!(only("bottleneck", Preset::Quick, &[narrow]).what.contains("`dense 2` has 2 values, through which"));
        let remark = only("last-batchnorm", Preset::Quick, &[&g("\"batchnorm\",\"sigmoid\"")]);
        assert!(
            remark
                .what
                .contains("the generator ends in `batchnorm`, which fixes the mean and the spread of its pixels")
        );
        let remark = only("last-batchnorm", Preset::Quick, &[&d("\"flatten\",\"dense 1\",\"batchnorm\",\"sigmoid\"")]);
        assert!(remark.what.contains("of its scores"), "{remark:?}");
        let holes = "generator.layers=[\"dense 7*7*16\",\"reshape 7 7 16\",\"relu\",\"convtranspose 1 3x3 stride 4\",\"sigmoid\"]";
        assert!(only("untouched-pixels", Preset::Quick, &[holes]).what.contains("depend on none of its input"));
        let skipped = "discriminator.layers=[\"conv 256 2x2 stride 4\",\"leakyrelu 0.2\",\"conv 64 4x4 stride 2\",\"leakyrelu 0.2\",\"flatten\",\"dense 1\",\"sigmoid\"]";
        assert!(only("untouched-pixels", Preset::Quick, &[skipped]).what.contains("never looks at some pixels"));
    }

    #[test]
    fn pixels_that_cannot_be_dark_or_bright_are_remarked_on() {
        for (ending, part) in [
            ("\"relu\",\"sigmoid\"", "between 0.50 and 1.00, where 0 is black and 1 white: it can make no dark pixels"),
            (
                "\"sigmoid\",\"sigmoid\"",
                "between 0.50 and 0.73, where 0 is black and 1 white: it can make neither black nor white",
            ),
            ("\"tanh\",\"sigmoid\"", "between 0.27 and 0.73"),
            ("\"relu\",\"tanh\"", "between 0.50 and 1.00"),
        ] {
            let remark = only("bounded-pixels", Preset::Quick, &[&g(ending)]);
            assert!(remark.what.contains(part), "{remark:?}");
        }
        assert_eq!(on(Preset::Quick, &[&g("\"tanh\"")], 9600), []);
    }

    #[test]
    fn nets_that_pass_too_little_are_remarked_on() {
        let linear = g("\"sigmoid\"").replace("\"relu\",", "\"batchnorm\",");
        assert!(only("linear-generator", Preset::Quick, &[&linear]).what.contains("its 2 layers"));
        let linear = "discriminator.layers=[\"conv 64 4x4 stride 2\",\"flatten\",\"dense 1\",\"sigmoid\"]";
        only("linear-discriminator", Preset::Quick, &[linear]);
        let zeros = "discriminator.layers=[\"conv 64 4x4 stride 2 init zeros\",\"relu\",\"flatten\",\"dense 1 init zeros\",\"sigmoid\"]";
        let remark = only("zeros", Preset::Quick, &[zeros]);
        assert!(remark.what.contains("`conv 64 4x4 stride 2 init zeros`, `dense 1 init zeros`"), "{remark:?}");
        assert_eq!(on(Preset::Quick, &[&zeros.replace("2 init zeros", "2")], 9600), [], "one alone learns");
        let small =
            "discriminator.layers=[\"conv 1 4x4 stride 2\",\"leakyrelu 0.2\",\"flatten\",\"dense 1\",\"sigmoid\"]";
        assert!(only("small-discriminator", Preset::Quick, &[small]).what.contains("has 214 parameters"));
        let dropped = d("\"flatten\",\"dropout 0.95\",\"dense 1\",\"sigmoid\"");
        assert!(only("dropout", Preset::Quick, &[&dropped]).what.contains("drops all but 5%"));
        let channels = d("\"SpatialDropout2D(0.9)\",\"flatten\",\"dense 1\",\"sigmoid\"");
        assert!(only("dropout", Preset::Quick, &[&channels]).what.contains("has `dropout2d 0.9`"));
        assert!(only("narrow-latent", Preset::Quick, &["latent=1"]).what.contains("has one number"));
        assert_eq!(on(Preset::Ring, &["latent=1"], 9600), [], "points");
    }

    #[test]
    fn batch_normalisation_in_d_is_remarked_on_where_it_harms() {
        let d = d("\"batchnorm\",\"flatten\",\"dense 1\",\"sigmoid\"");
        assert_eq!(on(Preset::Quick, &[&d], 9600), []);
        assert_eq!(on(Preset::Quick, &[&d, "train.joint_batch=false"], 9600), []);
        let joint = only("joint-batchnorm", Preset::Quick, &[&d, "train.joint_batch=true"]);
        assert_eq!(joint.set, ["train.joint_batch=false"]);
        assert_eq!(on(Preset::Quick, &["train.joint_batch=true"], 9600), [], "no batch normalisation");
        only("spectral-batchnorm", Preset::Quick, &[&d, "discriminator.spectral=true"]);
    }
}
