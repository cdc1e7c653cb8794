// SPDX-License-Identifier: Apache-2.0
//! ftfy's `fix_text` with its default settings: text decoded by the wrong encoding is repaired, typographic
//! variants are made plain, control characters are dropped.
//!
//! A port to Rust, without the regular expressions, of ftfy 6.3.1
//! (<https://github.com/rspeer/python-ftfy/tree/v6.3.1>), Copyright 2023 Robyn Speer, licensed under the Apache
//! License, Version 2.0. The rules and the tables in this folder are ftfy's; order and quirks are kept, since CLIP
//! was trained on text that went through them.

mod bytes;
mod charmaps;
mod classes;
mod encoding;

use super::{html, windows_1252};
use encoding::MAX_PASSES;
use std::borrow::Cow;

/// Repairs `text` line by line.
pub fn fix_text(text: &str) -> String {
    let mut fixed = String::with_capacity(text.len());
    // A literal `<` says that the text is HTML source: from its line on, references stay as they are.
    let mut unescapes = true;
    for line in text.split_inclusive('\n') {
        unescapes &= !line.contains('<');
        fixed.push_str(&fix_line(line, unescapes));
    }
    fixed
}

fn fix_line(line: &str, unescapes: bool) -> Cow<'_, str> {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~' | b'\t' | b'\n') && byte != b'&';
    if line.bytes().all(is_plain) {
        return Cow::Borrowed(line);
    }
    let mut text = Cow::Borrowed(line);
    for _ in 0..MAX_PASSES {
        let fixed = fix_once(&text, unescapes);
        if fixed == text {
            break;
        }
        text = Cow::Owned(fixed);
    }
    text
}

fn fix_once(text: &str, unescapes: bool) -> String {
    let text = if unescapes { html::unescape_unambiguous(text) } else { Cow::Borrowed(text) };
    let text = encoding::fix_encoding(&text);
    let text = remove_controls(&simplify_characters(&text));
    if text.is_ascii() {
        return text;
    }
    icu_normalizer::ComposingNormalizerBorrowed::new_nfc().normalize(&text).into_owned()
}

/// ftfy's `fix_c1_controls`, `fix_latin_ligatures`, `fix_character_width`, `uncurl_quotes` and `fix_line_breaks`.
fn simplify_characters(text: &str) -> String {
    let mut simple = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\0'..='\u{7f}' if c != '\r' => simple.push(c),
            '\r' => {
                chars.next_if_eq(&'\n');
                simple.push('\n');
            }
            '\u{80}'..='\u{9f}' => simple.push(straight_quote(windows_1252::char_of(c as u8))),
            '\u{2028}' | '\u{2029}' => simple.push('\n'),
            '\u{3000}' => simple.push(' '),
            '\u{ff01}'..='\u{ffef}' => push_standard_width(c, &mut simple),
            _ => match ligature_letters(c) {
                Some(letters) => simple.push_str(letters),
                None => simple.push(straight_quote(c)),
            },
        }
    }
    simple
}

fn straight_quote(c: char) -> char {
    match c {
        '\u{2bc}' | '\u{2018}'..='\u{201b}' => '\'',
        '\u{201c}'..='\u{201f}' => '"',
        _ => c,
    }
}

/// The letters of a typographic ligature or a legacy digraph of the Latin alphabet.
fn ligature_letters(c: char) -> Option<&'static str> {
    Some(match c {
        'Ĳ' => "IJ",
        'ĳ' => "ij",
        'ŉ' => "'n",
        'Ǆ' => "DŽ",
        'ǅ' => "Dž",
        'ǆ' => "dž",
        'Ǉ' => "LJ",
        'ǈ' => "Lj",
        'ǉ' => "lj",
        'Ǌ' => "NJ",
        'ǋ' => "Nj",
        'ǌ' => "nj",
        'Ǳ' => "DZ",
        'ǲ' => "Dz",
        'ǳ' => "dz",
        'ﬀ' => "ff",
        'ﬁ' => "fi",
        'ﬂ' => "fl",
        'ﬃ' => "ffi",
        'ﬄ' => "ffl",
        'ﬅ' => "ſt",
        'ﬆ' => "st",
        _ => return None,
    })
}

/// Pushes the NFKC form of one of the full-width and half-width characters U+FF01 to U+FFEF.
fn push_standard_width(c: char, simple: &mut String) {
    /// What U+FF5F to U+FFEE stand for; U+3000 keeps the place of those that stay, U+FFE3 is two characters.
    const NARROW: &str = "\
        ⦅⦆。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン\
        \u{3099}\u{309a}\u{1160}ᄀᄁᆪᄂᆬᆭᄃᄄᄅᆰᆱᆲᆳᆴᆵᄚᄆᄇᄈᄡᄉᄊᄋᄌᄍᄎᄏᄐᄑᄒ\u{3000}\u{3000}\
        \u{3000}ᅡᅢᅣᅤᅥᅦ\u{3000}\u{3000}ᅧᅨᅩᅪᅫᅬ\u{3000}\u{3000}ᅭᅮᅯᅰᅱᅲ\u{3000}\
        \u{3000}ᅳᅴᅵ\u{3000}\u{3000}\u{3000}¢£¬\u{3000}¦¥₩\u{3000}│←↑→↓■○";
    match c {
        '\u{ff01}'..='\u{ff5e}' => simple.push((c as u32 - 0xff00 + 0x20) as u8 as char),
        '\u{ffe3}' => simple.push_str(" \u{304}"),
        _ => {
            let narrow = NARROW.chars().nth((c as usize).wrapping_sub(0xff5f));
            simple.push(narrow.filter(|&narrow| narrow != '\u{3000}').unwrap_or(c));
        }
    }
}

/// ftfy's `remove_terminal_escapes` and `remove_control_chars`.
fn remove_controls(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let read = if c == '\u{1b}' { terminal_escape_len(rest) } else { None };
        if read.is_none() && !is_removed_control(c) {
            kept.push(c);
        }
        rest = &rest[read.unwrap_or(c.len_utf8())..];
    }
    kept
}

/// Length of an escape such as `ESC [ 3 1 m` at the start of `text`.
fn terminal_escape_len(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let letter = parameters.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
    letter.starts_with(|c: char| c.is_ascii_alphabetic()).then(|| text.len() - letter.len() + 1)
}

fn is_removed_control(c: char) -> bool {
    matches!(c,
        '\0'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1f}' | '\u{7f}'
        | '\u{206a}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffc}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixes_what_ftfy_documents() {
        // >>> ftfy.fix_text(broken)
        for (broken, fixed) in [
            ("âœ” No problems", "✔ No problems"),
            ("&macr;\\_(ã\u{83}\u{84})_/&macr;", "¯\\_(ツ)_/¯"),
            ("Broken text&hellip; it&#x2019;s ﬂubberiﬁc!", "Broken text… it's flubberific!"),
            ("ＬＯＵＤ　ＮＯＩＳＥＳ", "LOUD NOISES"),
            ("Ｕﾀｰﾝ ￣", "Uターン  ̄"),
            ("\u{1b}[36;44mI'm blue\u{1b}[0m \u{1b}[", "I'm blue ["),
            ("a\r\nb\rc\u{2028}d\u{7}\u{feff}", "a\nb\nc\nd"),
            ("e\u{301}\u{212b}", "éÅ"),
        ] {
            assert_eq!(fix_text(broken), fixed, "{broken:?}");
        }
    }

    #[test]
    fn references_stay_from_the_first_line_with_a_tag_on() {
        assert_eq!(fix_text("&eacute;\n<b>\n&eacute;"), "é\n<b>\n&eacute;");
    }

    #[test]
    fn deep_nesting_ends() {
        let nested = format!("&{}", "amp;".repeat(10_000));
        assert!(fix_text(&nested).len() < nested.len());
    }
}
