//! What the worker does for the table, and what it answers.

use shared_model::zero_shot::Answer as Ranking;

/// What the worker does with the photo with this index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::state) enum Work {
    /// It answers it. `keeps` is whether it keeps the feature, too.
    Answer { index: usize, keeps: bool },
    /// It keeps the feature that was computed before.
    Keep { index: usize },
}

impl Work {
    pub(in crate::state) fn index(self) -> usize {
        match self {
            Self::Answer { index, .. } | Self::Keep { index } => index,
        }
    }
}

/// The worker's answer to a photo of the table.
pub(in crate::state) struct BatchAnswer {
    pub(in crate::state) ranking: Ranking,
    pub(in crate::state) feature: Option<Vec<f32>>,
    /// Whether the feature was kept on the device before.
    pub(in crate::state) was_kept: bool,
}
