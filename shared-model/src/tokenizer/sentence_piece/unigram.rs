//! The likeliest way to cut a text into pieces of a unigram model.
//!
//! Scores are summed in single precision, as SentencePiece does, so that near scores are decided as there. The sums of
//! `tokenizers` are in double precision: one in a hundred texts with long repetitions is then cut elsewhere.

use std::ops::Range;

/// How much less likely an unknown character is than the least likely piece.
const UNKNOWN_PENALTY: f32 = 10.0;

/// A piece that a text can be cut into.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub text: String,
    pub id: u32,
    pub score: f32,
    /// Whether its score is replaced by nearly the best one (`USER_DEFINED`).
    pub is_user_defined: bool,
}

/// The pieces of a unigram model in the order of their bytes.
pub(super) struct Unigram {
    pieces: Vec<Piece>,
    unknown_score: f32,
    max_score: f32,
}

/// The best way to one position of a text.
#[derive(Clone, Copy)]
struct Node {
    /// Where its last piece starts, and that piece's id; none for an unknown character.
    last: Option<(usize, Option<u32>)>,
    score: f32,
}

impl Unigram {
    /// Builds the model of `pieces`; `normal_scores` are those that the score of unknown characters depends on.
    pub(super) fn new(mut pieces: Vec<Piece>, normal_scores: impl Iterator<Item = f32>) -> Self {
        pieces.sort_by(|a, b| a.text.cmp(&b.text));
        // The reference starts the maximum at the least positive number.
        let (min, max) =
            normal_scores.fold((f32::MAX, f32::MIN_POSITIVE), |(min, max), score| (min.min(score), max.max(score)));
        Self { pieces, unknown_score: min - UNKNOWN_PENALTY, max_score: max }
    }

    /// The pieces of `text`, each with its id; `None` is a run of characters that no piece covers.
    pub(super) fn encode<'a>(&self, text: &'a str) -> Vec<(&'a str, Option<u32>)> {
        let best = self.best_paths(text);
        let mut cuts: Vec<(Range<usize>, Option<u32>)> = Vec::new();
        let mut end = text.len();
        while let Some((start, id)) = best[end].last {
            match cuts.last_mut() {
                // Unknown characters in a row are one token.
                Some((span, None)) if id.is_none() => span.start = start,
                _ => cuts.push((start..end, id)),
            }
            end = start;
        }
        cuts.into_iter().rev().map(|(span, id)| (&text[span], id)).collect()
    }

    fn best_paths(&self, text: &str) -> Vec<Node> {
        let mut best = vec![Node { last: None, score: 0.0 }; text.len() + 1];
        for (start, character) in text.char_indices() {
            let so_far = best[start].score;
            let mut has_single = false;
            for (piece, len) in self.prefixes(&text.as_bytes()[start..]) {
                let piece = &self.pieces[piece];
                let score = match piece.is_user_defined {
                    true => len as f32 * self.max_score - 0.1,
                    false => piece.score,
                };
                let node = &mut best[start + len];
                let candidate = score + so_far;
                if node.last.is_none() || candidate > node.score {
                    *node = Node { last: Some((start, Some(piece.id))), score: candidate };
                }
                has_single |= len == character.len_utf8();
            }
            if !has_single {
                let node = &mut best[start + character.len_utf8()];
                let candidate = self.unknown_score + so_far;
                if node.last.is_none() || candidate > node.score {
                    *node = Node { last: Some((start, None)), score: candidate };
                }
            }
        }
        best
    }

    /// Index and length of every piece that `text` starts with, the shortest first.
    fn prefixes(&self, text: &[u8]) -> impl Iterator<Item = (usize, usize)> {
        let mut candidates = 0..self.pieces.len();
        text.iter()
            .enumerate()
            .map_while(move |(depth, &byte)| {
                let pieces = &self.pieces[candidates.clone()];
                let at = |piece: &Piece| piece.text.as_bytes().get(depth).copied();
                let first = candidates.start + pieces.partition_point(|piece| at(piece) < Some(byte));
                let end = candidates.start + pieces.partition_point(|piece| at(piece) <= Some(byte));
                candidates = first..end;
                let shortest = self.pieces[candidates.clone()].first()?;
                // Pieces that end here come before those that go on.
                Some((shortest.text.len() == depth + 1).then_some((first, depth + 1)))
            })
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(pieces: &[(&str, f32)]) -> Unigram {
        let pieces: Vec<_> = pieces
            .iter()
            .zip(0..)
            .map(|(&(text, score), id)| Piece { text: text.into(), id, score, is_user_defined: text == "xy" })
            .collect();
        let scores: Vec<f32> = pieces.iter().map(|piece| piece.score).collect();
        Unigram::new(pieces, scores.into_iter())
    }

    #[test]
    fn the_likeliest_cut_wins() {
        let model = model(&[("a", -2.0), ("ab", -3.5), ("b", -2.0), ("abc", -9.0), ("é", -1.0)]);
        assert_eq!(model.encode("abé"), [("ab", Some(1)), ("é", Some(4))]);
        assert_eq!(model.encode("abc"), [("abc", Some(3))]);
        assert_eq!(model.encode(""), []);
    }

    #[test]
    fn unknown_characters_in_a_row_are_one_token() {
        let model = model(&[("a", -2.0)]);
        assert_eq!(model.encode("☃üaü"), [("☃ü", None), ("a", Some(0)), ("ü", None)]);
    }

    #[test]
    fn the_score_of_a_user_defined_piece_does_not_count() {
        let model = model(&[("xyz", -60.0), ("xy", -100.0), ("z", -50.0)]);
        assert_eq!(model.encode("xyz"), [("xy", Some(1)), ("z", Some(2))]);
    }
}
