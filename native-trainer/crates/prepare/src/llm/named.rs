//! Names of terms in the lexicon, and whether evidence names a condition: by the lexicon or by the words of its name.

use super::answer::Term;
use crate::lexicon::{Lexicon, Meaning};
use crate::words::{Kind, Words};

/// The name and path of a condition: those of the lexicon if it knows the name or the evidence, else the model's name.
///
/// `None` unless the evidence names the condition: in the lexicon's sense, with `said`, the conditions that it found there,
/// or by having the words of the name.
pub fn condition(lexicon: &Lexicon, term: &Term, said: &[usize]) -> Option<(String, Vec<String>)> {
    let has_name = has_words(&lexicon.words(&term.evidence), &lexicon.words(&term.name));
    let is_said = |at: usize| {
        let is_same_or_kind =
            |&said: &usize| said == at || lexicon.conditions[said].path.contains(&lexicon.conditions[at].name);
        said.iter().any(is_same_or_kind)
    };
    let of_lexicon = |at: usize, text: &str| {
        let name = lexicon.name_as_written(at, text).to_owned();
        let mut path = lexicon.conditions[at].path.clone();
        if let Some(last) = path.last_mut() {
            last.clone_from(&name);
        }
        (name, path)
    };
    if let Some(at) = whole_condition(lexicon, &term.name) {
        return (has_name || is_said(at)).then(|| of_lexicon(at, &term.name));
    }
    if let Some(at) = whole_condition(lexicon, &term.evidence) {
        return Some(of_lexicon(at, &term.evidence));
    }
    let name = term.name.trim().to_lowercase();
    has_name.then(|| (name.clone(), vec![name]))
}

/// The concept of this name, in any case.
pub fn concept(lexicon: &Lexicon, name: &str) -> Option<usize> {
    lexicon.concepts.iter().position(|concept| concept.eq_ignore_ascii_case(name.trim()))
}

/// The condition that a text is, but for one word.
pub fn whole_condition(lexicon: &Lexicon, text: &str) -> Option<usize> {
    let words = lexicon.words(text);
    lexicon.hits(&words).iter().find_map(|hit| match hit.meaning {
        Meaning::Condition(at) if hit.words.len() + 1 >= words.words.len() => Some(at),
        _ => None,
    })
}

/// Letters that two forms of a word have in common at least, such as "verruca" and "verrucae".
const COMMON_LETTERS: usize = 4;

/// Returns whether each word of `name` is a word of `text`, or all but the last letter of one begins the other.
fn has_words(text: &Words, name: &Words) -> bool {
    let words = |words: &Words| -> Vec<String> {
        let is_word = |&index: &usize| !matches!(words.words[index].kind, Kind::Mark | Kind::End);
        (0..words.words.len()).filter(is_word).map(|index| words.word(index).to_owned()).collect()
    };
    let (text, name) = (words(text), words(name));
    let is_form = |a: &str, b: &str| {
        let n_common = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
        let shortest = a.chars().count().min(b.chars().count());
        a == b || n_common >= COMMON_LETTERS.max(shortest.saturating_sub(1))
    };
    !name.is_empty() && name.iter().all(|word| text.iter().any(|other| is_form(word, other)))
}
