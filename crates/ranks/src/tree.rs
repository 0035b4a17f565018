//! Sums over a fixed binary tree: of neighbours, then of neighbouring sums. The tree over 8 terms is the tree over 2 sums of the
//! trees over 4, so a sum has the same bits however its terms are spread over a power of two of processes.

/// The sum of `terms` over the binary tree; none without terms. Where their number is no power of two, the last one of a level
/// goes up by itself.
pub fn tree<T>(mut terms: Vec<T>, add: impl Fn(T, T) -> T) -> Option<T> {
    while terms.len() > 1 {
        let mut level = Vec::with_capacity(terms.len().div_ceil(2));
        let mut left = terms.into_iter();
        while let Some(first) = left.next() {
            level.push(match left.next() {
                Some(second) => add(first, second),
                None => first,
            });
        }
        terms = level;
    }
    terms.pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(terms: &[String]) -> String {
        tree(terms.to_vec(), |a, b| format!("({a}+{b})")).unwrap_or_default()
    }

    #[test]
    fn a_tree_of_trees_is_the_tree() {
        let terms: Vec<String> = (0..8).map(|term| term.to_string()).collect();
        assert_eq!(shown(&terms), "(((0+1)+(2+3))+((4+5)+(6+7)))");
        for each in [1, 2, 4, 8] {
            let parts: Vec<String> = terms.chunks(each).map(shown).collect();
            assert_eq!(shown(&parts), shown(&terms), "{each} terms in each process");
        }
        assert_eq!(shown(&terms[..3]), "((0+1)+2)");
        assert_eq!(tree(Vec::<u8>::new(), |a, _| a), None);
    }

    #[test]
    fn the_order_shows_in_the_bits() {
        let values = vec![1e8f32, 1.0, -1e8, 1.0];
        assert_eq!(tree(values.clone(), |a, b| a + b), Some(0.0));
        assert_eq!(values.into_iter().reduce(|a, b| a + b), Some(1.0));
    }
}
