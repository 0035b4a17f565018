//! Toys: known two-dimensional distributions, on which mode coverage and mode collapse of a GAN are visible in seconds. An
//! "image" of a toy is one point, of shape 1x1x2.
//!
//! Both are from the literature. `ring`: 8 Gaussians of standard deviation 0.02 on a circle of radius 2 (Metz et
//! al. 2017, "Unrolled generative adversarial networks"; VEEGAN, Srivastava et al. 2017, and PacGAN, Lin et al. 2018,
//! have the same at half the scale). `grid`: 25 Gaussians of standard deviation 0.05 at {-4, -2, 0, 2, 4} x {-4, -2, 0,
//! 2, 4} (VEEGAN, PacGAN).

/// Maximum distance of a high-quality point from its mode, in standard deviations.
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

    /// The data set's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ring => "ring",
            Self::Grid => "grid",
        }
    }

    /// A one-line description.
    pub fn about(self) -> &'static str {
        match self {
            Self::Ring => "synthetic points of 8 Gaussians on a circle",
            Self::Grid => "synthetic points of 25 Gaussians on a grid",
        }
    }

    /// The centres of the Gaussians in the plane: the ring's counter-clockwise from the right, the grid's column by
    /// column from the lower left.
    pub fn modes(self) -> Vec<[f32; 2]> {
        match self {
            Self::Ring => {
                // Constants, as sines differ in the last bit between machines.
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

    /// The half-width of the visible square: coordinates in `-window..=window` are [0, 1] in images.
    pub fn window(self) -> f32 {
        match self {
            Self::Ring => 3.0,
            Self::Grid => 6.0,
        }
    }

    /// Points in the plane from image values (two per point, [0, 1] is the window). An odd last value is ignored.
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
            // A NaN point is near no mode: the comparison is false.
            if let Some((mode, _)) = nearest.filter(|(_, squared)| squared.sqrt() < NEAR * self.deviation()) {
                per_mode[mode] += 1;
            }
        }
        Coverage { points: points.len(), per_mode }
    }
}

/// How well points cover the modes of a toy, by the rule of VEEGAN and PacGAN: a point is of high quality if it is
/// within three standard deviations of the nearest mode, and a mode is covered if it is the nearest mode of at least one
/// such point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Number of points (PacGAN: 2,500).
    pub points: usize,
    /// High-quality points at each mode, in the order of [`Toy::modes`].
    pub per_mode: Vec<usize>,
}

impl Coverage {
    /// Number of modes.
    pub fn modes(&self) -> usize {
        self.per_mode.len()
    }

    /// Number of covered modes.
    pub fn covered(&self) -> usize {
        self.per_mode.iter().filter(|&&points| points > 0).count()
    }

    /// The share of high-quality points, 0 to 1; 0 without points. The true distribution has 0.989: that share of
    /// a two-dimensional Gaussian is within three standard deviations.
    pub fn high_quality(&self) -> f64 {
        self.per_mode.iter().sum::<usize>() as f64 / self.points.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
