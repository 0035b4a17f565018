//! The two poolings of InceptionV3, over 3 x 3 pixels.

use burn::tensor::Tensor;
use rayon::prelude::*;

use faussaire_nn::ops::host;
use faussaire_nn::ops::tensor;

/// The mean of the 3 x 3 pixels around each pixel, without padding at the edges.
pub(super) fn average(x: &Tensor<4>) -> Tensor<4> {
    pooled(x, 1, 1, |sum, value, _| *sum += value, |sum, count| sum / count as f32)
}

/// The maximum of 3 x 3 pixels: around each pixel for stride 1, without padding for stride 2.
pub(super) fn largest(x: &Tensor<4>, stride: usize) -> Tensor<4> {
    let keep = |best: &mut f32, value: f32, first: bool| *best = if first { value } else { best.max(value) };
    pooled(x, stride, usize::from(stride == 1), keep, |best, _| best)
}

/// Folds the pixels of each window into one, channel by channel. `add` receives whether a pixel is its window's first,
/// `finish` the number of pixels.
fn pooled(
    x: &Tensor<4>,
    stride: usize,
    padding: usize,
    add: impl Fn(&mut f32, f32, bool) + Sync,
    finish: impl Fn(f32, usize) -> f32 + Sync,
) -> Tensor<4> {
    let [n, h, w, c] = x.dims();
    let out = |side: usize| (side + 2 * padding - 3) / stride + 1;
    let (out_h, out_w) = (out(h), out(w));
    let values = host(x);
    let mut pooled = vec![0.0; n * out_h * out_w * c];
    let window = |at: usize, side: usize| (at * stride).saturating_sub(padding)..(at * stride + 3 - padding).min(side);
    pooled.par_chunks_mut(out_w * c).enumerate().for_each(|(row, to)| {
        let image = &values[row / out_h * h * w * c..][..h * w * c];
        for (j, to) in to.chunks_exact_mut(c).enumerate() {
            let mut count = 0;
            for y in window(row % out_h, h) {
                for x in window(j, w) {
                    let from = &image[(y * w + x) * c..][..c];
                    to.iter_mut().zip(from).for_each(|(to, from)| add(to, *from, count == 0));
                    count += 1;
                }
            }
            to.iter_mut().for_each(|to| *to = finish(*to, count));
        }
    });
    tensor(pooled, [n, out_h, out_w, c], &x.device())
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn windows_end_at_the_image() {
        // One image of 3 x 4 pixels, two channels: 0, 1, ... 11 and their negatives.
        let values = (0..12).flat_map(|v| [v as f32, -(v as f32)]).collect();
        let x = tensor(values, [1, 3, 4, 2], &Device::flex());
        let means = host(&average(&x));
        assert_eq!(means[..4], [2.5, -2.5, 3.0, -3.0], "of 0 1 4 5, of 0 1 2 4 5 6");
        assert_eq!(means[10..12], [5.0, -5.0], "of the nine around 5");
        assert_eq!(host(&largest(&x, 1))[..4], [5.0, 0.0, 6.0, 0.0]);
        let within = largest(&x, 2);
        assert_eq!((within.dims(), host(&within)), ([1, 1, 1, 2], vec![10.0, 0.0]));
    }
}
