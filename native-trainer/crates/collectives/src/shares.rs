//! Which part of a list belongs to which rank.

use std::ops::Range;

/// The part of `n` things that belongs to `rank` of `size`; parts differ in length by at most one.
pub fn even_share(n: usize, rank: usize, size: usize) -> Range<usize> {
    n * rank / size..n * (rank + 1) / size
}

/// The parts of all ranks.
pub fn even_shares(n: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    (0..size).map(move |rank| even_share(n, rank, size))
}

/// Cuts a list into `size` parts of nearly equal weight, in its order. Parts may be empty.
pub fn shares_by_weight(weights: &[usize], size: usize) -> Vec<Range<usize>> {
    let total: usize = weights.iter().sum();
    let (mut shares, mut start, mut weight) = (Vec::with_capacity(size), 0, 0);
    for rank in 0..size {
        let mut end = start;
        // An item belongs to the rank in whose part its middle is.
        while end < weights.len()
            && (rank + 1 == size || (2 * weight + weights[end]) * size < 2 * total * (rank + 1))
        {
            weight += weights[end];
            end += 1;
        }
        shares.push(start..end);
        start = end;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_everything_once_and_of_nearly_one_size() {
        for (n, size) in [(0, 3), (1, 4), (16, 4), (17, 4), (2048, 512), (5, 1)] {
            let shares: Vec<_> = even_shares(n, size).collect();
            assert_eq!(shares.iter().cloned().flatten().collect::<Vec<_>>(), (0..n).collect::<Vec<_>>());
            let lengths = shares.iter().map(|share| share.len());
            assert!(lengths.clone().max().unwrap() - lengths.min().unwrap() <= 1);
        }
    }

    #[test]
    fn weights_are_divided_and_nothing_is_lost() {
        assert_eq!(shares_by_weight(&[1, 1, 1, 1], 2), [0..2, 2..4]);
        assert_eq!(shares_by_weight(&[9, 1, 1, 1], 2), [0..1, 1..4]);
        assert_eq!(shares_by_weight(&[1, 1, 1, 9], 2), [0..3, 3..4]);
        assert_eq!(shares_by_weight(&[5], 3), [0..0, 0..1, 1..1]);
        assert_eq!(shares_by_weight(&[], 2), [0..0, 0..0]);
        let weights: Vec<usize> = (0..1000).map(|i| 3 + i * 7919 % 70).collect();
        let shares = shares_by_weight(&weights, 64);
        assert_eq!(shares.iter().cloned().flatten().collect::<Vec<_>>(), (0..1000).collect::<Vec<_>>());
        let sums = shares.iter().map(|share| weights[share.clone()].iter().sum::<usize>());
        let mean = weights.iter().sum::<usize>() / 64;
        assert!(sums.clone().max().unwrap() < mean + 73, "{:?}", sums.collect::<Vec<_>>());
    }
}
