//! Images in place of others: a file that can't be used is replaced by the next one of its label. In a training of several ranks the
//! same files must be replaced in all of them, or the weights would depend on which rank reads an image.

use std::collections::BTreeSet;

use super::slices::Slices;
use crate::data::{Dataset, Digest};
use crate::error::{Error, Result};
use crate::ranks::{Ranks, agreed, failed};

/// Bytes of a number as it is gathered.
const NUMBER: usize = size_of::<u64>();

/// The images that all ranks replace, by the same ones.
#[derive(Debug, Default)]
pub(super) struct Replaced(BTreeSet<u64>);

/// What a rank reads for an image: a digest of its values, and whether another image is in its place.
type Seen = [u64; 2];

impl Replaced {
    /// Checks that what was read in place of images at `indices` of `dataset` is the same in all ranks, each of which calls this with
    /// its own indices.
    ///
    /// # Errors
    /// A file that only some of the ranks can use: in all of them.
    pub fn agree(&mut self, slices: &Slices, dataset: &dyn Dataset, indices: &[usize]) -> Result<()> {
        let ranks = slices.ranks();
        if ranks.size() == 1 {
            return Ok(());
        }
        let bad = bad_files(dataset);
        let own = indices.iter().copied().filter(|index| is_replaced(dataset, &bad, *index)).map(|index| index as u64);
        let own: Vec<u64> = own.filter(|index| !self.0.contains(index)).collect();
        let longest = gather(ranks, &[own.len() as u64])?.into_iter().max().unwrap_or(0);
        if longest == 0 {
            return Ok(());
        }
        let mut padded = own;
        padded.resize(longest as usize, u64::MAX);
        let all: BTreeSet<u64> = gather(ranks, &padded)?.into_iter().filter(|index| *index != u64::MAX).collect();
        // Which file is used shows when it is read.
        let seen = all.iter().map(|index| seen(dataset, *index as usize)).collect::<Result<Vec<Seen>>>();
        let found = gather(ranks, agreed(ranks, seen)?.as_flattened())?;
        if let Some((rank, at)) = odd(all.len(), found.as_chunks().0) {
            let refusal = all.iter().nth(at).map(|index| refusal(dataset, *index as usize));
            agreed(ranks, refusal.filter(|_| rank == ranks.rank()).map_or(Ok(()), Err))?;
        }
        self.0.extend(all);
        Ok(())
    }
}

/// The names of the files that can't be used, as far as they were read.
fn bad_files(dataset: &dyn Dataset) -> BTreeSet<String> {
    dataset.skipped().into_iter().map(|bad| bad.path.display().to_string()).collect()
}

fn is_replaced(dataset: &dyn Dataset, bad: &BTreeSet<String>, index: usize) -> bool {
    !bad.is_empty() && (dataset.resolved(index) != index || bad.contains(&dataset.image_name(index)))
}

fn seen(dataset: &dyn Dataset, index: usize) -> Result<Seen> {
    let mut values = vec![0.0; dataset.shape().len()];
    dataset.read(index, &mut values)?;
    let mut digest = Digest::new();
    digest.update_values(&values);
    let start = u64::from_str_radix(digest.finish().get(..2 * NUMBER).unwrap_or_default(), 16).unwrap_or(0);
    Ok([start, u64::from(is_replaced(dataset, &bad_files(dataset), index))])
}

/// The first rank that uses another file than others do, and for which of `count` images: if one replaces what another can use, that
/// one. `found` has what the ranks use, one rank after the other.
fn odd(count: usize, found: &[Seen]) -> Option<(usize, usize)> {
    let each: Vec<&[Seen]> = found.chunks_exact(count.max(1)).collect();
    (0..count).find_map(|at| {
        let of_image: Vec<Seen> = each.iter().map(|rank| rank[at]).collect();
        let first = *of_image.first()?;
        let differs = |seen: &Seen| *seen != first;
        if !of_image.iter().any(differs) {
            return None;
        }
        let used = of_image.iter().any(|[_, replaced]| *replaced == 0);
        let replaces = |[_, replaced]: &Seen| used && *replaced == 1;
        let rank = of_image.iter().position(replaces).or_else(|| of_image.iter().position(differs));
        rank.map(|rank| (rank, at))
    })
}

/// What the rank with another image at `index` says.
fn refusal(dataset: &dyn Dataset, index: usize) -> Error {
    let name = dataset.image_name(index);
    let reason = dataset.skipped().into_iter().find(|bad| bad.path.display().to_string() == name);
    let what = match reason {
        Some(bad) => format!("{name} can't be used in this rank, but in others: {}", bad.reason),
        None => format!("{name} is another image in this rank than in others"),
    };
    Error::data(what, "give all machines the same files: a shared folder, or copies; then resume the run")
}

fn gather(ranks: &Ranks, own: &[u64]) -> Result<Vec<u64>> {
    let bytes: Vec<u8> = own.iter().flat_map(|value| value.to_le_bytes()).collect();
    let all = ranks.gather(&bytes).map_err(failed)?;
    Ok(all.as_chunks::<NUMBER>().0.iter().map(|value| u64::from_le_bytes(*value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rank_that_lacks_a_file_is_found() {
        // Two images in three ranks: their digests, and whether others are in their place.
        let all_alike = [[6, 1], [9, 0], [6, 1], [9, 0], [6, 1], [9, 0]];
        assert_eq!(odd(2, &all_alike), None);
        let one_lacks = [[6, 1], [9, 0], [6, 1], [10, 1], [6, 1], [9, 0]];
        assert_eq!(odd(2, &one_lacks), Some((1, 1)));
        let the_first_lacks = [[6, 1], [9, 0], [5, 0], [9, 0]];
        assert_eq!(odd(2, &the_first_lacks), Some((0, 0)));
        let the_next_is_lacking_too = [[6, 1], [9, 0], [7, 1], [9, 0]];
        assert_eq!(odd(2, &the_next_is_lacking_too), Some((1, 0)));
        let others_content = [[6, 0], [9, 0], [7, 0], [9, 0]];
        assert_eq!(odd(2, &others_content), Some((1, 0)));
        assert_eq!(odd(0, &[]), None);
    }
}
