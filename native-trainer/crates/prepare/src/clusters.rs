//! Groups of images that show the same: equal files, copies of another size, and rows of one patient.

use std::collections::HashMap;

/// Bits of a perceptual hash that are compared at a time. Two hashes that differ in fewer bits than there are bands
/// agree in one band.
const BAND_BITS: u32 = 11;

/// Disjoint sets of rows.
pub struct Clusters {
    parents: Vec<u32>,
}

impl Clusters {
    /// Every row by itself.
    pub fn new(n_rows: usize) -> Self {
        Self { parents: (0..n_rows as u32).collect() }
    }

    /// Joins the sets of two rows.
    pub fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        // The root of a set is its first row.
        self.parents[a.max(b)] = a.min(b) as u32;
    }

    /// The first row of the set.
    pub fn root(&mut self, row: usize) -> usize {
        let mut at = row;
        while self.parents[at] as usize != at {
            self.parents[at] = self.parents[self.parents[at] as usize];
            at = self.parents[at] as usize;
        }
        at
    }

    /// Joins rows with an equal value.
    pub fn join_equal<T: std::hash::Hash + Eq>(&mut self, values: impl Iterator<Item = (usize, T)>) {
        let mut first = HashMap::new();
        for (row, value) in values {
            let known = *first.entry(value).or_insert(row);
            self.join(known, row);
        }
    }
}

/// Returns pairs of hashes of which one orientation differs from the other's first in at most `distance` bits.
///
/// - `hashes`: rows and their hashes in eight orientations, the first as the image is
pub fn near_pairs(hashes: &[(usize, [u64; 8])], distance: u32) -> Vec<(usize, usize)> {
    let bands = u64::BITS.div_ceil(BAND_BITS);
    debug_assert!(distance < bands, "fewer bits than bands, so that one band is equal");
    let band = |hash: u64, at: u32| (at, (hash >> (at * BAND_BITS)) & ((1 << BAND_BITS) - 1));
    let mut index: HashMap<(u32, u64), Vec<u32>> = HashMap::new();
    let mut pairs = Vec::new();
    for (at, (row, orientations)) in hashes.iter().enumerate() {
        for &hash in orientations {
            for number in 0..bands {
                for &other in index.get(&band(hash, number)).into_iter().flatten() {
                    let (other_row, others) = &hashes[other as usize];
                    if (others[0] ^ hash).count_ones() <= distance && pairs.last() != Some(&(*other_row, *row)) {
                        pairs.push((*other_row, *row));
                    }
                }
            }
        }
        for number in 0..bands {
            index.entry(band(orientations[0], number)).or_default().push(at as u32);
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_grow_by_joining() {
        let mut clusters = Clusters::new(6);
        clusters.join_equal([(0, "a"), (1, "b"), (3, "a"), (4, "b")].into_iter());
        clusters.join(3, 4);
        let roots: Vec<usize> = (0..6).map(|row| clusters.root(row)).collect();
        assert_eq!(roots, [0, 0, 2, 0, 0, 5]);
    }

    #[test]
    fn near_hashes_are_found_in_any_orientation() {
        let mut turned = [u64::MAX; 8];
        turned[3] = 0b111;
        let hashes = [(10, [0; 8]), (11, [0b11; 8]), (12, turned), (13, [0xFFFF_0000; 8])];
        assert_eq!(near_pairs(&hashes, 3), [(10, 11), (10, 12), (11, 12)]);
        assert_eq!(near_pairs(&hashes, 2), [(10, 11), (11, 12)]);
    }
}
