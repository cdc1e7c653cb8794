//! Of pairs found again: ranks, recall at k, mean and median rank.

/// The place of each query's partner among all candidates, counted from 0; query i's partner is candidate i. The queries
/// are some in a row, from `first_query` on.
///
/// Equal similarities keep the order of the candidates.
///
/// # Shapes
/// - `similarities`: `[Q, n_candidates]`, row-major, a row for each query
///
/// # Panics
/// When a row is not whole, or a query has no partner.
pub fn ranks(similarities: &[f32], n_candidates: usize, first_query: usize) -> Vec<usize> {
    assert!(similarities.len().is_multiple_of(n_candidates.max(1)), "a similarity for each pair");
    let rank = |(row, similarities): (usize, &[f32])| {
        let query = first_query + row;
        let own = similarities[query];
        let before = |&(candidate, &other): &(usize, &f32)| other > own || (other == own && candidate < query);
        similarities.iter().enumerate().filter(before).count()
    };
    similarities.chunks_exact(n_candidates.max(1)).enumerate().map(rank).collect()
}

/// The share of ranks below k; `None` without ranks.
pub fn recall_at_k(ranks: &[usize], k: usize, counts: &[u32]) -> Option<f64> {
    let total = n_counted(counts);
    let found: u64 =
        ranks.iter().zip(counts).filter(|(rank, _)| **rank < k).map(|(_, &count)| u64::from(count)).sum();
    (total > 0).then(|| found as f64 / total as f64)
}

/// Mean rank, counted from 1; `None` without ranks.
pub fn mean_rank(ranks: &[usize], counts: &[u32]) -> Option<f64> {
    let total = n_counted(counts);
    let sum: u64 = ranks.iter().zip(counts).map(|(&rank, &count)| (rank as u64 + 1) * u64::from(count)).sum();
    (total > 0).then(|| sum as f64 / total as f64)
}

/// The reference's median rank: the median of the ranks from 0, rounded down, plus 1; `None` without ranks.
pub fn median_rank(ranks: &[usize], counts: &[u32]) -> Option<f64> {
    let repeated = ranks.iter().zip(counts).flat_map(|(&rank, &count)| std::iter::repeat_n(rank, count as usize));
    let mut sorted: Vec<usize> = repeated.collect();
    sorted.sort_unstable();
    let n = sorted.len();
    (n > 0).then(|| ((sorted[(n - 1) / 2] + sorted[n / 2]) / 2 + 1) as f64)
}

fn n_counted(counts: &[u32]) -> u64 {
    counts.iter().map(|&count| u64::from(count)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_queries_by_eye() {
        #[rustfmt::skip]
        let similarities = [
            0.9, 0.1, 0.2, // found first
            0.8, 0.5, 0.9, // two before it
            0.3, 0.3, 0.3, // ties keep their order
        ];
        let found = ranks(&similarities, 3, 0);
        assert_eq!(found, [0, 2, 2]);
        assert_eq!(ranks(&similarities[3..], 3, 1), [2, 2], "the rows of two queries alone");
        let all = [1; 3];
        assert_eq!(recall_at_k(&found, 1, &all), Some(1.0 / 3.0));
        assert_eq!(recall_at_k(&found, 3, &all), Some(1.0));
        assert_eq!(mean_rank(&found, &all), Some((1.0 + 3.0 + 3.0) / 3.0));
        assert_eq!(median_rank(&found, &all), Some(3.0));
        assert_eq!(median_rank(&[0, 1], &[1; 2]), Some(1.0), "0.5 is rounded down, plus 1");
        assert_eq!(median_rank(&found, &[2, 1, 0]), Some(1.0));
        assert_eq!((recall_at_k(&[], 1, &[]), mean_rank(&[], &[]), median_rank(&[], &[])), (None, None, None));
    }
}
