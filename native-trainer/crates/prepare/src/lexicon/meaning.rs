//! What a term means, and how it must be written.

use super::cues::Cue;

/// Meaning of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Index into [`Lexicon::conditions`](super::Lexicon::conditions).
    Condition(usize),
    /// Index into [`Lexicon::concepts`](super::Lexicon::concepts).
    Concept(usize),
    Cue(Cue),
}

/// A condition and its place in the ontology.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    pub name: String,
    /// From the most general group to the condition itself.
    pub path: Vec<String>,
    /// Whether its name is also that of a finding ("ulcer"), so that its mention alone is no diagnosis.
    pub is_finding: bool,
}

/// How a term must be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    AnyCase,
    /// In capitals, as "BCC".
    Capitals,
}
