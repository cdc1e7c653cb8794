// SPDX-License-Identifier: Apache-2.0
//! Which characters, in which company, give mojibake away: ftfy's heuristic (`BADNESS_RE`, `UTF8_DETECTOR_RE`).
//!
//! Only a few hundred characters occur in mojibake of UTF-8. They are put into classes, and rules over the classes
//! name sequences that hardly ever are meant, such as an accented small letter before a currency sign.

use crate::text_cleaning::characters::{is_white_space, is_word};
use std::ops::Range;
use std::sync::LazyLock;

/// A set of classes, one bit each.
type Classes = u32;

/// Signs of many contexts, which say little by themselves.
const COMMON: Classes = 1;
/// Controls that nothing but mojibake uses.
const C1: Classes = 1 << 1;
/// Characters of which nearly every one is mojibake.
const BAD: Classes = 1 << 2;
const LAW: Classes = 1 << 3;
const CURRENCY: Classes = 1 << 4;
const START: Classes = 1 << 5;
const END: Classes = 1 << 6;
const NUMERIC: Classes = 1 << 7;
/// Letters that faces are drawn with.
const KAOMOJI: Classes = 1 << 8;
const UPPER_ACCENTED: Classes = 1 << 9;
const LOWER_ACCENTED: Classes = 1 << 10;
const UPPER_COMMON: Classes = 1 << 11;
const LOWER_COMMON: Classes = 1 << 12;
const BOX: Classes = 1 << 13;

/// What a lead byte of 2, 3 or 4 bytes looks like in one of the encodings.
const LEAD_OF_2: Classes = 1 << 14;
const LEAD_OF_3: Classes = 1 << 15;
const LEAD_OF_4: Classes = 1 << 16;
/// What a continuation byte looks like, or the space that A0 became.
const CONTINUATION: Classes = 1 << 17;
/// The same without spaces, dashes, quotes, the bullet and the ellipsis, which also stand for themselves.
const CONTINUATION_STRICT: Classes = 1 << 18;

/// General classes, worked out rather than listed.
const LATIN_LOWER: Classes = 1 << 19;
const LATIN_UPPER: Classes = 1 << 20;
const NOT_LATIN: Classes = 1 << 21;
const WHITE_SPACE: Classes = 1 << 22;
const WORD: Classes = 1 << 23;
const NOT_LINE_FEED: Classes = 1 << 24;

const ACCENTED: Classes = LOWER_ACCENTED | UPPER_ACCENTED;
const LATIN: Classes = LATIN_LOWER | LATIN_UPPER;

/// The members of each class; `-` between two characters stands for all from one to the other.
#[rustfmt::skip]
const MEMBERS: &[(Classes, &str)] = &[
    (COMMON, "\u{a0}\u{ad}´·–—―’…"),
    (C1, "\u{80}-\u{9f}"),
    (BAD, "¤¦¨ª¬¯¸ºƒˆˇ˘˛˜†‡‰⌐◊\u{fffd}"),
    (LAW, "§¶"),
    (CURRENCY, "¢£¥₧€"),
    (START, "¡©«¿΄΅‘‚“„•‹\u{f8ff}"),
    (END, "®»˝”›™"),
    (NUMERIC, "±²³µ¹¼½¾×÷⁄№∂∆∏∑√∞∩∫≈≠≡≤≥"),
    (KAOMOJI, "°Ò-ÖÙ-Üò-öø-üŌŐŪŲ"),
    (UPPER_ACCENTED, "À-ÑØÜÝĀĂĄĆČĎĐĒĖĘĚĞĢĪİĶĹĻĽŁŃŅŇŒŘŚŞŠŢŤŮŰŸŹŻŽҐ"),
    (LOWER_ACCENTED, "ß-ñüāăąćčďđēėęěğģīįķĺļľłœŕśşšťźżžґﬁﬂ"),
    (UPPER_COMMON, "ÞΆΈΉΊΌΎΏΑ-ΫЁ-Я"),
    (LOWER_COMMON, "ά-ωа-џ"),
    (BOX, "│┌┐┘├┤┬┼═-╬▀▄█▌▐-▓"),
    (LEAD_OF_2, "Â-ßĀĂĆČĎĐĒĖĘĚĞĢĪİĶĹĻŁŃŅŇŌŐŘŚŞŠŢŪŮŰŲŹŻŽΒ-ΡΣ-ίВ-Я"),
    (LEAD_OF_3, "à-ïāăąćčďēėęěģīįķĺļŕźΰ-οа-п"),
    (LEAD_OF_4, "ðóđğšπσру"),
    (CONTINUATION, "\u{20}\u{80}-¿ÆØæøĄąĽľŁłŒœŖŗŚśŞ-šŤťŸ-žƒˆˇ˘˛˜˝΄΅ΆΈΉΊΌΎΏЁ-ЌЎЏё-ќўџҐґ–—―‘’‚“”„†‡•…‰‹›€№™"),
    (CONTINUATION_STRICT, "\u{80}-¿ÆØæøĄąĽľŁłŒœŖŗŚśŞ-šŤťŸ-žƒˆˇ˘˛˜˝΄΅ΆΈΉΊΌΎΏЁ-ЌЎЏё-ќўџҐґ†‡‰‹›€№™"),
];

/// One position of a [`Rule`]: classes, and more characters.
type Set = (Classes, &'static str);

/// A sequence that gives mojibake away.
type Rule = &'static [Set];

const fn any_of(classes: Classes) -> Set {
    (classes, "")
}

const fn one_of(chars: &'static str) -> Set {
    (0, chars)
}

/// Windows-1252 mojibake of Arabic.
const AFTER_ARABIC_LEAD: Set = (COMMON | CURRENCY | BAD | NUMERIC | START, "ŸŠ®°µ»");

/// ftfy's `BADNESS_RE`, alternative by alternative, but for the one that is anchored to the start.
const RULES: &[Rule] = &[
    &[any_of(C1)],
    &[any_of(BAD | ACCENTED | BOX | START | END | CURRENCY | NUMERIC | LAW), any_of(BAD)],
    &[any_of(LATIN), any_of(LOWER_COMMON | UPPER_COMMON), any_of(BAD)],
    &[any_of(BAD), any_of(ACCENTED | BOX | START | END | CURRENCY | NUMERIC | LAW)],
    &[any_of(LOWER_ACCENTED | LOWER_COMMON | BOX | END | CURRENCY | NUMERIC), any_of(UPPER_ACCENTED)],
    &[any_of(BOX | END | CURRENCY | NUMERIC), any_of(LOWER_ACCENTED)],
    &[any_of(LOWER_ACCENTED | BOX | END), any_of(CURRENCY)],
    &[any_of(WHITE_SPACE), any_of(UPPER_ACCENTED), any_of(CURRENCY)],
    &[any_of(UPPER_ACCENTED | BOX), any_of(NUMERIC | LAW)],
    &[any_of(ACCENTED | BOX | CURRENCY | END), any_of(START), any_of(NUMERIC)],
    &[any_of(ACCENTED | CURRENCY | NUMERIC | BOX | LAW), any_of(END), any_of(START)],
    &[any_of(CURRENCY | NUMERIC | BOX), any_of(START)],
    &[any_of(LATIN_LOWER), any_of(UPPER_ACCENTED), any_of(START | CURRENCY)],
    &[any_of(BOX), any_of(KAOMOJI)],
    &[any_of(ACCENTED | CURRENCY | NUMERIC | START | END | LAW), any_of(BOX)],
    &[any_of(BOX), any_of(END)],
    &[any_of(ACCENTED), any_of(START | END), any_of(WORD)],
    // A ligature that no Latin letter follows.
    &[one_of("Œœ"), any_of(NOT_LATIN)],
    // A degree sign after a capital.
    &[any_of(UPPER_ACCENTED), one_of("°")],
    // Two-character mojibake of Windows-1252 that is not covered above.
    &[one_of("ÂÃÎÐ"), (START | END, "€œŠš¢£Ÿž\u{a0}\u{ad}®©°·»–—´")],
    &[one_of("×"), one_of("²³")],
    &[one_of("ØÙ"), AFTER_ARABIC_LEAD, one_of("ØÙ"), AFTER_ARABIC_LEAD],
    // Windows-1252 mojibake of South Asian scripts.
    &[one_of("à"), one_of("²µ¹¼½¾")],
    // MacRoman mojibake.
    &[one_of("√"), one_of("±∂†≠®™´≤≥¥µø")],
    &[one_of("≈"), one_of("°¢")],
    &[one_of("‚"), one_of("Ä"), one_of("ìîïòôúùû†°¢π")],
    &[one_of("‚"), one_of("âó"), one_of("àä°ê")],
    // Windows-1251 mojibake of U+2000 and on, of Latin-1 and Cyrillic, and of twice-mistaken Windows-1252.
    &[one_of("в"), one_of("Ђ")],
    &[one_of("ВГРС"), (C1 | BAD | START | END | CURRENCY, "°µ"), one_of("ВГРС")],
    &[one_of("Г"), one_of("ў"), one_of("В"), one_of("Ђ"), one_of("В"), any_of(NOT_LINE_FEED), (LATIN, " ")],
    // Windows-1252 encodings of à, á and the no-break space.
    &[one_of("Ã"), one_of("\u{a0}¡")],
    &[any_of(LATIN_LOWER), one_of("ÃÂ"), one_of(" ")],
    &[any_of(LATIN_LOWER), any_of(WHITE_SPACE), one_of("ÃÂ"), one_of(" ")],
    // Â before a character that it encodes as itself.
    &[(LATIN_LOWER | END, ".,?!"), one_of("Â"), (START | END, " ")],
    // Windows-1253 mojibake of U+2000 and on, and of Latin-1 and Greek.
    &[one_of("β"), one_of("€"), one_of("™\u{a0}Ά\u{ad}®°")],
    &[one_of("ΒΓΞΟ"), (C1 | BAD | START | END | CURRENCY, "°"), one_of("ΒΓΞΟ")],
    // Windows-1257 mojibake of U+2000 and on.
    &[one_of("ā"), one_of("€")],
];

/// Whether `text` looks like it contains mojibake.
pub fn is_bad(text: &str) -> bool {
    if text.starts_with("Ã ") || text.starts_with("Â ") {
        return true;
    }
    let chars: Vec<(char, Classes)> = text.chars().map(|c| (c, classes_of(c))).collect();
    let accepts = |&(classes, more): &Set, &(c, its_classes): &(char, Classes)| {
        classes & its_classes != 0 || (!c.is_ascii() || c.is_ascii_punctuation() || c == ' ') && more.contains(c)
    };
    let starts_with = |rule: &Rule, rest: &[(char, Classes)]| {
        rule.len() <= rest.len() && rule.iter().zip(rest).all(|(set, c)| accepts(set, c))
    };
    (0..chars.len()).any(|at| RULES.iter().any(|rule| starts_with(rule, &chars[at..])))
}

/// The byte ranges of runs that look like UTF-8 in some encoding, first to last.
///
/// None starts right after what looks like a continuation byte: part of a longer garble had better stay.
pub fn embedded_utf8(text: &str) -> Vec<Range<usize>> {
    let chars: Vec<(usize, Classes)> = text.char_indices().map(|(start, c)| (start, classes_of(c))).collect();
    let start_of = |at: usize| chars.get(at).map_or(text.len(), |&(start, _)| start);
    let sequence_len = |at: usize| {
        [(LEAD_OF_2, 2), (LEAD_OF_3, 3), (LEAD_OF_4, 4)].into_iter().find_map(|(lead, len)| {
            let sequence = chars.get(at..at + len)?;
            let continues = sequence[1..].iter().all(|&(_, classes)| classes & CONTINUATION != 0);
            (sequence[0].1 & lead != 0 && continues).then_some(len)
        })
    };

    let mut runs = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let mut end = at;
        if at == 0 || chars[at - 1].1 & CONTINUATION_STRICT == 0 {
            while let Some(len) = sequence_len(end) {
                end += len;
            }
        }
        if end > at {
            runs.push(start_of(at)..start_of(end));
        }
        at = end.max(at + 1);
    }
    runs
}

fn classes_of(c: char) -> Classes {
    static TABLE: LazyLock<Vec<(char, Classes)>> = LazyLock::new(|| {
        let mut members: Vec<(char, Classes)> =
            MEMBERS.iter().flat_map(|&(class, list)| expand(list).map(move |c| (c, class))).collect();
        members.sort_unstable();
        let mut table: Vec<(char, Classes)> = Vec::new();
        for (c, class) in members {
            match table.last_mut() {
                Some((last, classes)) if *last == c => *classes |= class,
                _ => table.push((c, class)),
            }
        }
        table
    });
    let listed = TABLE.binary_search_by_key(&c, |&(c, _)| c).map_or(0, |at| TABLE[at].1);
    let general = [
        (LATIN_LOWER, c.is_ascii_lowercase()),
        (LATIN_UPPER, c.is_ascii_uppercase()),
        (NOT_LATIN, !c.is_ascii_alphabetic()),
        (WHITE_SPACE, is_white_space(c)),
        (WORD, is_word(c)),
        (NOT_LINE_FEED, c != '\n'),
    ];
    general.into_iter().filter(|&(_, belongs)| belongs).fold(listed, |classes, (class, _)| classes | class)
}

/// The characters that a list of [`MEMBERS`] stands for.
fn expand(list: &str) -> impl Iterator<Item = char> {
    let chars: Vec<char> = list.chars().collect();
    let mut at = 0;
    std::iter::from_fn(move || {
        let first = *chars.get(at)?;
        let is_range = chars.get(at + 1) == Some(&'-');
        let last = if is_range { *chars.get(at + 2)? } else { first };
        at += if is_range { 3 } else { 1 };
        Some(first..=last)
    })
    .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_mojibake_from_text() {
        for bad in ["Ã©", "â€œ", "Â£10", "РїСЂРёРІРµС‚", "à²¨", "\u{80}", "Ã la"] {
            assert!(is_bad(bad), "{bad}");
        }
        for good in ["naïve café", "10°, 5 µm ± 2", "“quoted”", "Å", "Привет", "皮膚", "¿Qué?", "Ö_Ö", "ÀÉÎÕÜ"]
        {
            assert!(!is_bad(good), "{good}");
        }
    }

    #[test]
    fn finds_embedded_utf8() {
        let found = |text: &'static str| embedded_utf8(text).into_iter().map(|run| &text[run]).collect::<Vec<_>>();
        assert_eq!(found("漢Ã©Ã¨ and â€œ字"), ["Ã©Ã¨", "â€œ"]);
        assert_eq!(found("¿Ã©"), [""; 0]);
        assert_eq!(found("é"), [""; 0]);
    }
}
