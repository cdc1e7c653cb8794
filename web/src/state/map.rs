//! Where the current photo is like a text: a label, or words of the visitor's own.

use shared_model::SimilarityMap;

/// A map, and the text that it is of.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownMap {
    pub text: String,
    pub map: SimilarityMap,
}
