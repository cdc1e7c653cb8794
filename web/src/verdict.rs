//! What a calibration says of an answer, in words: whether to believe it.

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

    /// The name in tables and for tests.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotCalibrated => "not calibrated",
            Self::Likely => "likely",
            Self::Unsure => "unsure",
            Self::NoneOfThese => "none of these",
        }
    }

    /// A warning beside a label, where there is room for few words.
    pub fn remark(self) -> Option<&'static str> {
        self.is_warning().then(|| self.name())
    }

    /// Whether the first label should not be believed.
    pub fn is_warning(self) -> bool {
        matches!(self, Self::Unsure | Self::NoneOfThese)
    }

    pub fn sentence(self) -> &'static str {
        match self {
            Self::NotCalibrated => {
                "This model is not calibrated for these labels: the percentages only compare them with one another, and \
                 do not say how often they are right."
            }
            Self::Likely => {
                "The percentages are calibrated: on photos like those that the model was measured with, answers at 80 % \
                 are right about 80 times in 100. They compare only these labels with one another."
            }
            Self::Unsure => "Unsure: at this percentage, the first label is more often wrong than right.",
            Self::NoneOfThese => {
                "None of these: no label of the list fits this photo well. The order only says which fits least badly."
            }
        }
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
        assert_eq!(Verdict::of(None).remark(), None);
        assert_eq!(certainty(false, true).remark(), Some("none of these"));
    }
}
