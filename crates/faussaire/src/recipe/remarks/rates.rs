//! Remarks on Adam's settings.

use super::{Facts, Found, number, times};
use crate::optimizer::AdamSettings;
use crate::recipe::Recipe;

/// Learning rates of GANs with Adam.
#[derive(Clone, Copy, Debug)]
struct Usual {
    /// The usual ones: from DCGAN's to Adam's default for images.
    range: [f64; 2],
    /// Above this, a rate is high.
    high: f64,
    /// Below this, a rate is low.
    low: f64,
}

const IMAGES: Usual = Usual { range: [2e-4, 1e-3], high: 2e-3, low: 4e-6 };
/// Small dense nets on points bear more.
const POINTS: Usual = Usual { range: [1e-3, 5e-3], high: 1e-2, low: 2e-5 };

/// Ratio of the two rates from which on one net hardly moves while the other learns.
const APART: f64 = 50.0;
const HIGH_BETA1: f64 = 0.95;
const HIGH_EPSILON: f64 = 1e-2;
/// Share of the training's updates after which a decayed rate may reach 0.
const EARLY: f64 = 0.7;

/// Both learning rates, with what is usual for them.
#[derive(Clone, Copy, Debug)]
struct Rates {
    g: f64,
    d: f64,
    usual: Usual,
}

impl Rates {
    /// Those of `recipe`, for `points` or images.
    fn of(recipe: &Recipe, points: bool) -> Self {
        let usual = if points { POINTS } else { IMAGES };
        Self { g: recipe.generator.adam.learning_rate, d: recipe.discriminator.adam.learning_rate, usual }
    }

    /// Whether G's and D's rate are high.
    fn high(&self) -> [bool; 2] {
        [self.g, self.d].map(|rate| rate > self.usual.high)
    }

    /// Whether G's and D's rate are low.
    fn low(&self) -> [bool; 2] {
        [self.g, self.d].map(|rate| rate < self.usual.low)
    }

    /// Usual rates in the place of those that are not `wrong`: the other net's where that is usual, else `or`.
    fn corrected(&self, wrong: [bool; 2], or: f64) -> Vec<String> {
        let sane = |rate: f64| (self.usual.range[0] / 2.0..=self.usual.high).contains(&rate);
        let change = |net: &str, other: f64| {
            format!("{net}.adam.learning_rate={}", number(if sane(other) { other } else { or }))
        };
        let g = wrong[0].then(|| change("generator", self.d));
        let d = wrong[1].then(|| change("discriminator", self.g));
        g.into_iter().chain(d).collect()
    }

    /// "the generator's learning rate is 0.1" and so on for the rates that are `wrong`.
    fn said(&self, wrong: [bool; 2]) -> String {
        let (g, d) = (number(self.g), number(self.d));
        match wrong {
            [true, true] if g == d => format!("both learning rates are {g}"),
            [true, true] => format!("both learning rates, {g} of the generator and {d} of the discriminator, are"),
            [true, false] => format!("the generator's learning rate is {g}"),
            _ => format!("the discriminator's learning rate is {d}"),
        }
    }

    /// The `wrong` rates as multiples of `to`: "100 times", "200 and 100 times".
    fn multiples(&self, wrong: [bool; 2], of: impl Fn(f64) -> f64) -> String {
        let each: Vec<String> = [self.g, self.d]
            .into_iter()
            .zip(wrong)
            .filter(|(_, wrong)| *wrong)
            .map(|(rate, _)| times(of(rate)))
            .collect();
        match &each[..] {
            [g, d] if g != d => format!("{g} and {d} times"),
            _ => format!("{} times", each.first().map_or("", String::as_str)),
        }
    }
}

impl std::fmt::Display for Usual {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [low, high] = self.range.map(number);
        write!(f, "{low} to {high} with Adam")
    }
}

/// A sentence without the comma that follows a list of both rates: "both learning rates are 0.1, 100 times ...".
fn joined(said: &str, rest: &str) -> String {
    if said.ends_with(" are") { format!("{said} {rest}") } else { format!("{said}, {rest}") }
}

/// The rates of G and of D that are `wrong` are high, and no other.
pub(super) fn high(facts: &Facts, wrong: [bool; 2]) -> Option<Found> {
    let rates = Rates::of(facts.recipe, facts.points());
    if wrong != rates.high() {
        return None;
    }
    let top = rates.usual.range[1];
    let multiples = rates.multiples(wrong, |rate| rate / top);
    let rest = format!("{multiples} the highest usual one ({})", rates.usual);
    Some(Found {
        what: joined(&rates.said(wrong), &rest),
        follows: match wrong {
            [false, true] => ": its updates usually overshoot, or it gets too far ahead of the generator",
            _ => ": updates usually overshoot instead of improving",
        }
        .into(),
        advice: match wrong {
            [true, true] => "train both nets at Adam's default of 0.001 (0.0002, if that is still too fast)".into(),
            [true, false] => "train the generator more slowly".into(),
            _ => "train the discriminator more slowly".into(),
        },
        set: rates.corrected(wrong, 1e-3),
    })
}

/// The rates of G and of D that are `wrong` are low, and no other.
pub(super) fn low(facts: &Facts, wrong: [bool; 2]) -> Option<Found> {
    let rates = Rates::of(facts.recipe, facts.points());
    if wrong != rates.low() {
        return None;
    }
    let bottom = rates.usual.range[0];
    let multiples = rates.multiples(wrong, |rate| bottom / rate);
    let rest = format!("{multiples} below the lowest usual one ({})", rates.usual);
    Some(Found {
        what: joined(&rates.said(wrong), &rest),
        follows: match wrong {
            [true, true] => ": the nets hardly learn",
            [true, false] => ": the generator hardly learns",
            _ => ": the discriminator hardly learns",
        }
        .into(),
        advice: match wrong {
            [true, true] => "train both nets faster".into(),
            [true, false] => "train the generator faster".into(),
            _ => "train the discriminator faster".into(),
        },
        set: rates.corrected(wrong, rates.usual.range[0]),
    })
}

pub(super) fn apart(facts: &Facts) -> Option<Found> {
    let rates = Rates::of(facts.recipe, facts.points());
    let (fast, slow, ratio) = match rates.g > rates.d {
        true => ("generator", "discriminator", rates.g / rates.d),
        false => ("discriminator", "generator", rates.d / rates.g),
    };
    // A rate that is high or low by itself has a remark of its own.
    let usual = [rates.high(), rates.low()] == [[false; 2]; 2];
    (usual && ratio >= APART).then(|| Found {
        what: format!("the {fast}'s learning rate is {} times the {slow}'s", times(ratio)),
        follows: format!(": the {slow} can't follow"),
        advice: format!("train the {slow} as fast as the {fast}"),
        set: vec![format!("{slow}.adam.learning_rate={}", number(rates.g.max(rates.d)))],
    })
}

/// The first net for which `wrong` holds, by name.
fn first<'a>(facts: &'a Facts, wrong: impl Fn(&AdamSettings) -> bool) -> Option<(&'static str, &'a AdamSettings)> {
    let Recipe { generator, discriminator, .. } = facts.recipe;
    [("generator", &generator.adam), ("discriminator", &discriminator.adam)].into_iter().find(|(_, adam)| wrong(adam))
}

pub(super) fn beta1(facts: &Facts) -> Option<Found> {
    let (net, adam) = first(facts, |adam| adam.beta1 >= HIGH_BETA1)?;
    Some(Found {
        what: format!(
            "the {net}'s `beta1` is {}, so that each update follows the mean of about the last {} gradients",
            adam.beta1,
            times(1.0 / (1.0 - adam.beta1))
        ),
        follows: ", and the other net has changed since".into(),
        advice: "use the usual 0.5".into(),
        set: changed(facts, |adam| adam.beta1 >= HIGH_BETA1, "beta1=0.5"),
    })
}

pub(super) fn epsilon(facts: &Facts) -> Option<Found> {
    let (net, adam) = first(facts, |adam| adam.epsilon >= HIGH_EPSILON)?;
    Some(Found {
        what: format!("the {net}'s `epsilon` is {}, more than most gradients", number(adam.epsilon)),
        follows: ": Adam no longer scales them, so the net hardly learns".into(),
        advice: "use the usual 1e-7".into(),
        set: changed(facts, |adam| adam.epsilon >= HIGH_EPSILON, "epsilon=1e-7"),
    })
}

/// `net.adam.CHANGE` for each net for which `wrong` holds.
fn changed(facts: &Facts, wrong: impl Fn(&AdamSettings) -> bool, change: &str) -> Vec<String> {
    let Recipe { generator, discriminator, .. } = facts.recipe;
    let nets = [("generator", &generator.adam), ("discriminator", &discriminator.adam)];
    nets.into_iter().filter(|(_, adam)| wrong(adam)).map(|(net, _)| format!("{net}.adam.{change}")).collect()
}

/// Updates of G and of D in the whole training, if known.
fn updates(facts: &Facts) -> Option<[u64; 2]> {
    facts.steps().map(|steps| [steps, steps.saturating_mul(facts.recipe.train.n_critic)])
}

pub(super) fn warmup(facts: &Facts) -> Option<Found> {
    let [g, d] = updates(facts)?;
    let long = |adam: &AdamSettings, updates: u64| adam.warmup > updates / 2;
    let Recipe { generator, discriminator, .. } = facts.recipe;
    let nets = [("generator", &generator.adam, g), ("discriminator", &discriminator.adam, d)];
    let (net, adam, updates) = nets.into_iter().find(|(_, adam, updates)| long(adam, *updates))?;
    Some(Found {
        what: format!("the {net}'s learning rate rises over {} updates, of {updates} in all", adam.warmup),
        follows: ": it is low for most of the training".into(),
        advice: "shorten the warmup".into(),
        set: nets
            .into_iter()
            .filter(|(_, adam, updates)| long(adam, *updates))
            .map(|(net, _, updates)| format!("{net}.adam.warmup={}", updates / 20))
            .collect(),
    })
}

pub(super) fn early_decay(facts: &Facts) -> Option<Found> {
    let [g, d] = updates(facts)?;
    let early = |adam: &AdamSettings, updates: u64| {
        adam.decay_updates > 0 && (adam.decay_updates as f64) < EARLY * updates as f64
    };
    let Recipe { generator, discriminator, .. } = facts.recipe;
    let nets = [("generator", &generator.adam, g), ("discriminator", &discriminator.adam, d)];
    let (net, adam, updates) = nets.into_iter().find(|(_, adam, updates)| early(adam, *updates))?;
    Some(Found {
        what: format!("the {net}'s learning rate is 0 from update {} of {updates} on", adam.decay_updates),
        follows: ": it learns nothing after that".into(),
        advice: "let it fall over the whole training".into(),
        set: nets
            .into_iter()
            .filter(|(_, adam, updates)| early(adam, *updates))
            .map(|(net, _, updates)| format!("{net}.adam.decay_updates={updates}"))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use crate::recipe::Preset;
    use crate::recipe::remarks::tests::{on, only};

    fn rates(g: &str, d: &str) -> [String; 2] {
        [format!("generator.adam.learning_rate={g}"), format!("discriminator.adam.learning_rate={d}")]
    }

    #[test]
    fn high_rates_are_named_as_multiples_of_the_usual_ones() {
        for (name, g, d, part, set) in [
            (
                "high-rates",
                "0.1",
                "0.1",
                "both learning rates are 0.1, 100 times the highest usual one (0.0002 to 0.001",
                rates("0.001", "0.001").to_vec(),
            ),
            (
                "high-rates",
                "0.2",
                "0.1",
                "both learning rates, 0.2 of the generator and 0.1 of the discriminator, are 200 and 100 times",
                rates("0.001", "0.001").to_vec(),
            ),
            (
                "high-generator-rate",
                "0.005",
                "5e-4",
                "the generator's learning rate is 0.005, 5 times the highest",
                vec![rates("0.0005", "")[0].clone()],
            ),
            (
                "high-discriminator-rate",
                "1e-3",
                "1",
                "the discriminator's learning rate is 1, 1,000 times",
                vec![rates("", "0.001")[1].clone()],
            ),
        ] {
            let changes = rates(g, d);
            let remark = only(name, Preset::Quick, &changes.each_ref().map(String::as_str));
            assert!(remark.what.contains(part), "{remark:?}");
            assert_eq!(remark.set, set);
        }
        let changes = rates("2e-3", "2e-3");
        assert_eq!(on(Preset::Quick, &changes.each_ref().map(String::as_str), 9600), []);
        let changes = rates("2e-2", "1e-2");
        let points = only("high-generator-rate", Preset::Ring, &changes.each_ref().map(String::as_str));
        assert!(points.what.starts_with("the generator's learning rate is 0.02, 4 times"), "{points:?}");
    }

    #[test]
    fn low_rates_and_rates_apart_are_named() {
        let on = |name: &str, g: &str, d: &str| {
            let changes = rates(g, d);
            only(name, Preset::Quick, &changes.each_ref().map(String::as_str)).what
        };
        assert!(
            on("low-rates", "1e-6", "1e-6").starts_with("both learning rates are 1e-6, 200 times below the lowest")
        );
        assert!(
            on("low-discriminator-rate", "1e-3", "1e-7")
                .starts_with("the discriminator's learning rate is 1e-7, 2,000 times below")
        );
        assert!(on("rates-apart", "2e-3", "1e-5").starts_with("the generator's learning rate is 200 times the disc"));
    }

    #[test]
    fn the_rest_of_adam() {
        let beta1 = only("beta1", Preset::Quick, &["generator.adam.beta1=0.999"]);
        assert!(beta1.what.contains("about the last 1,000 gradients"), "{beta1:?}");
        only("epsilon", Preset::Quick, &["discriminator.adam.epsilon=0.5"]);
        let warmup = only("warmup", Preset::Quick, &["train.epochs=0", "train.steps=100", "generator.adam.warmup=80"]);
        assert!(warmup.what.contains("rises over 80 updates, of 100 in all"), "{warmup:?}");
        let early = only("early-decay", Preset::Ring, &["train.steps=20000"]);
        assert!(early.what.contains("is 0 from update 8000 of 20000 on"), "{early:?}");
    }
}
