//! The words of a caption in one spelling each: lower case, American, singular, without accents and hyphens.
//!
//! A term and the words of a caption go through the same function, so that "Naevi" finds "nevus" and "basal-cell" finds
//! "basal cell". Every word keeps its place in the caption.

use crate::sentences;
use crate::spelling::{is_apostrophe, is_combining, normal_word};
use std::collections::HashSet;
use std::ops::Range;

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Word,
    /// A word written in capitals, as an abbreviation is.
    Capitals,
    Number,
    /// A comma or another mark inside a sentence.
    Mark,
    /// The end of a sentence, or a semicolon.
    End,
}

/// One word or mark of a caption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Its bytes in the caption.
    pub source: Range<usize>,
    /// Where it starts in [`Words::text`].
    pub start: usize,
    pub kind: Kind,
}

/// A caption's words, joined by single spaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    pub text: String,
    pub words: Vec<Word>,
}

impl Words {
    /// Reads `source`. A word such as "nonscaly" becomes two if `known` has its rest.
    pub fn new(source: &str, known: &HashSet<String>) -> Self {
        let mut words = Self { text: String::with_capacity(source.len() + 8), words: Vec::new() };
        let ends: Vec<usize> = sentences::ends(source);
        let mut next_end = 0;
        let mut chars = source.char_indices().peekable();
        while let Some((start, c)) = chars.next() {
            while next_end < ends.len() && ends[next_end] <= start {
                words.end_sentence(ends[next_end]);
                next_end += 1;
            }
            if !c.is_alphanumeric() {
                words.push_mark(source, start, c);
                continue;
            }
            let is_number = c.is_ascii_digit();
            let mut end = start + c.len_utf8();
            while let Some(&(at, c)) = chars.peek() {
                let follows = source[at + c.len_utf8()..].chars().next();
                let is_inside = c.is_alphanumeric()
                    || is_combining(c)
                    || (is_apostrophe(c) && follows.is_some_and(char::is_alphabetic))
                    || (is_number && c == '.' && follows.is_some_and(|c| c.is_ascii_digit()));
                if !is_inside {
                    break;
                }
                end = at + c.len_utf8();
                chars.next();
            }
            words.push_word(source, start..end, known);
        }
        words.end_sentence(source.len());
        words
    }

    /// Index of the word that starts at byte `start` of the text.
    pub fn at(&self, start: usize) -> Option<usize> {
        self.words.binary_search_by_key(&start, |word| word.start).ok()
    }

    /// The normal spelling of word `index`.
    pub fn word(&self, index: usize) -> &str {
        let start = self.words[index].start;
        let end = self.words.get(index + 1).map_or(self.text.len(), |next| next.start - 1);
        &self.text[start..end]
    }

    fn push(&mut self, normal: &str, source: Range<usize>, kind: Kind) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.words.push(Word { source, start: self.text.len(), kind });
        self.text.push_str(normal);
    }

    fn push_word(&mut self, source: &str, range: Range<usize>, known: &HashSet<String>) {
        let written = &source[range.clone()];
        let kind = kind_of(written);
        let normal = normal_word(written);
        if let Some(rest) = normal.strip_prefix("non").filter(|rest| known.contains(*rest)) {
            // Marks that the normal spelling leaves out may be between the letters.
            let behind = written
                .char_indices()
                .filter(|(_, c)| c.is_alphabetic())
                .nth(3)
                .map_or(written.len(), |(at, _)| at);
            self.push("non", range.start..range.start + behind, Kind::Word);
            self.push(rest, range.start + behind..range.end, kind);
        } else if !normal.is_empty() {
            self.push(&normal, range, kind);
        }
    }

    fn push_mark(&mut self, source: &str, start: usize, c: char) {
        let range = start..start + c.len_utf8();
        let is_dash = matches!(c, '–' | '—' | '-')
            && source[..start].ends_with(char::is_whitespace)
            && source[range.end..].starts_with(char::is_whitespace);
        match c {
            ',' | ':' | '(' | ')' | '[' | ']' | '/' | '+' | '?' => {
                self.push(c.encode_utf8(&mut [0; 4]), range, Kind::Mark)
            }
            ';' | '!' | '•' => self.push(";", range, Kind::End),
            _ if is_dash => self.push(",", range, Kind::Mark),
            _ => {}
        }
    }

    fn end_sentence(&mut self, end: usize) {
        if self.words.last().is_some_and(|word| word.kind != Kind::End) {
            self.push(".", end..end, Kind::End);
        }
    }
}

/// Returns the normal spelling of a term: its words, joined by spaces.
pub fn normal_term(term: &str, known: &HashSet<String>) -> String {
    let words = Words::new(term, known);
    words.text.strip_suffix(" .").unwrap_or(&words.text).to_owned()
}

fn kind_of(written: &str) -> Kind {
    if written.starts_with(|c: char| c.is_ascii_digit()) {
        return Kind::Number;
    }
    let stem = written.strip_suffix('s').unwrap_or(written);
    let n_capitals = stem.chars().filter(|c| c.is_uppercase()).count();
    if n_capitals > 1 { Kind::Capitals } else { Kind::Word }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_their_places() {
        let known = HashSet::from(["scaly".to_owned()]);
        let source = "Basal-cell carcinoma, 3.5 mm; nonscaly. Café";
        let words = Words::new(source, &known);
        assert_eq!(words.text, "basal cell carcinoma , 3.5 mm ; non scaly . cafe .");
        let last = &words.words[words.words.len() - 2];
        assert_eq!(&source[last.source.clone()], "Café");
        let scaly = words.at(words.text.find("scaly").unwrap()).unwrap();
        assert_eq!((&source[words.words[scaly].source.clone()], words.word(scaly)), ("scaly", "scaly"));
    }

    #[test]
    fn marks_inside_a_word_do_not_cut_a_character() {
        let known = HashSet::from(["scaly".to_owned()]);
        for source in ["no\u{301}nscaly plaque", "n\u{301}onscaly", "non\u{301}scaly", "no\u{200b}nscaly"] {
            let words = Words::new(source, &known);
            assert!(words.words.iter().all(|word| source.get(word.source.clone()).is_some()), "{source:?}");
        }
    }
}
