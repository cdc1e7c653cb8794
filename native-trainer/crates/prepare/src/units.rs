//! A caption in parts that fit the text tower: its sentences, at most eight.
//!
//! A sentence that is too long is cut at its clauses, then at its commas, then between words. If there are more parts
//! than a table has columns, short neighbors are joined. Nothing is lost unless a caption has more than eight times
//! the tower's context.

use crate::sentences;
use shared_model::tokenizer::Tokenizer;

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
        let parts = split_behind(caption, &sentences::ends(caption));
        let parts: Vec<&str> = parts.into_iter().flat_map(semicolons).filter(|part| has_word(part)).collect();
        let truncated = if self.fits(caption) { caption.trim().to_owned() } else { self.first_that_fit(&parts) };
        let pieces: Vec<String> = parts.iter().flat_map(|part| self.pieces(without_period(part))).collect();
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
    fn first_that_fit(&self, parts: &[&str]) -> String {
        let mut kept = String::new();
        for part in parts {
            let longer = if kept.is_empty() { (*part).to_owned() } else { format!("{kept} {part}") };
            if !self.fits(&longer) {
                break;
            }
            kept = longer;
        }
        if kept.is_empty() {
            kept = parts.first().and_then(|part| self.pieces(part).into_iter().next()).unwrap_or_default();
        }
        kept
    }

    /// A sentence, in pieces that fit.
    fn pieces(&self, sentence: &str) -> Vec<String> {
        if self.fits(sentence) {
            return vec![sentence.to_owned()];
        }
        let cuts: [fn(&str) -> Vec<usize>; 3] = [clause_ends, comma_ends, word_ends];
        let mut pieces = vec![sentence.to_owned()];
        for ends in cuts {
            pieces = pieces.into_iter().flat_map(|piece| self.cut(piece, ends)).collect();
        }
        pieces
    }

    /// Cuts a text that does not fit, into as few pieces as the places allow.
    fn cut(&self, text: String, ends: fn(&str) -> Vec<usize>) -> Vec<String> {
        if self.fits(&text) {
            return vec![text];
        }
        let mut pieces: Vec<String> = Vec::new();
        for part in split_behind(&text, &ends(&text)) {
            let longer = pieces.last().map(|last| format!("{last} {part}"));
            match longer.filter(|longer| self.fits(longer)) {
                Some(longer) => *pieces.last_mut().expect("a longer piece has a last one") = longer,
                None => pieces.push(part.to_owned()),
            }
        }
        pieces
            .iter()
            .map(|piece| piece.trim_matches([' ', ',', ';']).to_owned())
            .filter(|piece| has_word(piece))
            .collect()
    }

    /// Joins neighbors, the shortest first, until there are columns for all.
    fn joined(&self, mut units: Vec<String>) -> Vec<String> {
        let mut blocked: Vec<String> = Vec::new();
        while units.len() > MAX_UNITS {
            let lengths: Vec<usize> = units.windows(2).map(|pair| pair[0].len() + pair[1].len()).collect();
            let joined = |at: usize| format!("{}. {}", units[at], units[at + 1]);
            let mut order: Vec<usize> = (0..lengths.len()).filter(|&at| !blocked.contains(&joined(at))).collect();
            order.sort_by_key(|&at| (lengths[at], at));
            let Some(&at) = order.first() else { break };
            let unit = joined(at);
            if self.fits(&unit) {
                units.splice(at..at + 2, [unit]);
            } else {
                blocked.push(unit);
            }
        }
        units
    }
}

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

fn semicolons(sentence: &str) -> Vec<&str> {
    sentence.split([';', '•']).map(str::trim).filter(|part| !part.is_empty()).collect()
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
    text.match_indices(", ").map(|(at, _)| at + 1).collect()
}

fn word_ends(text: &str) -> Vec<usize> {
    let mut ends: Vec<usize> = text.match_indices(char::is_whitespace).map(|(at, _)| at).collect();
    if ends.is_empty() {
        // A text without spaces, as in Chinese or after a damaged export.
        ends = text.char_indices().map(|(at, _)| at).step_by(20).skip(1).collect();
    }
    ends
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
        let run = "x".repeat(400);
        assert!(budget.split(&run).subcaptions.iter().all(|unit| budget.n_tokens(unit) <= 18));
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
