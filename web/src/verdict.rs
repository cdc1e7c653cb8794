//! What a calibration says of an answer: whether to believe it.

use shared_model::calibration::Certainty;

/// Whether to believe an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The model is not calibrated for these labels.
    NotCalibrated,
    /// The first label is more often right than wrong.
    Likely,
    /// The first label is more often wrong than right.
    Unsure,
    /// None of the labels fits the photo.
    NoneOfThese,
}

impl Verdict {
    pub fn of(certainty: Option<&Certainty>) -> Self {
        match certainty {
            None => Self::NotCalibrated,
            Some(Certainty { none_of_these: true, .. }) => Self::NoneOfThese,
            Some(Certainty { unsure: true, .. }) => Self::Unsure,
            Some(_) => Self::Likely,
        }
    }

    /// The name in files and for tests.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotCalibrated => "not calibrated",
            Self::Likely => "likely",
            Self::Unsure => "unsure",
            Self::NoneOfThese => "none of these",
        }
    }

    /// Whether the first label should not be believed.
    pub fn is_warning(self) -> bool {
        matches!(self, Self::Unsure | Self::NoneOfThese)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_of_these_matters_more_than_an_unsure_label() {
        let certainty = |unsure, none_of_these| {
            let certainty = Certainty { unsure, none_of_these, match_score: 0.0, match_threshold: 0.0 };
            Verdict::of(Some(&certainty))
        };
        assert_eq!(certainty(true, true), Verdict::NoneOfThese);
        assert_eq!((certainty(true, false), certainty(false, false)), (Verdict::Unsure, Verdict::Likely));
        assert!(!Verdict::of(None).is_warning() && certainty(false, true).is_warning());
    }
}
