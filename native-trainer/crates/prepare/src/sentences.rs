//! Where the sentences of a clinical text end.
//!
//! A period ends no sentence inside a number, an abbreviation ("e.g.", "Fig. 2", "approx. 3 cm") or an initial.

/// Words whose period does not end a sentence, in lower case.
const ABBREVIATIONS: [&str; 62] = [
    "e.g", "i.e", "eg", "ie", "cf", "vs", "fig", "figs", "dr", "mr", "mrs", "ms", "prof", "st", "no", "nos",
    "approx", "ca", "al", "et", "etc", "viz", "resp", "incl", "esp", "max", "min", "vol", "ed", "eds", "pp", "p",
    "sp", "spp", "var", "subsp", "dept", "univ", "inc", "ltd", "jr", "sr", "b.i.d", "t.i.d", "q.d", "p.o", "i.v",
    "i.m", "s.c", "a.m", "p.m", "u.s", "u.k", "ref", "refs", "tab", "pt", "pts", "hx", "dx", "wt", "misc",
];

/// Abbreviations that may end a sentence, and do before a capital letter.
const MAY_END: [&str; 12] = ["etc", "a.m", "p.m", "u.s", "u.k", "al", "inc", "ltd", "jr", "sr", "no", "misc"];

/// Returns the bytes behind which each sentence ends, with its mark and the quotation marks and brackets after it, in
/// their order. A new line ends a sentence too.
pub fn ends(text: &str) -> Vec<usize> {
    let mut ends = Vec::new();
    let bytes = text.as_bytes();
    for (at, c) in text.char_indices() {
        let is_end = match c {
            '\n' | '\r' | '\u{2028}' | '\u{2029}' | '。' | '！' | '？' => true,
            '!' | '?' => {
                !bytes.get(at + 1).is_some_and(|next| matches!(next, b'!' | b'?' | b')')) && ends_word(text, at, c)
            }
            '.' => ends_with_period(text, at),
            _ => false,
        };
        if is_end {
            let closing = |c: char| matches!(c, ')' | ']' | '"' | '”' | '’' | '\'');
            let after = &text[at + c.len_utf8()..];
            let n_closing: usize = after.chars().take_while(|&c| closing(c)).map(char::len_utf8).sum();
            ends.push(at + c.len_utf8() + n_closing);
        }
    }
    ends
}

/// A question mark before a word, as in "?melanoma" or "BCC ? SCC", ends nothing.
fn ends_word(text: &str, at: usize, c: char) -> bool {
    let before = text[..at].chars().next_back();
    let after = text[at + c.len_utf8()..].chars().next();
    let is_attached = before.is_some_and(|c| !c.is_whitespace() && c != '(' && c != ',');
    is_attached && after.is_none_or(|c| !c.is_alphanumeric())
}

fn ends_with_period(text: &str, at: usize) -> bool {
    let (before, after) = (&text[..at], &text[at + 1..]);
    let next = after.chars().next();
    // A period inside a number or an abbreviation, or an ellipsis that goes on.
    if next.is_some_and(|c| c.is_alphanumeric() || c == '.' || c == ',' || c == ';') {
        return missing_space(before, after);
    }
    let start = before.rfind(|c: char| c.is_whitespace() || c == '(').map_or(0, |at| at + 1);
    let Some(word) = before.get(start..) else { return true };
    let lower = word.to_lowercase();
    let first_behind = after.trim_start().chars().next();
    let starts_sentence =
        first_behind.is_none_or(|c| c.is_uppercase() || c.is_ascii_digit() || !c.is_alphanumeric());
    if MAY_END.contains(&lower.as_str()) {
        return first_behind.is_none_or(char::is_uppercase);
    }
    if ABBREVIATIONS.contains(&lower.as_str()) {
        return first_behind.is_none();
    }
    // "1." and "A." begin an item of a list; "J." is an initial.
    let is_item = word.len() == 1 && word.chars().all(|c| c.is_ascii_uppercase());
    let is_number = !word.is_empty() && word.len() < 3 && word.bytes().all(|b| b.is_ascii_digit());
    let is_first = before[..start].trim().is_empty() || before[..start].trim_end_matches(' ').ends_with('\n');
    if is_item || (is_number && is_first) {
        return first_behind.is_none();
    }
    starts_sentence || is_long_word(word)
}

/// "… on the arm.The lesion …": a lower-case word, a period, a capitalized word.
fn missing_space(before: &str, after: &str) -> bool {
    let n_lower = before.chars().rev().take_while(|c| c.is_lowercase()).count();
    let mut next = after.chars();
    let is_capitalized = next.next().is_some_and(char::is_uppercase) && next.next().is_some_and(char::is_lowercase);
    n_lower > 2 && is_capitalized
}

/// A word of three letters or more that is in no list is no abbreviation, even if a person goes on in lower case.
fn is_long_word(word: &str) -> bool {
    word.chars().count() > 2 && !word.contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        let mut start = 0;
        let mut parts = Vec::new();
        for end in ends(text).into_iter().chain([text.len()]) {
            let part = text[start..end].trim();
            if !part.is_empty() {
                parts.push(part);
            }
            start = end;
        }
        parts
    }

    #[test]
    fn abbreviations_numbers_and_initials_end_no_sentence() {
        for (text, expected) in [
            ("Plaque of 3.5 cm. Silvery scale.", vec!["Plaque of 3.5 cm.", "Silvery scale."]),
            ("Papules, e.g. on the arm. Itchy.", vec!["Papules, e.g. on the arm.", "Itchy."]),
            ("Fig. 2. Nevus of Dr. Smith.", vec!["Fig. 2.", "Nevus of Dr. Smith."]),
            ("Smith et al. described it.", vec!["Smith et al. described it."]),
            ("red itchy bumps on arms. they come and go", vec!["red itchy bumps on arms.", "they come and go"]),
            ("Lesion on the arm.The border is raised.", vec!["Lesion on the arm.", "The border is raised."]),
            ("?melanoma on the back", vec!["?melanoma on the back"]),
            ("Is this ringworm? Thanks!!", vec!["Is this ringworm?", "Thanks!!"]),
            ("One\nTwo\r\nThree", vec!["One", "Two", "Three"]),
            ("(Left: before. Right: after.)", vec!["(Left: before.", "Right: after.)"]),
            ("approx. 2 cm", vec!["approx. 2 cm"]),
            ("", vec![]),
        ] {
            assert_eq!(split(text), expected, "{text}");
        }
    }
}
