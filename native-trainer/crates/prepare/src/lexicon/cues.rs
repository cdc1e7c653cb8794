//! The words around a term that say how it is meant.

use serde::Deserialize;

/// What a cue does to the terms it reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cue {
    /// "no", "without": the terms after it are absent.
    NegateBefore,
    /// "… is absent", "… was ruled out".
    NegateAfter,
    /// "non-": the next word alone.
    NegateNext,
    /// "not itchy": negates only terms in a list with it.
    NegateList,
    /// Looks like another cue and is none: "not only".
    Pseudo,
    /// "possible", "suspicious for": the diagnosis is not certain.
    DoubtBefore,
    /// "… cannot be excluded".
    DoubtAfter,
    /// "psoriasis-like": the word just before it.
    DoubtAfterNext,
    /// "differential diagnosis": to the end of the sentence.
    DoubtSentence,
    /// "history of", "mistaken for": a condition that is not the picture's.
    ElsewhereBefore,
    /// "associated with", "patient with": a condition that is the picture's only if no other is named.
    ContextBefore,
    /// "diagnosed as", "confirmed": the diagnosis.
    DiagnosisBefore,
    /// "… was confirmed".
    DiagnosisAfter,
    /// "but", "however", "with": no cue reaches across it.
    Break,
    /// Words that mean something else: "white arrow", "scale bar".
    Ignored,
}
