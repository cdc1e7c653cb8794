//! The words of a caption in one spelling each: lower case, American, singular, without accents and hyphens.
//!
//! A term and the words of a caption go through the same function, so that "Naevi" finds "nevus" and "basal-cell" finds
//! "basal cell". Every word keeps its place in the caption.

use crate::sentences;
use std::collections::HashSet;
use std::ops::Range;

/// Parts of British spellings, and the American ones.
const BRITISH: [(&str, &str); 25] = [
    ("favour", "favor"),
    ("oedem", "edem"),
    ("naev", "nev"),
    ("haem", "hem"),
    ("tumour", "tumor"),
    ("colour", "color"),
    ("grey", "gray"),
    ("rrhoe", "rrhe"),
    ("rrhoi", "rrhei"),
    ("aemi", "emi"),
    ("leuco", "leuko"),
    ("fibre", "fiber"),
    ("centre", "center"),
    ("gangraen", "gangren"),
    ("paed", "ped"),
    ("mould", "mold"),
    ("ageing", "aging"),
    ("odour", "odor"),
    ("morphoe", "morphe"),
    ("caerul", "cerul"),
    ("oesoph", "esoph"),
    ("anaesth", "anesth"),
    ("foetus", "fetus"),
    ("diarrhoea", "diarrhea"),
    ("sulph", "sulf"),
];

/// Plurals that follow no rule below, and words that look like plurals.
const IRREGULAR: [(&str, &str); 34] = [
    ("nevi", "nevus"),
    ("comedones", "comedo"),
    ("comedone", "comedo"),
    ("comedos", "comedo"),
    ("milium", "milia"),
    ("lentigines", "lentigo"),
    ("fungi", "fungus"),
    ("feet", "foot"),
    ("metastases", "metastasis"),
    ("telangiectases", "telangiectasis"),
    ("crises", "crisis"),
    ("calluses", "callus"),
    ("viruses", "virus"),
    ("sinuses", "sinus"),
    ("nevuses", "nevus"),
    ("scabies", "scabies"),
    ("rabies", "rabies"),
    ("species", "species"),
    ("facies", "facies"),
    ("series", "series"),
    ("caries", "caries"),
    ("mollusca", "mollusca"),
    ("condylomata", "condyloma"),
    ("crusta", "crust"),
    ("squamae", "squame"),
    ("diagnoses", "diagnosis"),
    ("tophi", "tophus"),
    ("thrombi", "thrombus"),
    ("cicatrices", "cicatrix"),
    ("men", "man"),
    ("women", "woman"),
    ("children", "child"),
    ("lice", "lice"),
    ("maculae", "macula"),
];

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
            self.push("non", range.start..range.start + 3, Kind::Word);
            self.push(rest, range.start + 3..range.end, kind);
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

/// Returns the normal spelling of one word.
pub fn normal_word(written: &str) -> String {
    let mut word: String = written.chars().flat_map(char::to_lowercase).filter(|c| !is_combining(*c)).collect();
    if let Some(at) = word.rfind(is_apostrophe).filter(|&at| word[at..].chars().skip(1).eq(['s'])) {
        word.truncate(at);
    }
    word.retain(|c| !is_apostrophe(c));
    if !word.is_ascii() {
        word = word.chars().map(without_accent).collect();
    }
    for (british, american) in BRITISH {
        if word.contains(british) {
            word = word.replace(british, american);
        }
    }
    for (british, american) in [("ised", "ized"), ("ising", "izing"), ("isation", "ization")] {
        if let Some(stem) = word.strip_suffix(british).filter(|stem| stem.len() > 3) {
            word = format!("{stem}{american}");
        }
    }
    singular(word)
}

fn singular(word: String) -> String {
    if let Some((_, singular)) = IRREGULAR.iter().find(|(plural, _)| *plural == word) {
        return (*singular).to_owned();
    }
    let replaced = |ending: &str, by: &str, least: usize| {
        word.strip_suffix(ending).filter(|stem| stem.len() >= least).map(|stem| format!("{stem}{by}"))
    };
    let rules = [
        ("omata", "oma", 2),
        ("itides", "itis", 2),
        ("ae", "a", 3),
        ("oses", "osis", 3),
        ("sses", "ss", 2),
        ("xes", "x", 2),
        ("ches", "ch", 2),
        ("shes", "sh", 2),
        ("ies", "y", 2),
    ];
    if let Some(found) = rules.iter().find_map(|(ending, by, least)| replaced(ending, by, *least)) {
        return found;
    }
    let keeps_s = ["ss", "us", "is"].iter().any(|ending| word.ends_with(ending)) || word.len() < 3;
    match word.strip_suffix('s') {
        Some(stem) if !keeps_s => stem.to_owned(),
        _ => word,
    }
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | '`' | 'ʼ')
}

fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{ad}' | '\u{200b}'..='\u{200d}')
}

fn without_accent(c: char) -> char {
    match c {
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' | 'ø' => 'o',
        'ù'..='ü' => 'u',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_one_spelling() {
        for (written, expected) in [
            ("Naevi", "nevus"),
            ("nevuses", "nevus"),
            ("papules", "papule"),
            ("keratoses", "keratosis"),
            ("Bullae", "bulla"),
            ("haemangiomata", "hemangioma"),
            ("Seborrhoeic", "seborrheic"),
            ("oedematous", "edematous"),
            ("Bowen's", "bowen"),
            ("Behçet’s", "behcet"),
            ("arborising", "arborizing"),
            ("patches", "patch"),
            ("abscesses", "abscess"),
            ("pus", "pus"),
            ("psoriasis", "psoriasis"),
            ("scabies", "scabies"),
            ("ulcers", "ulcer"),
            ("isn't", "isnt"),
            ("BCCs", "bcc"),
        ] {
            assert_eq!(normal_word(written), expected, "{written}");
        }
    }

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
}
