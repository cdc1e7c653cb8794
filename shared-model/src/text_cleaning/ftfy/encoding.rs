// SPDX-License-Identifier: Apache-2.0
//! Mojibake: UTF-8 that was read as a single-byte encoding, undone as long as the text looks like it.

use super::bytes::{decode_utf8_variants, replace_lossy_sequences, restore_byte_a0};
use super::charmaps::{CHARMAPS, Charmap, Kind};
use super::classes::{embedded_utf8, is_bad};
use crate::text_cleaning::windows_1252;

/// Passes over one text until nothing changes any more. ftfy has no such limit; real text needs two or three.
pub(super) const MAX_PASSES: usize = 200;

/// ftfy's `fix_encoding`.
pub fn fix_encoding(text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..MAX_PASSES {
        match fix_encoding_once(&text) {
            Some(fixed) if fixed != text => text = fixed,
            _ => break,
        }
    }
    text
}

/// One repair; `None` where there is nothing to repair.
fn fix_encoding_once(text: &str) -> Option<String> {
    if text.is_ascii() || !is_bad(text) {
        return None;
    }
    if let Some(fixed) = CHARMAPS.iter().find_map(|charmap| redecode(text, charmap)) {
        return Some(fixed);
    }
    let fixed = fix_embedded_utf8(text);
    if fixed != text {
        return Some(fixed);
    }
    // What remains may be Windows-1252 that was read as Latin-1.
    if let Some(fixed) = latin_1_as_windows_1252(text).filter(|fixed| fixed != text) {
        return Some(fixed);
    }
    let is_c1_control = |c: char| ('\u{80}'..='\u{9f}').contains(&c);
    text.contains(is_c1_control)
        .then(|| text.chars().map(|c| if is_c1_control(c) { windows_1252::char_of(c as u8) } else { c }).collect())
}

/// Reads the bytes that `charmap` shows as `text` as UTF-8.
fn redecode(text: &str, charmap: &Charmap) -> Option<String> {
    let mut bytes = charmap.encode(text)?;
    if charmap.kind != Kind::MacRoman {
        bytes = restore_byte_a0(bytes);
    }
    if charmap.is_sloppy {
        bytes = replace_lossy_sequences(&bytes);
    }
    decode_utf8_variants(bytes)
}

/// ftfy's `decode_inconsistent_utf8`: repairs the parts that look like UTF-8, each by itself.
fn fix_embedded_utf8(text: &str) -> String {
    let mut fixed = String::with_capacity(text.len());
    let mut copied_to = 0;
    for part in embedded_utf8(text) {
        // A part is shorter than its text, so that this comes to an end.
        if part.len() < text.len() && is_bad(&text[part.clone()]) {
            fixed.push_str(&text[copied_to..part.start]);
            fixed.push_str(&fix_encoding(&text[part.clone()]));
            copied_to = part.end;
        }
    }
    fixed.push_str(&text[copied_to..]);
    fixed
}

/// `None` where a character is not Latin-1 or its byte means nothing in Windows-1252.
fn latin_1_as_windows_1252(text: &str) -> Option<String> {
    let decode = |c: char| {
        let decoded = windows_1252::char_of(u8::try_from(c).ok()?);
        (!('\u{80}'..='\u{9f}').contains(&decoded)).then_some(decoded)
    };
    text.chars().map(decode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undoes_mojibake() {
        // >>> ftfy.fix_encoding(broken)
        for (broken, fixed) in [
            ("sÃ³", "só"),
            ("voilÃ le travail", "voilà le travail"),
            ("naÃƒÂ¯ve", "naïve"),
            ("â€œ like this â€\u{fffd}", "“ like this \u{fffd}"),
            ("l’humanitÃ©", "l’humanité"),
            ("РїСЂРёРІРµС‚", "привет"),
            ("\u{85}", "…"),
            ("Ã\u{a0} 漢字", "à 漢字"),
            ("plain, naïve £10", "plain, naïve £10"),
        ] {
            assert_eq!(fix_encoding(broken), fixed, "{broken:?}");
        }
    }
}
