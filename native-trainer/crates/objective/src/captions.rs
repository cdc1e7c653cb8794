//! The captions of a batch, each distinct one once.

use super::lineage::Lineage;
use std::borrow::Cow;
use std::collections::HashMap;

/// Which caption every position of a batch holds.
///
/// Positions are sample-major: caption `kind` of sample `i` is position `i * n_kinds + kind`; the kinds are
/// original, ontology, visual concepts, sub-captions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captions {
    /// Captions N of one sample.
    pub n_kinds: usize,
    /// The row of the text features for every position.
    pub rows: Vec<usize>,
    /// Whether the position has a caption.
    pub mask: Vec<bool>,
    /// Number of text features.
    pub n_rows: usize,
    /// For each sample, where its diagnosis is in the ontology; empty if that is unknown of all.
    pub lineages: Vec<Lineage>,
}

impl Captions {
    /// Gives equal captions one row, in the order of their first position; returns those captions too.
    ///
    /// # Panics
    /// When there is not one mask value a caption, or the captions are not samples times kinds.
    pub fn distinct<T: Clone + Eq + std::hash::Hash>(
        captions: &[T],
        mask: Vec<bool>,
        n_kinds: usize,
    ) -> (Self, Vec<T>) {
        assert_eq!(captions.len(), mask.len(), "one mask value a caption");
        assert!(n_kinds > 0 && captions.len().is_multiple_of(n_kinds), "every sample has {n_kinds} captions");
        let mut row_of = HashMap::new();
        let mut distinct = Vec::new();
        let rows = captions
            .iter()
            .map(|caption| {
                *row_of.entry(caption).or_insert_with(|| {
                    distinct.push(caption.clone());
                    distinct.len() - 1
                })
            })
            .collect();
        (Self { n_kinds, rows, mask, n_rows: distinct.len(), lineages: Vec::new() }, distinct)
    }

    /// Gives every position a row of its own.
    #[cfg(test)]
    pub(crate) fn all_distinct(mask: Vec<bool>, n_kinds: usize) -> Self {
        Self { n_kinds, rows: (0..mask.len()).collect(), n_rows: mask.len(), mask, lineages: Vec::new() }
    }

    /// Samples B.
    pub fn n_samples(&self) -> usize {
        self.rows.len() / self.n_kinds
    }

    /// For each sample, where its diagnosis is in the ontology.
    pub fn lineages(&self) -> Cow<'_, [Lineage]> {
        match self.lineages.is_empty() {
            true => vec![Lineage::default(); self.n_samples()].into(),
            false => self.lineages.as_slice().into(),
        }
    }

    pub fn row(&self, sample: usize, kind: usize) -> usize {
        self.rows[sample * self.n_kinds + kind]
    }

    pub fn is_valid(&self, sample: usize, kind: usize) -> bool {
        self.mask[sample * self.n_kinds + kind]
    }

    /// (sample, kind) of every valid caption, or of the original ones only.
    pub fn valid(&self, only_original: bool) -> Vec<(usize, usize)> {
        let positions = (0..self.rows.len()).map(|position| (position / self.n_kinds, position % self.n_kinds));
        positions.filter(|&(sample, kind)| self.is_valid(sample, kind) && (kind == 0 || !only_original)).collect()
    }

    /// How often each row occurs in the batch, with or without the positions whose mask is 0.
    pub fn multiplicities(&self, with_masked: bool) -> Vec<u32> {
        let mut counts = vec![0; self.n_rows];
        for (&row, &is_valid) in self.rows.iter().zip(&self.mask) {
            counts[row] += u32::from(is_valid || with_masked);
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_captions_share_a_row_and_are_counted() {
        let mask = vec![true, true, false, true, false, false];
        let (captions, distinct) = Captions::distinct(&["a", "b", "", "a", "", ""], mask, 3);
        assert_eq!(distinct, ["a", "b", ""]);
        assert_eq!(captions.rows, [0, 1, 2, 0, 2, 2]);
        assert_eq!(captions.multiplicities(true), [2, 1, 3]);
        assert_eq!(captions.multiplicities(false), [2, 1, 0]);
        assert_eq!(captions.valid(false), [(0, 0), (0, 1), (1, 0)]);
        assert_eq!(captions.valid(true), [(0, 0), (1, 0)]);
    }
}
