//! Encoding with a SentencePiece unigram model, as its own library does it
//! (<https://github.com/google/sentencepiece/tree/v0.2.0>).

mod charsmap;
mod model;
mod unigram;

use crate::{Error, Result};
use charsmap::CharsMap;
use model::{ModelProto, NormalizerSpec, PieceProto, PieceType};
use prost::Message;
use std::collections::HashMap;
use unigram::{Piece, Unigram};

/// Replaces a space inside pieces.
pub(super) const SPACE_SYMBOL: &str = "▁";

/// A SentencePiece model.
pub(super) struct SentencePieces {
    unigram: Unigram,
    ids: HashMap<String, u32>,
    unknown: u32,
    /// The pieces of the 256 bytes, in a model that spells unknown characters by them.
    bytes: Option<Vec<u32>>,
    user_defined: Vec<String>,
    normalizer: Normalizer,
}

/// One piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub text: String,
    pub id: u32,
}

struct Normalizer {
    map: CharsMap,
    adds_prefix: bool,
    is_suffix: bool,
    removes_extra_spaces: bool,
    space: &'static str,
}

impl SentencePieces {
    /// Reads `spiece.model`.
    ///
    /// # Errors
    /// [`Error::Vocabulary`] for what is no SentencePiece model, or one that is not a unigram model.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let fail = |detail: String| Error::Vocabulary { detail };
        let model = ModelProto::decode(bytes)
            .map_err(|err| fail(format!("the file is not a SentencePiece model: {err}")))?;
        let trainer = model.trainer_spec.unwrap_or_default();
        if trainer.model_type() != 1 {
            let kinds = ["a byte-pair", "a word", "a character"];
            let kind = kinds.get(trainer.model_type().wrapping_sub(2) as usize).copied().unwrap_or("another");
            return Err(fail(format!("expected a unigram SentencePiece model, found {kind} model")));
        }
        let pieces = model.pieces;
        let ids: HashMap<String, u32> = pieces.iter().map(|piece| piece.piece().to_owned()).zip(0..).collect();
        let Some(unknown) = pieces.iter().position(|piece| piece.kind() == PieceType::Unknown) else {
            return Err(fail("the SentencePiece model has no piece for unknown characters".into()));
        };
        let of_kind = |kind: PieceType| pieces.iter().filter(move |piece| piece.kind() == kind);
        if let Some(piece) = pieces.iter().find(|piece| !piece.score().is_finite()) {
            return Err(fail(format!("the SentencePiece model scores {:?} {}", piece.piece(), piece.score())));
        }
        let normal_scores = of_kind(PieceType::Normal).map(PieceProto::score);
        let bytes = match trainer.byte_fallback() {
            false => None,
            true => Some(byte_pieces(&ids).ok_or_else(|| fail("the SentencePiece model lacks a byte".into()))?),
        };
        Ok(Self {
            unigram: Unigram::new(encodable(&pieces), normal_scores),
            unknown: unknown as u32,
            bytes,
            user_defined: of_kind(PieceType::UserDefined).map(|piece| piece.piece().to_owned()).collect(),
            normalizer: Normalizer::new(
                &model.normalizer_spec.unwrap_or_default(),
                trainer.treat_whitespace_as_suffix(),
            )?,
            ids,
        })
    }

    /// Number of pieces.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// The id of a piece.
    pub(super) fn id(&self, piece: &str) -> Option<u32> {
        self.ids.get(piece).copied()
    }

    /// The pieces of a text. Unknown characters keep their text and have the id of the unknown piece.
    pub(super) fn encode(&self, text: &str) -> Vec<Token> {
        let normalized = self.normalizer.normalize(text, &self.user_defined);
        let mut tokens = Vec::new();
        for (text, id) in self.unigram.encode(&normalized) {
            match (id, &self.bytes) {
                (None, Some(bytes)) => tokens.extend(
                    text.bytes().map(|byte| Token { text: byte_piece(byte), id: bytes[usize::from(byte)] }),
                ),
                _ => tokens
                    .push(Token { id: id.or_else(|| self.id(text)).unwrap_or(self.unknown), text: text.into() }),
            }
        }
        tokens
    }
}

impl Normalizer {
    fn new(spec: &NormalizerSpec, is_suffix: bool) -> Result<Self> {
        Ok(Self {
            map: CharsMap::new(spec.precompiled_charsmap())?,
            adds_prefix: spec.add_dummy_prefix(),
            is_suffix,
            removes_extra_spaces: spec.remove_extra_whitespaces(),
            space: if spec.escape_whitespaces() { SPACE_SYMBOL } else { " " },
        })
    }

    /// Replaces characters by the model's map and spaces by their symbol; `kept` are texts that stay as they are.
    fn normalize(&self, text: &str, kept: &[String]) -> String {
        let mut rest = text;
        if self.removes_extra_spaces {
            while !rest.is_empty() {
                match self.replace_prefix(rest, kept) {
                    (" ", len) => rest = &rest[len..],
                    _ => break,
                }
            }
        }
        if rest.is_empty() {
            return String::new();
        }
        let mut normalized = String::with_capacity(2 * text.len());
        if self.adds_prefix && !self.is_suffix {
            normalized.push_str(self.space);
        }
        let mut is_behind_space = self.removes_extra_spaces;
        while !rest.is_empty() {
            let (mut replaced, len) = self.replace_prefix(rest, kept);
            rest = &rest[len..];
            if is_behind_space {
                replaced = replaced.trim_start_matches(' ');
            }
            if !replaced.is_empty() {
                normalized.push_str(&replaced.replace(' ', self.space));
                is_behind_space = self.removes_extra_spaces && replaced.ends_with(' ');
            }
        }
        if self.removes_extra_spaces {
            normalized.truncate(normalized.trim_end_matches(self.space).len());
        }
        if self.adds_prefix && self.is_suffix {
            normalized.push_str(self.space);
        }
        normalized
    }

    fn replace_prefix<'a>(&'a self, text: &'a str, kept: &[String]) -> (&'a str, usize) {
        let longest = kept.iter().filter(|kept| text.starts_with(kept.as_str())).map(String::len).max();
        match longest {
            Some(len) if len > 0 => (&text[..len], len),
            _ => self.map.replace_prefix(text),
        }
    }
}

/// The pieces that a text can be cut into.
fn encodable(pieces: &[PieceProto]) -> Vec<Piece> {
    let is_encodable = |kind| matches!(kind, PieceType::Normal | PieceType::UserDefined);
    let numbered =
        pieces.iter().zip(0..).filter(|(piece, _)| is_encodable(piece.kind()) && !piece.piece().is_empty());
    numbered
        .map(|(piece, id)| Piece {
            text: piece.piece().into(),
            id,
            score: piece.score(),
            is_user_defined: piece.kind() == PieceType::UserDefined,
        })
        .collect()
}

fn byte_pieces(ids: &HashMap<String, u32>) -> Option<Vec<u32>> {
    (0..=255).map(|byte| ids.get(&byte_piece(byte)).copied()).collect()
}

fn byte_piece(byte: u8) -> String {
    format!("<0x{byte:02X}>")
}
