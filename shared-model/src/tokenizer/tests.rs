//! open_clip's tokenizer on small vocabularies.

use super::open_clip::MAX_MERGES_BYTES;
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
    assert_eq!((tokenizer.vocab_size(), tokenizer.start_id(), tokenizer.end_id()), (517, Some(515), 516));
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
    assert!(tokenizer.cuts("low low low").unwrap() && !tokenizer.cuts("low low").unwrap());
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
