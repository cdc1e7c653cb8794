//! The lexicon and a language model on the same labeled captions, as a table.

use super::{ASPECTS, Labeled, Scores, percent, share};
use crate::extraction::{Extraction, Reader};
use crate::lexicon::Lexicon;
use crate::lexicon_reader;
use crate::llm::{LlmCounts, LlmReading, unchecked};

/// Returns a table in Markdown. Its rows are the lexicon and, with the `readings` of a model, one for each of the `labeled`
/// captions:
///
/// - the model's first answers, unchecked; one that cannot be used has no names
/// - the captions alone of which an answer passed the check
/// - what `dermake prepare` writes: the lexicon reads the other captions
pub fn table(lexicon: &Lexicon, labeled: &[Labeled], readings: &[LlmReading]) -> String {
    let of_lexicon = |labeled: &Labeled| lexicon_reader::read(lexicon, &labeled.caption);
    let mut rows = vec![("lexicon", scores(labeled.iter().map(|labeled| (labeled, of_lexicon(labeled)))))];
    if !readings.is_empty() {
        let pairs = || labeled.iter().zip(readings);
        let first = |reading: &LlmReading| {
            reading.first_answer.as_ref().map_or_else(Extraction::default, |answer| unchecked(lexicon, answer))
        };
        let has_passed = |(_, reading): &(&Labeled, &LlmReading)| reading.extraction.by == Reader::Llm;
        let written = |(labeled, reading): (_, &LlmReading)| (labeled, reading.extraction.clone());
        rows.push(("model, unchecked", scores(pairs().map(|(labeled, reading)| (labeled, first(reading))))));
        rows.push(("model, passed", scores(pairs().filter(has_passed).map(written))));
        rows.push(("model, else lexicon", scores(pairs().map(written))));
    }
    let headings: String = ASPECTS.map(|aspect| format!(" {aspect}, precision | recall |")).concat();
    let mut text = format!("| read by | captions |{headings}\n|---|---|{}\n", "---|".repeat(2 * ASPECTS.len()));
    for (name, scores) in rows {
        text += &format!("| {name} | {} |", scores.n_captions);
        for counts in scores.counts {
            text += &format!(" {} | {} |", percent(counts.precision()), percent(counts.recall()));
        }
        text.push('\n');
    }
    text
}

fn scores<'a>(read: impl Iterator<Item = (&'a Labeled, Extraction)>) -> Scores {
    let mut scores = Scores::default();
    for (labeled, found) in read {
        scores.add(&found, labeled);
    }
    scores
}

/// Says how many answers to `n_captions` captions the check refused.
pub fn answers_in_words(counts: &LlmCounts, n_captions: usize) -> String {
    let LlmCounts { n_requests, n_kept, n_refused_answers, n_refused_terms, n_broken_answers, n_by_lexicon } =
        *counts;
    let n_answers = n_requests + n_kept;
    let of = |n: u64, all: usize| percent(share(n as usize, all));
    format!(
        "{n_answers} answers to {n_captions} captions, {n_kept} of them from the file: {} have terms that were refused \
         ({n_refused_terms} terms); broken or missing: {n_broken_answers}; the lexicon read \
         {n_by_lexicon} captions ({})\n",
        of(n_refused_answers, n_answers as usize),
        of(n_by_lexicon, n_captions),
    )
}
