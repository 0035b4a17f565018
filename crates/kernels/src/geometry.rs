//! The shape of one convolution: image sizes, channels, kernel, stride, padding. A dense layer is the case of a
//! 1x1 image under a 1x1 kernel. The same struct describes the forward pass and both gradients.

/// Shape of a convolution from `[batch, in_h, in_w, in_c]` to `[batch, out_h, out_w, out_c]` with weights
/// `[kernel_h, kernel_w, in_c, out_c]`.
///
/// Output pixel `(oy, ox)` reads input pixels `(oy * stride_h + ky - pad_top, ox * stride_w + kx - pad_left)`;
/// those outside the image count as zero. Padding after the image is implied by `out_h` and `out_w`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Geometry {
    /// Images in the batch (rows, for a dense layer).
    pub batch: usize,
    /// Input height in pixels.
    pub in_h: usize,
    /// Input width in pixels.
    pub in_w: usize,
    /// Input channels.
    pub in_c: usize,
    /// Output height in pixels.
    pub out_h: usize,
    /// Output width in pixels.
    pub out_w: usize,
    /// Output channels.
    pub out_c: usize,
    /// Kernel height.
    pub kernel_h: usize,
    /// Kernel width.
    pub kernel_w: usize,
    /// Vertical step between output pixels, at least 1.
    pub stride_h: usize,
    /// Horizontal step between output pixels, at least 1.
    pub stride_w: usize,
    /// Zero rows above the image.
    pub pad_top: usize,
    /// Zero columns left of the image.
    pub pad_left: usize,
}

/// Output length and padding before the image of Keras's "same" along one axis.
fn same_axis(n: usize, kernel: usize, stride: usize) -> (usize, usize) {
    let out = n.div_ceil(stride);
    let covered = out.saturating_sub(1).saturating_mul(stride).saturating_add(kernel);
    (out, covered.saturating_sub(n) / 2)
}

impl Geometry {
    /// Keras's padding "same": `out = ceil(n / s)`, total padding `max((out - 1) * s + k - n, 0)`, the odd pixel
    /// after the image. `kernel` and `stride` are `[height, width]`; strides are at least 1.
    pub fn same(
        batch: usize,
        in_h: usize,
        in_w: usize,
        in_c: usize,
        out_c: usize,
        kernel: [usize; 2],
        stride: [usize; 2],
    ) -> Self {
        let (out_h, pad_top) = same_axis(in_h, kernel[0], stride[0]);
        let (out_w, pad_left) = same_axis(in_w, kernel[1], stride[1]);
        Self {
            batch,
            in_h,
            in_w,
            in_c,
            out_h,
            out_w,
            out_c,
            kernel_h: kernel[0],
            kernel_w: kernel[1],
            stride_h: stride[0],
            stride_w: stride[1],
            pad_top,
            pad_left,
        }
    }

    /// No padding: `out = (n - k) / s + 1`, or 0 where the kernel is larger than the image.
    pub fn valid(
        batch: usize,
        in_h: usize,
        in_w: usize,
        in_c: usize,
        out_c: usize,
        kernel: [usize; 2],
        stride: [usize; 2],
    ) -> Self {
        let out = |n: usize, k: usize, s: usize| if n < k { 0 } else { (n - k) / s + 1 };
        Self {
            out_h: out(in_h, kernel[0], stride[0]),
            out_w: out(in_w, kernel[1], stride[1]),
            pad_top: 0,
            pad_left: 0,
            ..Self::same(batch, in_h, in_w, in_c, out_c, kernel, stride)
        }
    }

    /// `pad` zeros on both sides, `[rows, columns]`: `out = (n + 2 pad - k) / s + 1`, or 0 where the kernel is larger than
    /// the padded image.
    #[allow(clippy::too_many_arguments)]
    pub fn padded(
        batch: usize,
        in_h: usize,
        in_w: usize,
        in_c: usize,
        out_c: usize,
        kernel: [usize; 2],
        stride: [usize; 2],
        pad: [usize; 2],
    ) -> Self {
        let [high, wide] = [in_h + 2 * pad[0], in_w + 2 * pad[1]];
        let valid = Self::valid(batch, high, wide, in_c, out_c, kernel, stride);
        Self { in_h, in_w, pad_top: pad[0], pad_left: pad[1], ..valid }
    }

    /// A dense layer: `rows` vectors of `in_c` values to `out_c` values, weights `[in_c, out_c]`.
    pub fn dense(rows: usize, in_c: usize, out_c: usize) -> Self {
        Self::valid(rows, 1, 1, in_c, out_c, [1, 1], [1, 1])
    }

    /// Values in the input.
    pub fn x_len(&self) -> usize {
        product([self.batch, self.in_h, self.in_w, self.in_c])
    }

    /// Values in the output.
    pub fn y_len(&self) -> usize {
        product([self.batch, self.out_h, self.out_w, self.out_c])
    }

    /// Values in the weights.
    pub fn w_len(&self) -> usize {
        product([self.kernel_h, self.kernel_w, self.in_c, self.out_c])
    }

    /// Floating-point operations of the forward pass over the batch, counted naively: two (multiply, add) per
    /// output value, kernel pixel and input channel, padding included.
    pub fn flops(&self) -> u64 {
        let each = product([self.kernel_h, self.kernel_w, self.in_c, 2]);
        (self.y_len() as u64).saturating_mul(each as u64)
    }
}

/// The product, or more than any slice can hold: slices are checked against it before anything is written, so it must not wrap.
pub(crate) fn product(factors: [usize; 4]) -> usize {
    factors.into_iter().fold(1, usize::saturating_mul)
}

#[cfg(test)]
mod tests {
    #[test]
    fn sizes_beyond_memory_fit_no_slice() {
        let wraps = super::Geometry { batch: (1 << 62) + 1, ..super::Geometry::dense(1, 4, 4) };
        assert_eq!((wraps.x_len(), wraps.y_len()), (usize::MAX, usize::MAX));
        assert_eq!(super::Geometry { batch: 0, ..wraps }.y_len(), 0);
    }

    use super::*;

    #[test]
    fn same_pads_the_odd_pixel_at_the_end() {
        // 7 -> 4 with k = 4, s = 2: 1 before, 2 after.
        let g = Geometry::same(2, 7, 28, 3, 5, [4, 4], [2, 2]);
        assert_eq!((g.out_h, g.pad_top), (4, 1));
        assert_eq!((g.out_w, g.pad_left), (14, 1));
        assert_eq!((g.x_len(), g.y_len()), (2 * 7 * 28 * 3, 2 * 4 * 14 * 5));
        assert_eq!(g.w_len(), 4 * 4 * 3 * 5);
        assert_eq!(g.flops(), 2 * (2 * 4 * 14 * 5) * (4 * 4 * 3));
    }

    #[test]
    fn a_stride_beyond_the_kernel_needs_no_padding() {
        let g = Geometry::same(1, 7, 8, 1, 1, [1, 2], [3, 3]);
        assert_eq!((g.out_h, g.out_w, g.pad_top, g.pad_left), (3, 3, 0, 0));
    }

    #[test]
    fn valid_counts_whole_kernels_only() {
        let g = Geometry::valid(1, 7, 3, 1, 1, [4, 4], [2, 2]);
        assert_eq!((g.out_h, g.out_w, g.pad_top), (2, 0, 0));
    }

    #[test]
    fn padding_is_on_both_sides() {
        // As `same` where the total padding is even; else the odd pixel is on neither side.
        assert_eq!(
            Geometry::padded(2, 8, 6, 3, 5, [4, 4], [2, 2], [1, 1]),
            Geometry::same(2, 8, 6, 3, 5, [4, 4], [2, 2])
        );
        let g = Geometry::padded(1, 7, 3, 1, 1, [4, 5], [2, 1], [1, 0]);
        assert_eq!((g.in_h, g.in_w, g.out_h, g.out_w, g.pad_top, g.pad_left), (7, 3, 3, 0, 1, 0));
    }

    #[test]
    fn dense_is_a_one_pixel_image() {
        let g = Geometry::dense(64, 128, 10);
        assert_eq!((g.x_len(), g.y_len(), g.w_len()), (64 * 128, 640, 1280));
        assert_eq!(g.flops(), 2 * 64 * 128 * 10);
    }
}
