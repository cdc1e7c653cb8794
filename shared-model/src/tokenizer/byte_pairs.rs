//! Byte-level byte-pair encoding of one piece of text; the merging is that of Hugging Face's `tokenizers`.

use super::special::SpecialTokens;
use crate::{Error, Result};
use std::collections::HashSet;
use tokenizers::Model;
use tokenizers::models::bpe::{BPE, Vocab};

/// Marks a symbol that ends its word.
pub(super) const END_OF_WORD: &str = "</w>";

/// A vocabulary of byte symbols and what merges make of them.
pub(super) struct BytePairs {
    bpe: BPE,
}

impl BytePairs {
    /// Builds the encoder; bytes without a symbol in `vocab` become `unknown`, or nothing.
    ///
    /// # Errors
    /// [`Error::Vocabulary`] if a merge is of symbols, or makes one, that `vocab` does not have.
    pub(super) fn new(vocab: Vocab, merges: Vec<(String, String)>, unknown: Option<&str>) -> Result<Self> {
        let builder = BPE::builder()
            .vocab_and_merges(vocab, merges)
            .end_of_word_suffix(END_OF_WORD.into())
            // The cache is kept for each thread and never shrinks: strangers' texts could fill the server's memory.
            .cache_capacity(0);
        let builder = match unknown {
            Some(unknown) => builder.unk_token(unknown.into()),
            None => builder,
        };
        let bpe = builder.build().map_err(|err| Error::Vocabulary { detail: err.to_string() })?;
        Ok(Self { bpe })
    }

    /// Appends the ids of one piece.
    pub(super) fn push_ids(&self, piece: &str, ids: &mut Vec<u32>) -> Result<()> {
        let symbols: String = piece.bytes().map(|byte| BYTE_SYMBOLS[usize::from(byte)]).collect();
        let tokens = self.bpe.tokenize(&symbols);
        let tokens = tokens.map_err(|err| Error::Vocabulary { detail: err.to_string() })?;
        ids.extend(tokens.iter().map(|token| token.id));
        Ok(())
    }
}

/// Checks that the merges of a file of their own make all symbols of the vocabulary: with a part of them, texts would
/// get other ids.
///
/// # Errors
/// [`Error::Vocabulary`] with a symbol that no merge makes.
pub(super) fn check_merges(vocab: &Vocab, merges: &[(String, String)], special: &SpecialTokens) -> Result<()> {
    let made: HashSet<String> = merges.iter().map(|(left, right)| format!("{left}{right}")).collect();
    let needs_none = |symbol: &str| {
        let word = symbol.strip_suffix(END_OF_WORD).unwrap_or(symbol);
        let is_name = word.starts_with('<') && word.ends_with('>');
        is_name || word.chars().count() <= 1 || special.id(symbol).is_some()
    };
    let lacking = vocab.iter().filter(|(symbol, _)| !made.contains(*symbol) && !needs_none(symbol.as_str()));
    match lacking.min_by_key(|(_, id)| **id) {
        None => Ok(()),
        Some((symbol, _)) => Err(Error::Vocabulary {
            detail: format!(
                "merges.txt is cut short or belongs to another tokenizer: no merge makes {symbol:?}, which vocab.json has"
            ),
        }),
    }
}

/// Returns the character that represents each byte: printable Latin-1 is itself, the others are U+0100 and up.
const BYTE_SYMBOLS: [char; 256] = {
    let mut symbols = ['\0'; 256];
    let mut byte = 0;
    let mut next_substitute = 0x100;
    while byte < 256 {
        symbols[byte] = if is_printable(byte as u8) {
            byte as u8 as char
        } else {
            next_substitute += 1;
            char::from_u32(next_substitute - 1).expect("U+0100 to U+01FF are characters")
        };
        byte += 1;
    }
    symbols
};

const fn is_printable(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff)
}

/// The 256 symbols as CLIP numbers them: those of printable bytes first.
pub(super) fn symbols_in_id_order() -> Vec<char> {
    let symbols_of = |printable: bool| (0..=255).filter(move |&byte| is_printable(byte) == printable);
    symbols_of(true).chain(symbols_of(false)).map(|byte| BYTE_SYMBOLS[usize::from(byte)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_without_their_end_are_refused() {
        let symbols = ["a", "b</w>", "ab</w>", "<|endoftext|>", "[PAD]"];
        let vocab: Vocab = symbols.map(String::from).into_iter().zip(0..).collect();
        let mut special = SpecialTokens::default();
        special.insert("[PAD]", 4, false);
        let merges = [("a".to_string(), "b</w>".to_string())];
        check_merges(&vocab, &merges, &special).unwrap();
        let message = check_merges(&vocab, &[], &special).unwrap_err().to_string();
        assert!(message.contains("merges.txt is cut short") && message.contains("\"ab</w>\""), "{message}");
    }

    #[test]
    fn symbols_are_numbered_as_in_clip() {
        // >>> list(bytes_to_unicode().values())[:2], ...[93:95], ...[188:190], ...[-1]
        let symbols = symbols_in_id_order();
        assert_eq!((symbols[0], symbols[1], symbols[93], symbols[94]), ('!', '"', '~', '¡'));
        assert_eq!((symbols[188], symbols[189], symbols[255]), ('Ā', 'ā', 'Ń'));
    }
}
