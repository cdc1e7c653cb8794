//! What a language model was asked.

use serde::Serialize;

/// What a run asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LlmCounts {
    /// Requests that were answered.
    pub n_requests: u64,
    /// Answers from the file.
    pub n_kept: u64,
    /// Answers with refused terms.
    pub n_refused_answers: u64,
    /// Terms without evidence in the caption, or negated there.
    pub n_refused_terms: u64,
    /// Answers that are not of the form.
    pub n_broken_answers: u64,
    /// Captions that the lexicon read: two answers had refused terms, or one could not be used at all.
    pub n_by_lexicon: u64,
}
