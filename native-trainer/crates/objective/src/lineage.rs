//! Places in an ontology, and how similar two of them are.

use std::sync::Arc;

/// The path of a diagnosis through an ontology: its nodes from the most general group to the diagnosis itself. Empty
/// where the diagnosis or its place is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lineage(Arc<[u32]>);

impl Lineage {
    /// `nodes` are numbers of nodes; equal numbers are one node.
    pub fn new(nodes: &[u32]) -> Self {
        Self(nodes.into())
    }

    pub fn is_known(&self) -> bool {
        !self.0.is_empty()
    }

    /// Similarity of Wu and Palmer (ACL 1994): twice the depth of the deepest node that both paths have, divided by the
    /// sum of their own depths, where the most general groups have depth 1.
    ///
    /// 1 for the same place, 0 for places in two groups and where one is unknown. The values of the matrix that O-MAKE
    /// publishes (`ontology_distance.npy`) are of this form.
    pub fn similarity(&self, other: &Self) -> f64 {
        let n_shared = self.0.iter().zip(other.0.iter()).take_while(|(a, b)| a == b).count();
        match self.0.len() + other.0.len() {
            0 => 0.0,
            depths => (2 * n_shared) as f64 / depths as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similarity_is_the_shared_part_of_two_paths() {
        let of = |nodes: &[u32]| Lineage::new(nodes);
        let wart = of(&[0, 1, 2]);
        assert!(wart.is_known() && !of(&[]).is_known());
        for (other, expected) in [
            (of(&[0, 1, 2]), 1.0),
            (of(&[0, 1, 3]), 2.0 / 3.0),
            (of(&[0, 1]), 0.8),
            (of(&[0, 4]), 0.4),
            (of(&[5, 1, 2]), 0.0),
            (of(&[]), 0.0),
        ] {
            assert!((wart.similarity(&other) - expected).abs() < 1e-12, "{other:?}");
            assert_eq!(wart.similarity(&other), other.similarity(&wart));
        }
        assert_eq!(of(&[]).similarity(&of(&[])), 0.0);
    }
}
