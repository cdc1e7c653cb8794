//! A caption in parts that fit the text tower: its sentences, at most eight.
//!
//! A sentence that is too long is cut at its clauses, then at its commas, then between words, then within one. If there
//! are more parts than a table has columns, short neighbors are joined. Nothing is lost unless a caption has more than
//! eight times the tower's context.

use crate::sentences;
use shared_model::tokenizer::Tokenizer;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Sub-captions of a row of the published tables.
pub const MAX_UNITS: usize = 8;

/// Counts the tokens of texts.
pub struct TokenBudget {
    tokenizer: Tokenizer,
    /// Most tokens of a text, start and end not counted.
    max_tokens: usize,
}

/// The parts of a caption.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Units {
    /// The caption as far as it fits the tower, cut behind a sentence.
    pub truncated: String,
    /// At most [`MAX_UNITS`] parts.
    pub subcaptions: Vec<String>,
    /// Parts that no column is left for.
    pub n_left_out: usize,
}

impl TokenBudget {
    /// Counts with the tokenizer of the model that will be trained.
    pub fn new(tokenizer: Tokenizer) -> Self {
        let max_tokens = tokenizer.max_tokens();
        Self { tokenizer, max_tokens }
    }

    /// Splits a caption.
    pub fn split(&self, caption: &str) -> Units {
        let mut ends = sentences::ends(caption);
        ends.extend(caption.match_indices([';', '；', '•']).map(|(at, mark)| at + mark.len()));
        ends.sort_unstable();
        let parts = split_behind(caption, &ends).into_iter().map(|part| part.trim_matches(BETWEEN_PARTS));
        let pieces: Vec<String> =
            parts.filter(|part| has_word(part)).flat_map(|part| self.pieces(without_period(part))).collect();
        let truncated = if self.fits(caption) { caption.trim().to_owned() } else { self.start_of(caption, &ends) };
        let mut subcaptions = self.joined(pieces);
        let n_left_out = subcaptions.len().saturating_sub(MAX_UNITS);
        subcaptions.truncate(MAX_UNITS);
        Units { truncated, subcaptions, n_left_out }
    }

    fn n_tokens(&self, text: &str) -> usize {
        // A text that cannot be counted is longer than any that fits.
        self.tokenizer.n_tokens(text).unwrap_or(usize::MAX)
    }

    fn fits(&self, text: &str) -> bool {
        // A token has at least a byte.
        (text.is_ascii() && text.len() <= self.max_tokens) || self.n_tokens(text) <= self.max_tokens
    }

    /// The sentences from the start on that fit together, or what fits of the first.
    fn start_of(&self, caption: &str, ends: &[usize]) -> String {
        let fitting = ends.iter().map(|&end| &caption[..end]).take_while(|start| self.fits(start.trim()));
        match fitting.filter(|start| has_word(start)).last() {
            Some(start) => start.trim().trim_end_matches([';', '；', '•']).trim_end().to_owned(),
            None => self.pieces(caption.trim()).into_iter().next().unwrap_or_default(),
        }
    }

    /// A sentence, in pieces that fit.
    fn pieces(&self, sentence: &str) -> Vec<String> {
        let cuts: [fn(&str) -> Vec<usize>; 4] = [clause_ends, comma_ends, word_ends, char_ends];
        let mut pieces = vec![sentence];
        for ends in cuts {
            pieces = pieces.into_iter().flat_map(|piece| self.cut(piece, ends)).collect();
        }
        let trimmed = pieces.into_iter().map(|piece| piece.trim_matches(BETWEEN_PIECES));
        trimmed.filter(|piece| has_word(piece)).map(str::to_owned).collect()
    }

    /// Cuts a text that does not fit, into as few pieces as the places allow.
    fn cut<'a>(&self, text: &'a str, ends: fn(&str) -> Vec<usize>) -> Vec<&'a str> {
        if self.fits(text) {
            return vec![text];
        }
        let mut pieces = Vec::new();
        let (mut start, mut end) = (0, 0);
        for next in ends(text).into_iter().chain([text.len()]) {
            if end > start && !self.fits(text[start..next].trim_matches(BETWEEN_PIECES)) {
                pieces.push(&text[start..end]);
                start = end;
            }
            end = next;
        }
        pieces.push(&text[start..]);
        pieces
    }

    /// Joins neighbors, the shortest first, until there are columns for all.
    fn joined(&self, mut units: Vec<String>) -> Vec<String> {
        // Each unit's neighbor behind it and before it; a joined unit takes the place of its first.
        let n_units = units.len();
        let mut next: Vec<usize> = (1..=n_units).collect();
        let mut previous: Vec<usize> = (0..n_units).map(|at| at.wrapping_sub(1)).collect();
        let length = |units: &[String], first: usize, second: usize| units[first].len() + units[second].len();
        let pairs = (1..n_units).map(|at| Reverse((length(&units, at - 1, at), at - 1, at)));
        let mut shortest: BinaryHeap<_> = pairs.collect();
        let mut n_left = n_units;
        while let Some(Reverse((joined_length, first, second))) = shortest.pop().filter(|_| n_left > MAX_UNITS) {
            let is_outdated = units[first].is_empty() || next[first] != second;
            if is_outdated || length(&units, first, second) != joined_length {
                continue;
            }
            let unit = format!("{}. {}", units[first], units[second]);
            if !self.fits(&unit) {
                continue;
            }
            (units[first], units[second]) = (unit, String::new());
            next[first] = next[second];
            n_left -= 1;
            if let Some(before) = previous.get_mut(next[first]) {
                *before = first;
                shortest.push(Reverse((length(&units, first, next[first]), first, next[first])));
            }
            if first > 0 {
                let before = previous[first];
                shortest.push(Reverse((length(&units, before, first), before, first)));
            }
        }
        units.retain(|unit| !unit.is_empty());
        units
    }
}

/// What is between two parts of a caption, which belongs to none of them.
const BETWEEN_PARTS: [char; 5] = [' ', '\t', ';', '；', '•'];

/// What is between two pieces of a sentence.
const BETWEEN_PIECES: [char; 6] = [' ', '\t', ',', ';', '，', '、'];

fn split_behind<'a>(text: &'a str, ends: &[usize]) -> Vec<&'a str> {
    let mut start = 0;
    let ends = ends.iter().copied().chain([text.len()]);
    let parts = ends.map(|end| {
        let part = &text[start..end];
        start = end;
        part.trim()
    });
    parts.filter(|part| !part.is_empty()).collect()
}

fn has_word(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// A sub-caption has no period at its end, as in the published tables.
fn without_period(sentence: &str) -> &str {
    sentence.trim_end_matches('.').trim_end()
}

/// Ends of clauses: before a relative pronoun or a conjunction behind a comma, and behind a colon or dash.
fn clause_ends(text: &str) -> Vec<usize> {
    const OPENERS: [&str; 12] = [
        "and ",
        "but ",
        "which ",
        "with ",
        "while ",
        "whereas ",
        "who ",
        "that ",
        "although ",
        "because ",
        "so ",
        "then ",
    ];
    let is_clause = |&(at, mark): &(usize, &str)| match mark {
        "," => OPENERS.iter().any(|opener| text[at + 1..].trim_start().starts_with(opener)),
        _ => text[at + mark.len()..].starts_with(' '),
    };
    text.match_indices([',', ':', '–', '—']).filter(is_clause).map(|(at, mark)| at + mark.len()).collect()
}

fn comma_ends(text: &str) -> Vec<usize> {
    let commas = text.match_indices([',', '，', '、']);
    commas.map(|(at, mark)| at + mark.len()).filter(|&end| mark_ends(text, end)).collect()
}

/// Whether a comma that ends here is not one of a number.
fn mark_ends(text: &str, end: usize) -> bool {
    !text[..end].ends_with(',') || text[end..].starts_with(' ')
}

fn word_ends(text: &str) -> Vec<usize> {
    text.match_indices(char::is_whitespace).map(|(at, _)| at).collect()
}

/// Places within words, for texts without spaces, as in Chinese or after a damaged export.
fn char_ends(text: &str) -> Vec<usize> {
    text.char_indices().skip(1).map(|(at, _)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_model::tokenizer::CLIP_MERGES_GZ;

    fn budget(context_length: usize) -> TokenBudget {
        TokenBudget::new(Tokenizer::from_merges_gz(CLIP_MERGES_GZ, context_length).unwrap())
    }

    #[test]
    fn a_sentence_is_a_sub_caption_without_its_period() {
        let units =
            budget(77).split("Irritant diaper dermatitis. Erythematous patches, 3.5 cm; sparing the folds.");
        let expected = ["Irritant diaper dermatitis", "Erythematous patches, 3.5 cm", "sparing the folds"];
        assert_eq!((units.subcaptions, units.n_left_out), (expected.map(str::to_owned).to_vec(), 0));
        assert!(units.truncated.ends_with("folds."));
        assert_eq!(budget(77).split(" . "), Units { truncated: ".".into(), ..Units::default() });
    }

    #[test]
    fn every_part_fits_and_no_word_is_lost() {
        let budget = budget(20);
        let long = "The lesion, which was first noticed in spring, grew over the summer, and it is now a firm, red, \
                    scaly plaque with crusts on the left forearm of a farmer who works outdoors. It itches. It bleeds.";
        let units = budget.split(long);
        let words = |text: &str| -> Vec<String> {
            text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
        };
        assert_eq!(words(&units.subcaptions.join(" ")), words(long));
        assert!(units.subcaptions.iter().all(|unit| budget.n_tokens(unit) <= 18), "{units:?}");
        assert!(budget.n_tokens(&units.truncated) <= 18 && long.starts_with(&units.truncated[..10]));
        for unspaced in ["x".repeat(400), "红斑鳞屑，".repeat(30), format!("红斑 {}", "丘疹".repeat(60))] {
            let units = budget.split(&unspaced);
            assert!(units.subcaptions.iter().all(|unit| budget.n_tokens(unit) <= 18), "{units:?}");
            assert!(units.subcaptions.iter().all(|unit| unspaced.contains(unit.as_str()) || unit.contains(". ")));
            assert!(budget.n_tokens(&units.truncated) <= 18 && unspaced.starts_with(&units.truncated), "{units:?}");
        }
    }

    #[test]
    fn a_caption_of_very_many_sentences_is_split_in_time_that_grows_with_its_length() {
        let n_sentences = 40_000;
        let caption = (0..n_sentences).map(|n| format!("Papule {n}.")).collect::<Vec<_>>().join(" ");
        let units = budget(77).split(&caption);
        assert_eq!(units.subcaptions.len(), MAX_UNITS);
        assert!(units.n_left_out > 1000 && units.n_left_out < n_sentences / 4, "{}", units.n_left_out);
    }

    #[test]
    fn what_is_cut_is_cut_behind_a_sentence() {
        let units = budget(12).split("A red papule. A scaly plaque on the arm. A crust.");
        assert_eq!(units.truncated, "A red papule.");
    }

    #[test]
    fn many_short_sentences_are_joined_to_eight() {
        let caption = (1..=12).map(|n| format!("Papule number {n} here.")).collect::<Vec<_>>().join(" ");
        let units = budget(77).split(&caption);
        assert_eq!((units.subcaptions.len(), units.n_left_out), (8, 0));
        for n in 1..=12 {
            assert!(units.subcaptions.iter().any(|unit| unit.contains(&format!("number {n} here"))), "{n}");
        }
        let units = budget(9).split(&caption);
        assert_eq!((units.subcaptions.len(), units.n_left_out), (8, 4));
    }
}
