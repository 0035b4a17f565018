//! Remarks on the size of batches.

use super::{Facts, Found};
use crate::net::summary::grouped;
use crate::recipe::joint_batch::has_batchnorm;

/// Batches of fewer images have hardly a mean.
const FEW: usize = 4;
const USUAL: usize = 64;

/// The usual size, or less for a small set.
fn usual(images: Option<usize>) -> usize {
    let most = images.unwrap_or(usize::MAX) / 10;
    let mut batch = USUAL;
    while batch > FEW && batch > most {
        batch /= 2;
    }
    batch
}

/// What to do, which agrees with the size that is proposed.
fn advice(change: &str, proposed: usize) -> String {
    match proposed < USUAL / 2 {
        true => format!("use {change} batches, of a tenth of the images"),
        false => format!("use {change} batches; 32 to 128 are usual"),
    }
}

pub(super) fn small(facts: &Facts) -> Option<Found> {
    let batch = facts.recipe.train.batch;
    let images = facts.count();
    if batch >= FEW || images.is_some_and(|images| images < 2 * FEW) {
        return None;
    }
    let normalised = facts.nets().into_iter().find(|net| has_batchnorm(net));
    let one = if batch == 1 { "a single image".to_owned() } else { format!("{batch} images") };
    let follows = match normalised {
        Some(net) => format!("the {}'s batch normalisation takes its statistics from so few", net.name()),
        None => "its gradient is mostly chance".into(),
    };
    Some(Found {
        what: format!("each update sees {one} (`train.batch`)"),
        follows: format!(": {follows}"),
        advice: advice("larger", usual(images)),
        set: vec![format!("train.batch={}", usual(images))],
    })
}

pub(super) fn large(facts: &Facts) -> Option<Found> {
    let (batch, images) = (facts.recipe.train.batch, facts.count()?);
    // A larger one is refused; so few images are a matter of their own.
    if 2 * batch <= images || batch > images || batch <= USUAL / 2 {
        return None;
    }
    let share = 100.0 * batch as f64 / images as f64;
    let left = images - batch;
    let left = if left > 0 { format!(", which leaves out {} images", grouped(left as u64)) } else { String::new() };
    Some(Found {
        what: format!("a batch of {} is {share:.0}% of the {} images", grouped(batch as u64), grouped(images as u64)),
        follows: format!(": a pass over the data is a single update{left}"),
        advice: advice("smaller", usual(Some(images))),
        set: vec![format!("train.batch={}", usual(Some(images)))],
    })
}

#[cfg(test)]
mod tests {
    use crate::recipe::Preset;
    use crate::recipe::remarks::tests::{on, only};

    #[test]
    fn a_batch_is_compared_with_one_and_with_all() {
        assert!(only("small-batch", Preset::Fidle, &["train.batch=1"]).what.ends_with("gradient is mostly chance"));
        let normalised = only("small-batch", Preset::Quick, &["train.batch=2"]);
        assert!(normalised.what.contains("sees 2 images") && normalised.what.contains("generator's batch norm"));
        let large = only("large-batch", Preset::Quick, &["train.batch=5000"]);
        assert!(large.what.contains("5,000 is 52% of the 9,600 images") && large.what.contains("out 4,600 images"));
        assert_eq!(large.set, ["train.batch=64"]);
        let all = only("large-batch", Preset::Quick, &["train.batch=9600"]);
        assert!(all.what.ends_with("100% of the 9,600 images: a pass over the data is a single update"), "{all:?}");
        assert_eq!(on(Preset::Quick, &["train.batch=4800"], 9600), []);
        let small_set = on(Preset::Quick, &["train.batch=100"], 128);
        assert!(small_set.iter().any(|remark| remark.set == ["train.batch=8"]), "{small_set:?}");
        let of = |name| small_set.iter().find(|remark| remark.name == name).unwrap().advice.as_str();
        assert_eq!(of("large-batch"), "use smaller batches, of a tenth of the images");
    }
}
