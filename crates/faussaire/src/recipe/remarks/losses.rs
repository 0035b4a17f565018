//! Remarks on the loss and on what regularises D.

use super::range::op;
use super::{Facts, Found, number, rewritten, times};
use crate::net::Op;

/// Weight of a gradient penalty that outweighs every loss.
const HEAVY: f64 = 1000.0;
/// Weight of a gradient penalty that bounds nothing.
const LIGHT: f64 = 0.01;
/// Clipping of weights to less leaves scores of almost 0.
const TIGHT_CLIP: f64 = 1e-3;
const HIGH_SMOOTHING: f64 = 0.3;
const HIGH_FLIP: f64 = 0.25;
const HIGH_NOISE: f64 = 0.5;

/// Whether the loss is a cross-entropy of probabilities.
fn is_cross_entropy(facts: &Facts) -> bool {
    let loss = facts.recipe.train.loss;
    loss.scale().log_odds && !loss.is_relativistic()
}

/// The loss's name.
fn loss_name(facts: &Facts) -> String {
    serde_json::to_value(facts.recipe.train.loss)
        .ok()
        .and_then(|name| name.as_str().map(str::to_owned))
        .unwrap_or_default()
}

pub(super) fn sigmoid_unused(facts: &Facts) -> Option<Found> {
    let d = &facts.discriminator;
    let last = d.layers().len().checked_sub(1)?;
    (!is_cross_entropy(facts) && op(&d.layers()[last]) == Op::Sigmoid).then(|| Found {
        what: format!(
            "the discriminator's final `sigmoid` is left out: the loss `{}` takes scores of any size, not probabilities",
            loss_name(facts)
        ),
        follows: String::new(),
        advice: "leave it out of the layers, too, which changes nothing".into(),
        set: vec![rewritten(d, |index, entry| if index == last { Vec::new() } else { vec![entry.line.clone()] })],
    })
}

pub(super) fn logits(facts: &Facts) -> Option<Found> {
    let ends_in_dense = facts
        .discriminator
        .layers()
        .last()
        .is_some_and(|entry| op(entry) == Op::Dense && !entry.layer.kind().takes_labels());
    (is_cross_entropy(facts) && ends_in_dense).then(|| Found {
        what: format!(
            "the discriminator ends without `sigmoid`: its output is taken as a logit, as with Keras's `from_logits=True`, so \
             the loss `{}` is the same as with one",
            loss_name(facts)
        ),
        follows: String::new(),
        advice: "nothing needs to be changed".into(),
        set: Vec::new(),
    })
}

pub(super) fn smoothing(facts: &Facts) -> Option<Found> {
    let smoothing = facts.recipe.train.smoothing;
    (smoothing >= HIGH_SMOOTHING).then(|| Found {
        what: format!(
            "with `train.smoothing` = {smoothing} the label of real images is {}",
            number(((1.0 - smoothing) * 1e6).round() / 1e6)
        ),
        follows: ": hardly more than a guess, which is 0.5".into(),
        advice: "smooth by the usual 0.1".into(),
        set: vec!["train.smoothing=0.1".into()],
    })
}

pub(super) fn label_flip(facts: &Facts) -> Option<Found> {
    let flip = facts.recipe.train.label_flip;
    (flip >= HIGH_FLIP).then(|| Found {
        what: format!(
            "`train.label_flip` = {flip} exchanges the labels of {:.0}% of the pairs of a real and a generated image",
            100.0 * flip
        ),
        follows: ": at 50% the discriminator could learn nothing".into(),
        advice: "exchange the usual 5%".into(),
        set: vec!["train.label_flip=0.05".into()],
    })
}

pub(super) fn noise(facts: &Facts) -> Option<Found> {
    let noise = facts.recipe.train.noise;
    (noise >= HIGH_NOISE).then(|| Found {
        what: format!(
            "`train.noise` = {noise} adds noise of {:.0}% of the range from black to white to all images",
            100.0 * noise
        ),
        follows: ": the discriminator sees little else".into(),
        advice: "add the usual 0.1".into(),
        set: vec!["train.noise=0.1".into()],
    })
}

pub(super) fn heavy_penalty(facts: &Facts) -> Option<Found> {
    let (penalty, weight) = facts.recipe.train.penalties.iter().find(|(_, weight)| **weight >= HEAVY)?;
    let name = serde_json::to_value(penalty).ok()?.as_str()?.to_owned();
    Some(Found {
        what: format!("`train.penalties.{name}` = {} is {} times the usual 10", number(*weight), times(weight / 10.0)),
        follows: ": the discriminator learns to keep its gradient as the penalty wants it, and little else".into(),
        advice: "use the usual weight".into(),
        set: vec![format!("train.penalties.{name}=10")],
    })
}

/// A penalty that is to bound the gradient of a critic, but weighs nothing beside its loss.
pub(super) fn light_penalty(facts: &Facts) -> Option<Found> {
    let train = &facts.recipe.train;
    let needs_one = train.loss.requires_lipschitz() && train.weight_clip == 0.0 && !facts.recipe.discriminator.spectral;
    let (penalty, weight) = train.penalties.iter().max_by(|a, b| a.1.total_cmp(b.1))?;
    let name = serde_json::to_value(penalty).ok()?.as_str()?.to_owned();
    (needs_one && *weight < LIGHT).then(|| Found {
        what: format!("`train.penalties.{name}` = {} is {} times less than the usual 10", number(*weight), times(10.0 / weight)),
        follows: format!(
            ", so that hardly anything bounds the critic's gradient, on which the loss `{}` depends: its scores grow and waver",
            loss_name(facts)
        ),
        advice: "use the usual weight".into(),
        set: vec![format!("train.penalties.{name}=10")],
    })
}

pub(super) fn clip_and_penalty(facts: &Facts) -> Option<Found> {
    let train = &facts.recipe.train;
    (train.weight_clip > 0.0 && !train.penalties.is_empty()).then(|| Found {
        what: "`train.weight_clip` and a gradient penalty both bound the discriminator's gradient".into(),
        follows: "; the penalty was made to replace the clipping".into(),
        advice: "leave out the clipping".into(),
        set: vec!["train.weight_clip=0".into()],
    })
}

pub(super) fn weight_clip(facts: &Facts) -> Option<Found> {
    let train = &facts.recipe.train;
    (train.weight_clip > 0.0 && train.weight_clip < TIGHT_CLIP && train.penalties.is_empty()).then(|| Found {
        what: format!(
            "`train.weight_clip` = {} keeps the discriminator's weights so small that all its scores are almost 0",
            number(train.weight_clip)
        ),
        follows: String::new(),
        advice: "clip to the usual 0.01".into(),
        set: vec!["train.weight_clip=0.01".into()],
    })
}

/// Whether D's gradient is bounded by anything.
fn is_bounded(facts: &Facts) -> bool {
    let train = &facts.recipe.train;
    !train.penalties.is_empty() || train.weight_clip > 0.0 || facts.recipe.discriminator.spectral
}

pub(super) fn n_critic_unbounded(facts: &Facts) -> Option<Found> {
    let n = facts.recipe.train.n_critic;
    // More is remarked on in any case.
    let many = (3..=MANY).contains(&n) && !is_bounded(facts) && !facts.recipe.train.loss.requires_lipschitz();
    many.then(|| Found {
        what: format!("the discriminator learns {n} times per step, and nothing bounds its gradient"),
        follows: ": it will separate real from generated images with certainty".into(),
        advice: "update it once per step, or bound its gradient by a penalty".into(),
        set: vec!["train.n_critic=1".into()],
    })
}

/// Most updates of D per update of G that are usual.
const MANY: u64 = 10;

pub(super) fn n_critic(facts: &Facts) -> Option<Found> {
    let n = facts.recipe.train.n_critic;
    let usual = if is_bounded(facts) { 5 } else { 1 };
    (n > MANY).then(|| Found {
        what: format!("the discriminator learns {n} times per step"),
        follows: match is_bounded(facts) {
            true => ", so that a step takes nearly as many times as long".into(),
            false => {
                ", and nothing bounds its gradient: it will separate real from generated images with certainty".into()
            }
        },
        advice: "use fewer updates of the discriminator".into(),
        set: vec![format!("train.n_critic={usual}")],
    })
}

#[cfg(test)]
mod tests {
    use crate::recipe::Preset;
    use crate::recipe::remarks::tests::{on, only};

    #[test]
    fn what_becomes_of_a_sigmoid_is_said() {
        let penalty = "train.penalties={ wgan-gp = 10.0 }";
        let unused = only("sigmoid-unused", Preset::Quick, &["train.loss=wasserstein", penalty]);
        assert!(unused.what.contains("`sigmoid` is left out: the loss `wasserstein` takes scores"), "{unused:?}");
        for loss in ["hinge", "least-squares", "relativistic"] {
            only("sigmoid-unused", Preset::Quick, &[&format!("train.loss={loss}")]);
        }
        assert_eq!(on(Preset::Quick, &["train.loss=saturating"], 9600), []);
        let without = "discriminator.layers=[\"flatten\",\"dense 800\",\"relu\",\"dense 1\"]";
        let logits = only("logits", Preset::Quick, &[without]);
        assert!(logits.what.contains("taken as a logit") && logits.set.is_empty(), "{logits:?}");
        assert_eq!(on(Preset::Quick, &[without, "train.loss=hinge"], 9600), []);
    }

    #[test]
    fn what_hides_the_labels_is_said() {
        assert!(only("smoothing", Preset::Quick, &["train.smoothing=0.49"]).what.contains("real images is 0.51"));
        assert!(only("label-flip", Preset::Quick, &["train.label_flip=0.4"]).what.contains("of 40% of the pairs"));
        assert!(only("noise", Preset::Quick, &["train.noise=5"]).what.contains("noise of 500% of the range"));
        let modest = ["train.smoothing=0.1", "train.label_flip=0.1", "train.noise=0.1"];
        assert_eq!(on(Preset::Quick, &modest, 9600), []);
    }

    #[test]
    fn bounds_are_neither_doubled_nor_missing_nor_crushing() {
        only("heavy-penalty", Preset::Quick, &["train.penalties.r1=10000"]);
        let light = only("light-penalty", Preset::FidleWganGp, &["train.penalties.wgan-gp=1e-6"]);
        assert!(light.what.contains("`train.penalties.wgan-gp` = 1e-6 is 10,000,000 times less"), "{light:?}");
        // Other losses need none; another bound may do.
        for changes in [
            &["train.penalties.wgan-gp=0.1"][..],
            &["train.penalties.wgan-gp=1e-6", "discriminator.spectral=true"],
            &["train.penalties={ r1 = 1e-6, wgan-gp = 1.0 }"],
            &["train.penalties={ r1 = 1e-6 }", "train.loss=hinge", "train.n_critic=1"],
        ] {
            assert!(!on(Preset::FidleWganGp, changes, 9600).iter().any(|remark| remark.name == "light-penalty"));
        }
        only("clip-and-penalty", Preset::FidleWganGp, &["train.weight_clip=0.01"]);
        let clip = ["train.penalties={}", "train.weight_clip=1e-6"];
        assert!(only("weight-clip", Preset::FidleWganGp, &clip).what.contains("`train.weight_clip` = 1e-6"));
        assert!(only("n-critic-unbounded", Preset::Quick, &["train.n_critic=5"]).what.contains("learns 5 times"));
        for bound in ["train.penalties.r1=1", "discriminator.spectral=true"] {
            assert_eq!(on(Preset::Quick, &["train.n_critic=5", bound], 9600), []);
        }
        assert_eq!(only("n-critic", Preset::FidleWganGp, &["train.n_critic=100"]).set, ["train.n_critic=5"]);
    }
}
