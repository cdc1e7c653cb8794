//! What the photos of the table are compared with.

use super::row::Feature;

/// What the photos are compared with.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::state) enum Query {
    /// Words of the visitor's own, and their feature once it is computed.
    Words { text: String, feature: Option<Feature> },
    /// The photo with this index.
    Photo(usize),
}
