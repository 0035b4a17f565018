//! Toys: two-dimensional data sets whose truth is known, on which one sees in seconds whether a GAN finds every mode or
//! collapses onto a few. A toy's "image" is one point, in the shape 1x1x2; point `i` depends on the seed and on `i`
//! alone.
//!
//! The two are those of the literature. `ring`: 8 Gaussians of standard deviation 0.02 on a circle of radius 2 (Metz et
//! al. 2017, "Unrolled generative adversarial networks"; VEEGAN, Srivastava et al. 2017, and PacGAN, Lin et al. 2018,
//! have the same at half the scale). `grid`: 25 Gaussians of standard deviation 0.05 at {-4, -2, 0, 2, 4} x {-4, -2, 0,
//! 2, 4} (VEEGAN, PacGAN).

use rand_distr::{Distribution, StandardNormal};

use super::digest::Digest;
use super::memory::check_read;
use super::source::{Dataset, ImageShape};
use crate::error::Result;
use crate::random::{Stream, unit};

/// Points where no number is asked for.
pub(super) const POINTS: usize = 50_000;

/// Points that the fingerprint looks at: enough to notice any change of how they are drawn.
const WITNESSES: usize = 100;

/// How many standard deviations from its mode a point may be to count.
const NEAR: f32 = 3.0;

/// A distribution in the plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Toy {
    /// 8 Gaussians on a circle.
    Ring,
    /// 25 Gaussians on a square grid.
    Grid,
}

impl Toy {
    /// Every toy.
    pub const ALL: [Self; 2] = [Self::Ring, Self::Grid];

    /// What one types.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ring => "ring",
            Self::Grid => "grid",
        }
    }

    /// What a person reads about it.
    pub fn about(self) -> &'static str {
        match self {
            Self::Ring => "points of 8 Gaussians on a circle, drawn by program",
            Self::Grid => "points of 25 Gaussians on a grid, drawn by program",
        }
    }

    /// The centres of the Gaussians in the plane: the ring's counter-clockwise from the right, the grid's column by
    /// column from the lower left.
    pub fn modes(self) -> Vec<[f32; 2]> {
        match self {
            Self::Ring => {
                // Written out, as sines differ in the last bit from machine to machine.
                const S: f32 = std::f32::consts::SQRT_2;
                vec![[2.0, 0.0], [S, S], [0.0, 2.0], [-S, S], [-2.0, 0.0], [-S, -S], [0.0, -2.0], [S, -S]]
            }
            Self::Grid => {
                let sides = [-4.0, -2.0, 0.0, 2.0, 4.0];
                sides.iter().flat_map(|&x| sides.iter().map(move |&y| [x, y])).collect()
            }
        }
    }

    /// The standard deviation of each Gaussian, in plane units, the same in every direction.
    pub fn deviation(self) -> f32 {
        match self {
            Self::Ring => 0.02,
            Self::Grid => 0.05,
        }
    }

    /// The plane is seen from `-window` to `window` both ways; that range is [0, 1] in the images.
    pub fn window(self) -> f32 {
        match self {
            Self::Ring => 3.0,
            Self::Grid => 6.0,
        }
    }

    /// Points of the plane from image values (two per point, [0, 1] is the window). A last odd value is left out.
    pub fn to_plane(self, values: &[f32]) -> Vec<[f32; 2]> {
        let plane = |value: f32| (2.0 * value - 1.0) * self.window();
        values.chunks_exact(2).map(|point| [plane(point[0]), plane(point[1])]).collect()
    }

    /// How well `points` (in plane units) cover the modes.
    pub fn coverage(self, points: &[[f32; 2]]) -> Coverage {
        let modes = self.modes();
        let mut per_mode = vec![0; modes.len()];
        for point in points {
            let squared = |mode: &[f32; 2]| (point[0] - mode[0]).powi(2) + (point[1] - mode[1]).powi(2);
            let nearest = modes.iter().map(squared).enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b));
            // A point that is no number is near nothing: the comparison is false.
            if let Some((mode, _)) = nearest.filter(|(_, squared)| squared.sqrt() < NEAR * self.deviation()) {
                per_mode[mode] += 1;
            }
        }
        Coverage { points: points.len(), per_mode }
    }
}

/// How well points cover the modes of a toy, by the rule of VEEGAN and PacGAN: a point is of high quality where it lies
/// within three standard deviations of the nearest mode, and a mode is covered where it is the nearest of at least one
/// such point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// How many points were looked at (PacGAN: 2,500).
    pub points: usize,
    /// High-quality points at each mode, in the order of [`Toy::modes`].
    pub per_mode: Vec<usize>,
}

impl Coverage {
    /// How many modes there are.
    pub fn modes(&self) -> usize {
        self.per_mode.len()
    }

    /// How many of them are covered.
    pub fn covered(&self) -> usize {
        self.per_mode.iter().filter(|&&points| points > 0).count()
    }

    /// The share of high-quality points, 0 to 1; 0 where there is no point. The truth itself has 0.989: that much of a
    /// two-dimensional Gaussian is within three standard deviations.
    pub fn high_quality(&self) -> f64 {
        self.per_mode.iter().sum::<usize>() as f64 / self.points.max(1) as f64
    }
}

/// A set of `count` points of a toy; each point's class is the Gaussian that it was drawn from.
#[derive(Clone, Debug)]
pub struct Points {
    toy: Toy,
    seed: u64,
    count: usize,
    stream: Stream,
    modes: Vec<[f32; 2]>,
}

impl Points {
    /// The first `count` points of `seed`. Nothing is drawn until a point is read, and nothing is kept.
    pub fn new(toy: Toy, seed: u64, count: usize) -> Self {
        let stream = Stream::new(seed, &format!("toy.{}", toy.name()));
        Self { toy, seed, count, stream, modes: toy.modes() }
    }

    /// Which toy.
    pub fn toy(&self) -> Toy {
        self.toy
    }

    /// The mode of point `index` and its place in the plane.
    fn draw(&self, index: usize) -> (usize, [f32; 2]) {
        let mut rng = self.stream.at(index as u64);
        let mode = ((unit(&mut rng) * self.modes.len() as f32) as usize).min(self.modes.len() - 1);
        let place = self.modes[mode].map(|centre| {
            let step: f32 = StandardNormal.sample(&mut rng);
            centre + self.toy.deviation() * step
        });
        (mode, place)
    }

    fn write(&self, index: usize, out: &mut [f32]) {
        for (value, place) in out.iter_mut().zip(self.draw(index).1) {
            *value = place / (2.0 * self.toy.window()) + 0.5;
        }
    }
}

impl Dataset for Points {
    fn name(&self) -> String {
        self.toy.name().to_owned()
    }

    fn len(&self) -> usize {
        self.count
    }

    fn shape(&self) -> ImageShape {
        ImageShape { height: 1, width: 1, channels: 2 }
    }

    fn read(&self, index: usize, out: &mut [f32]) -> Result<()> {
        check_read(self, index, out)?;
        self.write(index, out);
        Ok(())
    }

    fn toy(&self) -> Option<Toy> {
        Some(self.toy)
    }

    fn label(&self, index: usize) -> Option<u32> {
        (index < self.count).then(|| self.draw(index).0 as u32)
    }

    fn classes(&self) -> Vec<String> {
        (0..self.modes.len()).map(|mode| mode.to_string()).collect()
    }

    fn fingerprint(&self) -> String {
        let mut digest = Digest::new();
        digest.update(format!("toy {} {} {}\n", self.toy.name(), self.seed, self.count).as_bytes());
        for index in 0..WITNESSES {
            let mut point = [0.0; 2];
            self.write(index, &mut point);
            point.iter().for_each(|value| digest.update(&value.to_le_bytes()));
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
    fn modes_stand_where_the_papers_put_them() {
        let ring = Toy::Ring.modes();
        for (k, mode) in ring.iter().enumerate() {
            let angle = std::f32::consts::FRAC_PI_4 * k as f32;
            assert!((mode[0] - 2.0 * angle.cos()).abs() < 1e-6 && (mode[1] - 2.0 * angle.sin()).abs() < 1e-6, "{k}");
        }
        let grid = Toy::Grid.modes();
        assert_eq!((grid[0], grid[1], grid[5], grid[24]), ([-4.0, -4.0], [-4.0, -2.0], [-2.0, -4.0], [4.0, 4.0]));
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

    #[test]
    fn coverage_counts_near_points_of_the_nearest_mode() {
        let edge = 3.0 * 0.02;
        let points =
            [[2.0, 0.0], [2.0, edge - 1e-4], [2.0, edge + 1e-4], [0.0, -2.0], [f32::NAN, 0.0], [0.0, 0.0], [9.0, 9.0]];
        let coverage = Toy::Ring.coverage(&points);
        assert_eq!(coverage.per_mode, [2, 0, 0, 0, 0, 0, 1, 0]);
        assert_eq!((coverage.covered(), coverage.points), (2, 7));
        assert!((coverage.high_quality() - 3.0 / 7.0).abs() < 1e-9);
        assert_eq!(Toy::Grid.coverage(&[]).high_quality(), 0.0);
        assert_eq!(Toy::Grid.to_plane(&[0.5, 1.0, 0.0]), [[0.0, 6.0]]);
    }
}
