//! Byte-level byte-pair encoding of one piece of text; the merging is that of Hugging Face's `tokenizers`.

use crate::{Error, Result};
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
    fn symbols_are_numbered_as_in_clip() {
        // >>> list(bytes_to_unicode().values())[:2], ...[93:95], ...[188:190], ...[-1]
        let symbols = symbols_in_id_order();
        assert_eq!((symbols[0], symbols[1], symbols[93], symbols[94]), ('!', '"', '~', '¡'));
        assert_eq!((symbols[188], symbols[189], symbols[255]), ('Ā', 'ā', 'Ń'));
    }
}
