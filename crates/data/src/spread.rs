//! A few numbers spread evenly over many, as samples of a set.

/// Up to `count` of the numbers below `len`, evenly spread, the first and the last among them.
pub(crate) fn spread(len: usize, count: usize) -> impl Iterator<Item = usize> {
    let count = count.min(len);
    (0..count).map(move |k| k * (len - 1) / (count - 1).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_spread_over_a_set() {
        let of = |len, count| spread(len, count).collect::<Vec<_>>();
        assert_eq!(of(11, 3), [0, 5, 10]);
        assert_eq!(of(2, 16), [0, 1]);
        assert_eq!((of(1, 16), of(0, 16).len()), (vec![0], 0));
    }
}
