//! Points sampled from a toy distribution; point `i` is a function of the seed and of `i`.

use rand_distr::{Distribution, StandardNormal};

use crate::dataset::{Dataset, DatasetInfo, ImageShape, Kind};
use crate::digest::Digest;
use crate::error::Result;
use crate::in_memory::check_read;
use crate::random::{Stream, unit};
use crate::toy::Toy;

/// Default number of points.
pub(crate) const POINTS: usize = 50_000;

/// Number of points in the fingerprint, enough to detect a changed sampler.
const FINGERPRINT_POINTS: usize = 100;

/// A set of `count` points of a toy; each point's class is the Gaussian that it was drawn from.
#[derive(Clone, Debug)]
pub struct Points {
    seed: u64,
    count: usize,
    draws: Draws,
    info: DatasetInfo,
}

impl Points {
    /// The first `count` points of `seed`. Points are sampled when read and not stored.
    pub fn new(toy: Toy, seed: u64, count: usize) -> Self {
        let stream = Stream::new(seed, &format!("toy.{}", toy.name()));
        let draws = Draws { toy, stream, modes: toy.modes() };
        let names: Vec<String> = (0..draws.modes.len()).map(|mode| mode.to_string()).collect();
        let labels = draws.clone();
        let mut info = DatasetInfo::new(toy.name())
            .with_classes(names, move |index| (index < count).then(|| labels.draw(index).0 as u32));
        info.kind = Kind::Points(toy);
        Self { seed, count, draws, info }
    }

    /// The distribution.
    pub fn toy(&self) -> Toy {
        self.draws.toy
    }
}

/// All points of a toy and a seed.
#[derive(Clone, Debug)]
struct Draws {
    toy: Toy,
    stream: Stream,
    modes: Vec<[f32; 2]>,
}

impl Draws {
    /// The mode of point `index` and its coordinates.
    fn draw(&self, index: usize) -> (usize, [f32; 2]) {
        let mut rng = self.stream.at(index as u64);
        let mode = ((unit(&mut rng) * self.modes.len() as f32) as usize).min(self.modes.len() - 1);
        let point = self.modes[mode].map(|centre| {
            let step: f32 = StandardNormal.sample(&mut rng);
            centre + self.toy.deviation() * step
        });
        (mode, point)
    }

    fn write(&self, index: usize, out: &mut [f32]) {
        for (value, point) in out.iter_mut().zip(self.draw(index).1) {
            *value = point / (2.0 * self.toy.window()) + 0.5;
        }
    }
}

impl Dataset for Points {
    fn len(&self) -> usize {
        self.count
    }

    fn shape(&self) -> ImageShape {
        ImageShape { height: 1, width: 1, channels: 2 }
    }

    fn read(&self, index: usize, out: &mut [f32]) -> Result<()> {
        check_read(self, index, out)?;
        self.draws.write(index, out);
        Ok(())
    }

    fn info(&self) -> &DatasetInfo {
        &self.info
    }

    fn fingerprint(&self) -> String {
        let toy = self.draws.toy;
        let mut digest = Digest::new();
        digest.update(format!("toy {} {} {}\n", toy.name(), self.seed, self.count).as_bytes());
        for index in 0..FINGERPRINT_POINTS {
            let mut point = [0.0; 2];
            self.draws.write(index, &mut point);
            digest.update_values(&point);
        }
        digest.finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn values(set: &Points) -> Vec<f32> {
        let mut all = vec![0.0; 2 * set.len()];
        all.chunks_mut(2).enumerate().for_each(|(index, out)| set.read(index, out).unwrap());
        all
    }

    #[test]
    fn the_draws_have_the_published_places_and_widths() {
        for (toy, modes) in [(Toy::Ring, 8), (Toy::Grid, 25)] {
            let set = Points::new(toy, 3, 20_000);
            let all = values(&set);
            assert!(all.iter().all(|value| (0.0..=1.0).contains(value)));
            let points = toy.to_plane(&all);
            let mut counts = vec![0usize; modes];
            let mut squares = 0.0;
            for (index, point) in points.iter().enumerate() {
                let label = set.label(index).unwrap() as usize;
                counts[label] += 1;
                let mode = toy.modes()[label];
                squares += f64::from((point[0] - mode[0]).powi(2) + (point[1] - mode[1]).powi(2));
            }
            let share = 20_000.0 / modes as f64;
            // Five standard deviations of a count.
            assert!(counts.iter().all(|&count| (count as f64 - share).abs() < 5.0 * share.sqrt()), "{counts:?}");
            let deviation = (squares / 40_000.0).sqrt() / f64::from(toy.deviation());
            assert!((deviation - 1.0).abs() < 0.015, "{deviation}");
            assert_eq!(set.classes().len(), modes);
        }
    }

    #[test]
    fn a_point_depends_on_seed_and_index_alone() {
        let (set, longer) = (Points::new(Toy::Ring, 7, 40), Points::new(Toy::Ring, 7, 4000));
        assert_eq!(values(&set)[..], values(&longer)[..80]);
        assert_eq!((set.label(39), set.label(40)), (longer.label(39), None));
        let other = Points::new(Toy::Ring, 8, 40);
        assert_ne!(values(&set), values(&other));
        let prints = [&set, &longer, &other, &Points::new(Toy::Grid, 7, 40)].map(Dataset::fingerprint);
        assert!((0..4).all(|a| (0..a).all(|b| prints[a] != prints[b])), "{prints:?}");
        assert!(set.read(40, &mut [0.0; 2]).is_err() && set.read(0, &mut [0.0; 3]).is_err());
    }

    #[test]
    fn the_truth_covers_itself() {
        for toy in Toy::ALL {
            let coverage = toy.coverage(&toy.to_plane(&values(&Points::new(toy, 1, 20_000))));
            assert_eq!((coverage.covered(), coverage.modes()), (toy.modes().len(), toy.modes().len()));
            // 1 - exp(-9/2) = 0.98889, give or take four standard deviations.
            assert!((coverage.high_quality() - 0.98889).abs() < 0.003, "{}", coverage.high_quality());
        }
    }
}
