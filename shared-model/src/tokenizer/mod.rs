//! CLIP's tokenizer: cleaned text to `input_ids` by byte-level byte-pair encoding.
//!
//! Equal to open_clip's `SimpleTokenizer`
//! (<https://github.com/mlfoundations/open_clip/blob/89fb801/src/open_clip/tokenizer.py>); the merging is that of
//! Hugging Face's `tokenizers`. Its text pipeline is not used: it would bring a regex engine into the page, and it
//! takes special tokens out of the text before splitting it, where the reference meets them while splitting.

mod split;

use crate::text_cleaning::clean;
use crate::{Error, Result};
use flate2::read::GzDecoder;
use split::{END_OF_TEXT, START_OF_TEXT, pieces};
use std::io::Read;
use tokenizers::Model;
use tokenizers::models::bpe::{BPE, Vocab};

/// Merges the reference reads; a file may hold fewer, and what it holds beyond is not looked at.
pub const CLIP_MERGES: usize = 48_894;

/// The byte-pair merges of every CLIP model, gzipped: what [`Tokenizer::from_merges_gz`] reads.
pub const CLIP_MERGES_GZ: &[u8] = include_bytes!("../../data/demo/clip_merges.txt.gz");

/// Size of CLIP's vocabulary: the bytes, the bytes at the end of a word, the merges, start and end.
pub const CLIP_VOCAB_SIZE: usize = 2 * 256 + CLIP_MERGES + 2;

/// Context length L of OpenAI's models and nearly all others.
pub const CLIP_CONTEXT_LENGTH: usize = 77;

/// The id that fills `input_ids` up to the context length.
pub const PAD_ID: u32 = 0;

/// Longest context length that makes sense, and more than any model has.
const MAX_CONTEXT_LENGTH: usize = 65_536;

/// Largest unpacked merges; OpenAI's complete file, of which a fifth is used, has 3 MB.
const MAX_MERGES_BYTES: u64 = 8 << 20;

/// Marks a symbol that ends its word.
const END_OF_WORD: &str = "</w>";

/// Turns captions into the `input_ids` of the text tower.
pub struct Tokenizer {
    bpe: BPE,
    context_length: usize,
    vocab_size: usize,
}

impl Tokenizer {
    /// Reads CLIP's merges, gzipped: a header line, then one `left right` a line, most frequent first.
    ///
    /// The ids follow from their number M: 256 bytes, 256 bytes that end a word, the M merges, start, end.
    ///
    /// # Errors
    /// [`Error::Vocabulary`] if the data is damaged, unpacks to more than 8 MiB or is no list of merges, or if
    /// `context_length` leaves no room for start and end.
    pub fn from_merges_gz(bytes: &[u8], context_length: usize) -> Result<Self> {
        if !(2..=MAX_CONTEXT_LENGTH).contains(&context_length) {
            let detail = format!("context length {context_length} is not within 2 and {MAX_CONTEXT_LENGTH}");
            return Err(Error::Vocabulary { detail });
        }
        let merges = parse_merges(&unpack(bytes)?)?;
        let mut vocab = Vocab::default();
        let symbols = symbols_in_id_order();
        let whole_words = symbols.iter().map(|symbol| format!("{symbol}{END_OF_WORD}"));
        let merged = merges.iter().map(|(left, right)| format!("{left}{right}"));
        let tokens = symbols.iter().map(char::to_string).chain(whole_words).chain(merged);
        vocab.extend(tokens.zip(0u32..));

        let vocab_size = 2 * symbols.len() + merges.len() + 2;
        let bpe = BPE::builder()
            .vocab_and_merges(vocab, merges)
            .end_of_word_suffix(END_OF_WORD.into())
            // The cache is kept for each thread and never shrinks: strangers' texts could fill the server's memory.
            .cache_capacity(0)
            .build()
            .map_err(|err| Error::Vocabulary { detail: err.to_string() })?;
        Ok(Self { bpe, context_length, vocab_size })
    }

    /// Encodes one text: start, its tokens, end, then [`PAD_ID`]. What is too long is cut before the end.
    ///
    /// # Shapes
    /// - returns `[L]`
    ///
    /// # Errors
    /// [`Error::TextTooLong`] over [`MAX_TEXT_BYTES`](crate::text_cleaning::MAX_TEXT_BYTES), before any work.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let text = clean(text)?;
        let room = self.context_length - 2;
        let mut input_ids = Vec::with_capacity(self.context_length);
        input_ids.push(self.start_id());
        for piece in pieces(&text) {
            self.push_ids(piece, &mut input_ids)?;
            if input_ids.len() > room {
                break;
            }
        }
        input_ids.truncate(1 + room);
        input_ids.push(self.end_id());
        input_ids.resize(self.context_length, PAD_ID);
        Ok(input_ids)
    }

    /// Encodes each of `texts` by [`encode`](Self::encode).
    ///
    /// # Shapes
    /// - returns `[B, L]`
    ///
    /// # Errors
    /// As [`encode`](Self::encode), of the first text that has one.
    pub fn encode_batch(&self, texts: &[impl AsRef<str>]) -> Result<Vec<Vec<u32>>> {
        texts.iter().map(|text| self.encode(text.as_ref())).collect()
    }

    /// Number of tokens of a text, start and end not counted and nothing cut: what exceeds L - 2 of them is lost.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn n_tokens(&self, text: &str) -> Result<usize> {
        let mut ids = Vec::new();
        for piece in pieces(&clean(text)?) {
            self.push_ids(piece, &mut ids)?;
        }
        Ok(ids.len())
    }

    /// Context length L.
    pub fn context_length(&self) -> usize {
        self.context_length
    }

    /// Number of ids, which the text tower's embedding must have; [`CLIP_VOCAB_SIZE`] with all of CLIP's merges.
    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// The id every text starts with; 49,406 in CLIP's vocabulary.
    pub fn start_id(&self) -> u32 {
        self.end_id() - 1
    }

    /// The id every text ends with, where the text tower reads its feature; 49,407 in CLIP's vocabulary.
    pub fn end_id(&self) -> u32 {
        // At most CLIP_VOCAB_SIZE - 1.
        self.vocab_size as u32 - 1
    }

    fn push_ids(&self, piece: &str, ids: &mut Vec<u32>) -> Result<()> {
        match piece {
            START_OF_TEXT => ids.push(self.start_id()),
            END_OF_TEXT => ids.push(self.end_id()),
            _ => {
                let symbols: String = piece.bytes().map(|byte| BYTE_SYMBOLS[usize::from(byte)]).collect();
                let tokens = self.bpe.tokenize(&symbols);
                let tokens = tokens.map_err(|err| Error::Vocabulary { detail: err.to_string() })?;
                ids.extend(tokens.iter().map(|token| token.id));
            }
        }
        Ok(())
    }
}

fn unpack(bytes: &[u8]) -> Result<String> {
    let mut unpacked = Vec::new();
    GzDecoder::new(bytes)
        .take(MAX_MERGES_BYTES + 1)
        .read_to_end(&mut unpacked)
        .map_err(|err| Error::Vocabulary { detail: format!("the merges do not unpack: {err}") })?;
    if unpacked.len() as u64 > MAX_MERGES_BYTES {
        return Err(Error::Vocabulary {
            detail: format!("the merges unpack to more than {MAX_MERGES_BYTES} bytes"),
        });
    }
    String::from_utf8(unpacked)
        .map_err(|err| Error::Vocabulary { detail: format!("the merges are not text: {err}") })
}

fn parse_merges(text: &str) -> Result<Vec<(String, String)>> {
    let mut lines = text.lines().zip(1..);
    if !lines.next().is_some_and(|(header, _)| header.contains("#version")) {
        return Err(Error::Vocabulary { detail: "the merges lack their header line".into() });
    }
    let parse = |(line, number): (&str, usize)| {
        let mut symbols = line.split_whitespace();
        match (symbols.next(), symbols.next(), symbols.next()) {
            (Some(left), Some(right), None) => Ok((left.to_owned(), right.to_owned())),
            _ => Err(Error::Vocabulary { detail: format!("line {number} of the merges is not a pair of symbols") }),
        }
    };
    lines.take(CLIP_MERGES).map(parse).collect()
}

/// The character that stands for each byte: printable Latin-1 for itself, the others from U+0100 on.
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
fn symbols_in_id_order() -> Vec<char> {
    let symbols_of = |printable: bool| (0..=255).filter(move |&byte| is_printable(byte) == printable);
    symbols_of(true).chain(symbols_of(false)).map(|byte| BYTE_SYMBOLS[usize::from(byte)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn gz(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    /// `l o`, `lo w</w>` and `e r</w>` are the ids 512, 513 and 514; start and end are 515 and 516.
    fn small(context_length: usize) -> Tokenizer {
        Tokenizer::from_merges_gz(&gz("#version: 0.2\nl o\nlo w</w>\ne r</w>\n"), context_length).unwrap()
    }

    fn error_of(bytes: &[u8], context_length: usize) -> String {
        Tokenizer::from_merges_gz(bytes, context_length).err().unwrap().to_string()
    }

    #[test]
    fn a_smaller_vocabulary_has_its_own_start_and_end() {
        let tokenizer = small(6);
        assert_eq!((tokenizer.vocab_size(), tokenizer.start_id(), tokenizer.end_id()), (517, 515, 516));
        // `w` is the 87th printable byte: it is no word's end in "lower".
        assert_eq!(tokenizer.encode("Low lower").unwrap(), [515, 513, 512, 86, 514, 516]);
        assert_eq!(tokenizer.encode("low").unwrap(), [515, 513, 516, 0, 0, 0]);
        assert_eq!(tokenizer.encode("").unwrap(), [515, 516, 0, 0, 0, 0]);
    }

    #[test]
    fn cuts_before_the_end() {
        let tokenizer = small(4);
        assert_eq!(tokenizer.encode("low low low").unwrap(), [515, 513, 513, 516]);
        assert_eq!(tokenizer.encode("lower").unwrap(), [515, 512, 86, 516]);
        assert_eq!(small(2).encode("low").unwrap(), [515, 516]);
        assert_eq!(tokenizer.n_tokens("low low low").unwrap(), 3);
    }

    #[test]
    fn special_texts_are_special_ids() {
        assert_eq!(small(5).encode("<END_OF_TEXT>low<start_of_text>").unwrap(), [515, 516, 513, 515, 516]);
    }

    #[test]
    fn a_batch_row_is_its_text_alone() {
        let tokenizer = small(5);
        let texts = ["low", "lower", ""];
        let rows = tokenizer.encode_batch(&texts).unwrap();
        for (text, row) in texts.iter().zip(&rows) {
            assert_eq!(*row, tokenizer.encode(text).unwrap());
        }
    }

    #[test]
    fn refuses_what_is_no_list_of_merges() {
        assert!(error_of(b"not gzip", 77).contains("do not unpack"));
        assert!(error_of(&gz("#version: 0.2\nl o\n")[..15], 77).contains("do not unpack"));
        assert!(error_of(&gz(""), 77).contains("lack their header"));
        assert!(error_of(&gz("l o\n"), 77).contains("lack their header"));
        assert!(error_of(&gz("#version: 0.2\nl o\nl o w\n"), 77).contains("line 3"));
        assert!(error_of(&gz("#version: 0.2\nl o\n\nl p\n"), 77).contains("line 3"));
        assert!(error_of(&gz("#version: 0.2\nlo w\n"), 77).contains("`lo`"));
        for context_length in [0, 1, usize::MAX] {
            assert!(error_of(&gz("#version: 0.2\n"), context_length).contains("context length"));
        }
    }

    #[test]
    fn refuses_a_decompression_bomb() {
        let bomb = gz(&"\n".repeat(MAX_MERGES_BYTES as usize + 1));
        assert!(bomb.len() < 100_000);
        assert!(error_of(&bomb, 77).contains("unpack to more than"));
    }

    #[test]
    fn symbols_are_numbered_as_in_clip() {
        // >>> list(bytes_to_unicode().values())[:2], ...[93:95], ...[188:190], ...[-1]
        let symbols = symbols_in_id_order();
        assert_eq!((symbols[0], symbols[1], symbols[93], symbols[94]), ('!', '"', '~', '¡'));
        assert_eq!((symbols[188], symbols[189], symbols[255]), ('Ā', 'ā', 'Ń'));
    }
}
