//! Which tokenizer a checkpoint needs, by the files that are beside it.

use super::bert::BertEncoder;
use super::byte_pairs::{BytePairs, check_merges};
use super::clip::ClipEncoder;
use super::definition::{Definition, vocab};
use super::open_clip::pair_of_symbols;
use super::sentence_piece::SentencePieces;
use super::settings::{Settings, json_object, refused};
use super::siglip::SiglipEncoder;
use super::special::SpecialTokens;
use super::{Encoder, Frame, Tokenizer, check_context_length};
use crate::config::TokenizerConfig;
use crate::text_file;
use crate::{Error, Result};
use bytes::Bytes;
use serde_json::Value;
use std::collections::BTreeMap;
use tokenizers::models::bpe::Vocab;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;

/// Compressed by gzip. It is not called `.gz`: some hosts send such a file as a compressed one, which browsers unpack.
const MERGES_GZ: &str = "clip_merges.bin";
const SETTINGS: &str = "tokenizer_config.json";
const SPECIAL_TOKENS: &str = "special_tokens_map.json";
const DEFINITION: &str = "tokenizer.json";
const WORD_PIECES: &str = "vocab.txt";
const BYTE_PAIRS: &str = "vocab.json";
const MERGES: &str = "merges.txt";
const SENTENCE_PIECES: &str = "spiece.model";

/// The kinds of tokenizers of transformers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Clip,
    Bert,
    Siglip,
}

/// The files of one tokenizer.
struct Files<'a> {
    files: &'a BTreeMap<String, Bytes>,
    settings: Settings,
    definition: Option<Definition>,
}

/// An encoder, and what its files say of the ids around a text.
struct Built {
    encoder: Encoder,
    start: Option<u32>,
    end: u32,
    pad: u32,
    vocab_size: usize,
}

impl Tokenizer {
    /// The name of the file that [`from_merges_gz`](Self::from_merges_gz) reads, beside a quantized model.
    pub const MERGES_FILE: &'static str = MERGES_GZ;

    /// The names of the files that a tokenizer of transformers may come in; no tokenizer needs all of them.
    pub const FILE_NAMES: [&'static str; 7] =
        [SETTINGS, SPECIAL_TOKENS, DEFINITION, WORD_PIECES, BYTE_PAIRS, MERGES, SENTENCE_PIECES];

    /// Those of [`FILE_NAMES`](Self::FILE_NAMES) that have a vocabulary, one of which every tokenizer needs.
    pub const VOCABULARIES: [&'static str; 4] = [DEFINITION, WORD_PIECES, BYTE_PAIRS, SENTENCE_PIECES];

    /// Builds the tokenizer that `config` asks for from its files, by their names.
    ///
    /// # Errors
    /// [`Error::Vocabulary`] naming the file that is missing or damaged, or what in it is not honored.
    pub fn from_files(
        files: &BTreeMap<String, Bytes>,
        config: &TokenizerConfig,
        context_length: usize,
    ) -> Result<Self> {
        let TokenizerConfig::Files { cleaning, strips_separator, .. } = *config else {
            // Old folders may call it otherwise.
            let only = files.values().next().filter(|_| files.len() == 1);
            let merges = files.get(MERGES_GZ).or(only).ok_or_else(|| missing(MERGES_GZ))?;
            return Self::from_merges_gz(merges, context_length);
        };
        check_context_length(context_length)?;
        let files = Files::new(files)?;
        let kind = files.kind()?;
        let Built { encoder, start, end, pad, vocab_size } = match kind {
            Kind::Clip => files.clip()?,
            Kind::Bert => files.bert()?,
            Kind::Siglip => files.siglip()?,
        };
        let stripped = (strips_separator && kind == Kind::Bert).then_some(end);
        let frame = Frame { start, end, pad, keeps_own_end: kind == Kind::Siglip, stripped };
        Ok(Self { encoder, frame, cleaning, context_length, vocab_size })
    }
}

impl<'a> Files<'a> {
    fn new(files: &'a BTreeMap<String, Bytes>) -> Result<Self> {
        let read = |name: &str| files.get(name).map(|bytes| &bytes[..]);
        Ok(Self {
            files,
            settings: Settings::new(read(SETTINGS), read(SPECIAL_TOKENS))?,
            definition: read(DEFINITION).map(Definition::new).transpose()?,
        })
    }

    fn kind(&self) -> Result<Kind> {
        let has = |name| self.files.contains_key(name);
        match self.settings.class() {
            Some("CLIPTokenizer") => return Ok(Kind::Clip),
            Some("BertTokenizer") => return Ok(Kind::Bert),
            Some("SiglipTokenizer") => return Ok(Kind::Siglip),
            None | Some("PreTrainedTokenizer" | "TokenizersBackend") => {}
            Some(other) => {
                let expected = "CLIPTokenizer, BertTokenizer or SiglipTokenizer";
                return Err(refused(SETTINGS, "tokenizer_class", expected, other));
            }
        }
        match self.definition.as_ref().map(Definition::model_type) {
            Some(Some("WordPiece")) => Ok(Kind::Bert),
            Some(Some("BPE")) => Ok(Kind::Clip),
            _ if has(SENTENCE_PIECES) => Ok(Kind::Siglip),
            Some(other) => Err(refused(DEFINITION, "model.type", "BPE or WordPiece", other.unwrap_or("none"))),
            None if has(WORD_PIECES) => Ok(Kind::Bert),
            None if has(BYTE_PAIRS) && has(MERGES) => Ok(Kind::Clip),
            None => {
                let expected = "tokenizer.json, vocab.txt, vocab.json with merges.txt, or spiece.model";
                Err(Error::Vocabulary { detail: format!("the model has no tokenizer: expected {expected}") })
            }
        }
    }

    fn bytes(&self, name: &str) -> Result<&[u8]> {
        self.files.get(name).map(|bytes| &bytes[..]).ok_or_else(|| missing(name))
    }

    fn text(&self, name: &str) -> Result<&str> {
        let decoded = text_file::decode(self.bytes(name)?);
        decoded.map_err(|err| Error::Vocabulary { detail: format!("{name}: {err}") })
    }

    fn clip(&self) -> Result<Built> {
        let (vocab, merges): (Vocab, Vec<(String, String)>) = match &self.definition {
            Some(definition) => {
                definition.check_is_clip()?;
                let merges = definition.model("merges").and_then(Value::as_array);
                let merges = merges.map(|merges| merges.iter().map(merge).collect::<Option<_>>());
                let fail = || refused(DEFINITION, "model.merges", "pairs of symbols", "others");
                (definition.vocab()?.collect(), merges.flatten().ok_or_else(fail)?)
            }
            None => {
                let object = Value::Object(json_object(self.bytes(BYTE_PAIRS)?, BYTE_PAIRS)?);
                (vocab(Some(&object), BYTE_PAIRS)?.collect(), merges_of_lines(self.text(MERGES)?)?)
            }
        };
        let unknown = self.settings.token("unk_token").unwrap_or("<|endoftext|>");
        let names = [
            ("bos_token", "<|startoftext|>"),
            ("eos_token", "<|endoftext|>"),
            ("pad_token", "<|endoftext|>"),
            ("unk_token", "<|endoftext|>"),
        ];
        let special = self.special_tokens(&names, |token| vocab.get(token).copied())?;
        if self.definition.is_none() {
            check_merges(&vocab, &merges, &special)?;
        }
        let ids = self.named_ids(&names[..3], &special, |token| vocab.get(token).copied())?;
        let vocab_size = vocab_size(vocab.values().copied(), &special);
        let unknown = vocab.contains_key(unknown).then_some(unknown);
        let encoder = Encoder::Clip(ClipEncoder::new(BytePairs::new(vocab.clone(), merges, unknown)?, special));
        let (start, end) = self.ends()?.unwrap_or((ids[0], ids[1]));
        Ok(Built { encoder, start: Some(start), end, pad: ids[2], vocab_size })
    }

    fn bert(&self) -> Result<Built> {
        let mut builder = WordPiece::builder();
        let vocab: Vocab = match &self.definition {
            Some(definition) => {
                definition.check_is_bert()?;
                if let Some(prefix) = definition.model("continuing_subword_prefix").and_then(Value::as_str) {
                    builder = builder.continuing_subword_prefix(prefix.into());
                }
                if let Some(length) = definition.model("max_input_chars_per_word").and_then(Value::as_u64) {
                    builder = builder.max_input_chars_per_word(length.try_into().unwrap_or(usize::MAX));
                }
                definition.vocab()?.collect()
            }
            None => self.text(WORD_PIECES)?.lines().map(|line| line.trim_end().to_owned()).zip(0..).collect(),
        };
        let names = [
            ("cls_token", "[CLS]"),
            ("sep_token", "[SEP]"),
            ("pad_token", "[PAD]"),
            ("unk_token", "[UNK]"),
            ("mask_token", "[MASK]"),
        ];
        let special = self.special_tokens(&names, |token| vocab.get(token).copied())?;
        let ids = self.named_ids(&names[..3], &special, |token| vocab.get(token).copied())?;
        let vocab_size = vocab_size(vocab.values().copied(), &special);
        let model_unknown = self.definition.as_ref().and_then(|definition| definition.model("unk_token")?.as_str());
        let unknown = self.settings.token("unk_token").or(model_unknown).unwrap_or("[UNK]");
        let word_pieces = builder.vocab(vocab).unk_token(unknown.into()).build();
        let word_pieces = word_pieces.map_err(|err| Error::Vocabulary { detail: err.to_string() })?;
        let encoder = Encoder::Bert(BertEncoder::new(self.bert_normalizer()?, word_pieces, special)?);
        let (start, end) = self.ends()?.unwrap_or((ids[0], ids[1]));
        Ok(Built { encoder, start: Some(start), end, pad: ids[2], vocab_size })
    }

    /// What the settings say, else the definition, else what an uncased BERT does.
    fn bert_normalizer(&self) -> Result<BertNormalizer> {
        let normalizer = self.definition.as_ref().and_then(Definition::normalizer);
        let switch = |setting: &str, field: &str| -> Result<Option<bool>> {
            let defined = || normalizer.and_then(|normalizer| normalizer.get(field)?.as_bool());
            Ok(self.settings.switch(setting)?.or_else(defined))
        };
        Ok(BertNormalizer::new(
            switch("clean_text", "clean_text")?.unwrap_or(true),
            switch("tokenize_chinese_chars", "handle_chinese_chars")?.unwrap_or(true),
            switch("strip_accents", "strip_accents")?,
            switch("do_lower_case", "lowercase")?.unwrap_or(true),
        ))
    }

    fn siglip(&self) -> Result<Built> {
        let pieces = SentencePieces::from_bytes(self.bytes(SENTENCE_PIECES)?)?;
        let names = [("eos_token", "</s>"), ("pad_token", "</s>"), ("unk_token", "<unk>")];
        let special = self.special_tokens(&names, |token| pieces.id(token))?;
        let ids = self.named_ids(&names, &special, |token| pieces.id(token))?;
        let is_lower_case = self.settings.switch("do_lower_case")?.unwrap_or(true);
        let prefix = self.settings.token("unk_token").unwrap_or("<unk>");
        let vocab_size = pieces.len().max(vocab_size(std::iter::empty(), &special));
        let encoder = Encoder::Siglip(SiglipEncoder::new(pieces, special, prefix, is_lower_case));
        Ok(Built { encoder, start: None, end: ids[0], pad: ids[1], vocab_size })
    }

    fn special_tokens(&self, names: &[(&str, &str)], id_of: impl Fn(&str) -> Option<u32>) -> Result<SpecialTokens> {
        let mut special = match &self.definition {
            Some(definition) => definition.special_tokens()?,
            None => SpecialTokens::default(),
        };
        self.settings.add_tokens(&mut special, names, id_of)?;
        Ok(special)
    }

    /// The ids of tokens that a text cannot be encoded without.
    fn named_ids(
        &self,
        names: &[(&str, &str)],
        special: &SpecialTokens,
        id_of: impl Fn(&str) -> Option<u32>,
    ) -> Result<Vec<u32>> {
        let id = |&(name, default): &(&str, &str)| {
            let token = self.settings.token(name).unwrap_or(default);
            special.id(token).or_else(|| id_of(token)).ok_or_else(|| Error::Vocabulary {
                detail: format!("the vocabulary does not have {token}, the {name}"),
            })
        };
        names.iter().map(id).collect()
    }

    fn ends(&self) -> Result<Option<(u32, u32)>> {
        self.definition.as_ref().map_or(Ok(None), Definition::ends)
    }
}

fn missing(name: &str) -> Error {
    Error::Vocabulary { detail: format!("the tokenizer's file {name} is missing") }
}

fn vocab_size(ids: impl Iterator<Item = u32>, special: &SpecialTokens) -> usize {
    ids.chain(special.max_id()).max().map_or(0, |id| (id as usize).saturating_add(1))
}

/// A merge as it is in `tokenizer.json`: two symbols in a list, or in one text.
fn merge(value: &Value) -> Option<(String, String)> {
    match value {
        Value::String(line) => pair_of_symbols(line),
        Value::Array(symbols) => match &symbols[..] {
            [Value::String(left), Value::String(right)] => Some((left.clone(), right.clone())),
            _ => None,
        },
        _ => None,
    }
}

fn merges_of_lines(text: &str) -> Result<Vec<(String, String)>> {
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.starts_with("#version") && !line.is_empty());
    let parse = |(line, number): (&str, usize)| {
        let expected = format!("line {number}");
        pair_of_symbols(line).ok_or_else(|| refused(MERGES, &expected, "a pair of symbols", line))
    };
    lines.map(parse).collect()
}
