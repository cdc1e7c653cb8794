//! Whether the features of the table's photos are kept on the device, and how much is kept.

use crate::worker::protocol::FeatureKeeping;

/// The visitor's choice, and what the worker has said.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct KeptFeatures {
    pub(super) is_on: bool,
    /// Whether it was on in this visit or an earlier one, so that there may be something to delete.
    pub(super) may_exist: bool,
    pub(super) keeping: Option<FeatureKeeping>,
}
