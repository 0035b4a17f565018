//! One matrix product on one thread through the `gemm` crate, with every index checked beforehand. The
//! portable engine, attention and col2im multiply with it; threads are the callers' business, so that results don't depend on them.

/// A matrix inside a slice: element `(r, c)` is at `r * row_stride + c * col_stride`.
#[derive(Clone, Copy)]
pub(crate) struct Strides {
    pub(crate) row: usize,
    pub(crate) col: usize,
}

impl Strides {
    /// Row after row, `cols` values each.
    pub(crate) fn rows(cols: usize) -> Self {
        Self { row: cols, col: 1 }
    }

    /// The transpose of a matrix stored as rows of `cols` values each.
    pub(crate) fn transposed(cols: usize) -> Self {
        Self { row: 1, col: cols }
    }

    fn len(self, rows: usize, cols: usize) -> usize {
        if rows == 0 || cols == 0 {
            return 0;
        }
        (rows - 1) * self.row + (cols - 1) * self.col + 1
    }
}

/// `c = a b`, or `c += a b` if `accumulate`; `a` is `m x k`, `b` is `k x n`, `c` is `m x n`.
pub(crate) fn product(
    [m, n, k]: [usize; 3],
    (a, sa): (&[f32], Strides),
    (b, sb): (&[f32], Strides),
    accumulate: bool,
    (c, sc): (&mut [f32], Strides),
) {
    assert!(a.len() >= sa.len(m, k), "matrix a outside its slice");
    assert!(b.len() >= sb.len(k, n), "matrix b outside its slice");
    assert!(c.len() >= sc.len(m, n), "matrix c outside its slice");
    if m == 0 || n == 0 {
        return;
    }
    // SAFETY: the three asserts bound every element that the strides reach, and `c` is borrowed exclusively.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c.as_mut_ptr(),
            sc.col as isize,
            sc.row as isize,
            accumulate,
            a.as_ptr(),
            sa.col as isize,
            sa.row as isize,
            b.as_ptr(),
            sb.col as isize,
            sb.row as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn product_and_transposes() {
        let a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]; // 2 x 3
        let b = [1.0, 0.0, 2.0, 1.0, 0.0, 3.0]; // 3 x 2
        let mut c = [10.0; 4];
        product([2, 2, 3], (&a, Strides::rows(3)), (&b, Strides::rows(2)), true, (&mut c, Strides::rows(2)));
        assert_eq!(c, [15.0, 21.0, 24.0, 33.0]);
        let mut d = [0.0; 9]; // a^T (3 x 2) a (2 x 3)
        product([3, 3, 2], (&a, Strides::transposed(3)), (&a, Strides::rows(3)), false, (&mut d, Strides::rows(3)));
        assert_eq!(d, [17.0, 22.0, 27.0, 22.0, 29.0, 36.0, 27.0, 36.0, 45.0]);
    }

    #[test]
    fn an_empty_sum_is_zero() {
        let mut c = [7.0; 2];
        product([1, 2, 0], (&[], Strides::rows(0)), (&[], Strides::rows(2)), false, (&mut c, Strides::rows(2)));
        assert_eq!(c, [0.0, 0.0]);
    }
}
