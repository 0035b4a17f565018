//! A convolution, batch normalisation in training with its activation, and a convolution, in bf16: the end of a DCGAN's
//! generator where it generates images for the discriminator without gradients. The statistics are those of the whole batch,
//! so there are two passes: the first convolution with the moments of what it makes, each group of images while it is in the
//! cache, then normalisation and the second convolution, image by image, so that normalised images never reach memory.

use super::Stage;
use crate::batchnorm::{self, BatchNorm, Layer, moments};
use crate::conv::check;
use crate::engines::amx;
use crate::stored::{Values, ValuesMut};
use crate::{Activation, PooledBuffer};
use rayon::prelude::*;

/// The normalisation in the middle.
#[derive(Clone, Copy, Debug)]
pub struct Norm<'a> {
    /// What normalised values are multiplied with, one for each channel.
    pub gamma: &'a [f32],
    /// What is added then.
    pub beta: &'a [f32],
    /// Added to the variance.
    pub epsilon: f32,
    /// Applied to the result.
    pub activation: Activation,
}

/// `y = second(normalised(first(x)))`, and mean and biased variance of each channel that the first stage makes. Lengths: what
/// the stages read and make, and the channels between them.
pub fn forward<'a>(
    stages: [&Stage; 2],
    norm: &Norm,
    x: impl Into<Values<'a>>,
    y: impl Into<ValuesMut<'a>>,
    mean: &mut [f32],
    variance: &mut [f32],
) {
    let (x, y) = (x.into(), y.into());
    let [first, second] = stages;
    super::check_stages(stages, x.len(), y.len());
    let c = first.channels();
    let lens = [("gamma", norm.gamma.len()), ("beta", norm.beta.len()), ("mean", mean.len())];
    lens.into_iter().chain([("variance", variance.len())]).for_each(|(name, len)| check(name, len, c));
    if first.made_len() == 0 {
        mean.fill(0.0);
        variance.fill(0.0);
        return;
    }
    // Sums over the batch are made of those over each image, so that they are the same for any number of images at a time.
    let image = first.made_len() / first.geometry.batch;
    let mut own = PooledBuffer::new(first.made_len() * size_of::<u16>());
    let middle = own.bf16();
    let chain = amx::chain::chain(stages);
    let parts: Vec<Vec<moments::Part>> = match &chain {
        Some(chain) => chain.forward_to_middle(x, ValuesMut::Bf16(&mut *middle)),
        None => {
            first.forward(x, ValuesMut::Bf16(&mut *middle));
            Values::Bf16(middle).chunks(image).map(|image| moments::parts_here(image, c)).collect()
        }
    };
    moments::combine_parts(parts.iter().flatten(), mean, variance);
    let Norm { gamma, beta, epsilon, activation } = *norm;
    let norm = BatchNorm { mean, variance, gamma, beta, epsilon, activation };
    if let Some(chain) = chain {
        return chain.forward_from_middle(&Layer::new(&norm), Values::Bf16(middle), y);
    }
    let mut normalised = PooledBuffer::new(first.made_len() * size_of::<u16>());
    let made = ValuesMut::Bf16(normalised.bf16());
    batchnorm::forward(&norm, Values::Bf16(middle), made);
    second.forward(Values::Bf16(normalised.bf16()), y);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Geometry;
    use crate::bf16;
    use crate::memory::workspace;
    use crate::reference::{assert_same_on_any_pool, values};

    const EPSILON: f32 = 1e-3;

    /// Geometries of both stages, whether the first is transposed, its upsampling, and the second one's activation.
    type Case = (Geometry, Geometry, bool, usize, Activation);

    fn cases() -> Vec<Case> {
        use Activation::{Identity, Sigmoid, Tanh};
        let same = |batch, size, from, to, kernel: usize, stride: usize| {
            Geometry::same(batch, size, size, from, to, [kernel; 2], [stride; 2])
        };
        vec![
            // The digit generator's end, upsampling instead, colours, channels that fill no panel; one image, none.
            (same(9, 28, 64, 48, 4, 2), same(9, 28, 64, 1, 5, 1), true, 1, Sigmoid),
            (same(21, 28, 32, 64, 3, 1), same(21, 28, 64, 1, 5, 1), false, 2, Identity),
            (same(8, 16, 24, 40, 3, 1), same(8, 16, 40, 3, 3, 1), false, 1, Tanh),
            (same(1, 14, 32, 64, 3, 1), same(1, 14, 64, 1, 5, 1), false, 2, Identity),
            (same(0, 14, 32, 64, 3, 1), same(0, 14, 64, 1, 5, 1), false, 2, Identity),
        ]
    }

    /// The result and the moments, done together and one after the other.
    fn both((g1, g2, transposed, upsample, end): &Case) -> [[Vec<f32>; 3]; 2] {
        let c = if *transposed { g1.in_c } else { g1.out_c };
        let x: Vec<u16> = {
            let len = if *transposed { g1.y_len() } else { g1.x_len() / (upsample * upsample) };
            values(len, 1).iter().map(|v| bf16::bits(*v)).collect()
        };
        let (w1, w2, b1, b2) = (values(g1.w_len(), 2), values(g2.w_len(), 3), values(c, 4), values(g2.out_c, 5));
        let (gamma, beta) = (values(c, 6).iter().map(|v| v + 1.0).collect::<Vec<_>>(), values(c, 7));
        let one = Stage {
            geometry: g1,
            upsample: *upsample,
            transposed: *transposed,
            weight: &w1,
            bias: &b1,
            activation: Activation::Identity,
        };
        let two = Stage { geometry: g2, upsample: 1, transposed: false, weight: &w2, bias: &b2, activation: *end };
        let act = Activation::LeakyRelu(0.2);
        let empty = || [vec![f32::NAN; g2.y_len()], vec![f32::NAN; c], vec![f32::NAN; c]];
        let [mut y, mut mean, mut variance] = empty();
        workspace::spoil();
        let norm = Norm { gamma: &gamma, beta: &beta, epsilon: EPSILON, activation: act };
        forward([&one, &two], &norm, Values::Bf16(&x), &mut y, &mut mean, &mut variance);
        let together = [y, mean, variance];
        let [mut y, mut mean, mut variance] = empty();
        let [mut z, mut made] = [0, 1].map(|_| vec![0u16; one.made_len()]);
        one.forward(Values::Bf16(&x), ValuesMut::Bf16(&mut z));
        batchnorm::moments(Values::Bf16(&z), &mut mean, &mut variance);
        let (epsilon, activation) = (EPSILON, act);
        let norm = BatchNorm { mean: &mean, variance: &variance, gamma: &gamma, beta: &beta, epsilon, activation };
        batchnorm::forward(&norm, Values::Bf16(&z), ValuesMut::Bf16(&mut made));
        two.forward(Values::Bf16(&made), ValuesMut::F32(&mut y));
        [together, [y, mean, variance]]
    }

    /// Sums over the batch are grouped otherwise, so that a rounded value here and there is its neighbour.
    #[test]
    fn agrees_with_one_after_the_other() {
        for case in cases() {
            let [together, apart] = both(&case);
            for (nth, (together, apart)) in together.iter().zip(&apart).enumerate() {
                let norm = |v: &mut dyn Iterator<Item = f64>| v.map(|v| v * v).sum::<f64>().sqrt();
                let off = norm(&mut apart.iter().zip(together).map(|(a, b)| f64::from(a - b)));
                let all = norm(&mut apart.iter().map(|v| f64::from(*v)));
                assert!(off <= if nth == 0 { 1e-3 } else { 1e-6 } * all, "result {nth} of {case:?}: {off} of {all}");
            }
        }
    }

    #[test]
    fn same_bits_on_any_number_of_threads() {
        for case in cases() {
            assert_same_on_any_pool(|| {
                let [together, _] = both(&case);
                together.concat()
            });
        }
    }
}
