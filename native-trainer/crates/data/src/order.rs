//! The order of an epoch, and the random numbers of each image in it.
//!
//! Both are pure functions: an interrupted run continues from the seed, the epoch and the batch alone, and the number
//! of threads changes nothing.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Purpose of a stream of random numbers; each purpose has its own.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Order = 1,
    Row = 2,
    OntologyOrder = 3,
}

/// The numbers 0 to `n` - 1, shuffled for this epoch.
pub fn epoch_order(seed: u64, epoch: usize, n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(&mut stream(seed, epoch as u64, 0, Purpose::Order));
    order
}

/// The random numbers with which row `row` of the table is augmented in this epoch.
pub fn row_rng(seed: u64, epoch: usize, row: usize) -> ChaCha8Rng {
    stream(seed, epoch as u64, row as u64, Purpose::Row)
}

/// All of it is the key, so that streams of neighboring rows are unrelated.
pub(super) fn stream(seed: u64, epoch: u64, row: u64, purpose: Purpose) -> ChaCha8Rng {
    let mut key = [0; 32];
    for (part, value) in key.chunks_exact_mut(8).zip([seed, epoch, row, purpose as u64]) {
        part.copy_from_slice(&value.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn an_order_is_a_permutation_of_its_own() {
        let order = epoch_order(7, 2, 1000);
        assert_eq!(order, epoch_order(7, 2, 1000));
        assert_ne!(order, epoch_order(7, 3, 1000));
        assert_ne!(order, epoch_order(8, 2, 1000));
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..1000).collect::<Vec<_>>());
        assert!(epoch_order(7, 2, 0).is_empty());
    }

    #[test]
    fn places_are_uniform() {
        // Row 0 of 10 in 5,000 epochs: each place 500 times, within five standard deviations.
        let mut counts = [0; 10];
        for epoch in 0..5000 {
            counts[epoch_order(1, epoch, 10).iter().position(|&row| row == 0).unwrap()] += 1;
        }
        assert!(counts.iter().all(|count| (394..=606).contains(count)), "{counts:?}");
    }

    #[test]
    fn rows_have_their_own_numbers() {
        let first = |seed, epoch, row| row_rng(seed, epoch, row).random::<u64>();
        assert_eq!(first(1, 2, 3), first(1, 2, 3));
        let all = [first(1, 2, 3), first(1, 2, 4), first(1, 3, 3), first(2, 2, 3), first(1, 3, 2)];
        for (i, a) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|b| a != b));
        }
    }
}
