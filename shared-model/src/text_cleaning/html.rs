//! HTML character references, as Python's `html.unescape` and ftfy's `unescape_html` decode them.

use super::windows_1252;
use std::borrow::Cow;
use std::sync::LazyLock;

/// The named references of HTML5 (<https://html.spec.whatwg.org/entities.json>), sorted, one a line: the name, `!`
/// if it also stands without its semicolon, and its code points in hexadecimal.
const ENTITIES: &str = include_str!("html5_entities.txt");

/// Longest name that `html.unescape` looks at, in characters.
const MAX_NAME_CHARS: usize = 32;

/// Longest name or number that ftfy looks at, in characters.
const MAX_FTFY_NAME_CHARS: usize = 24;

/// Python's `html.unescape` (<https://github.com/python/cpython/blob/v3.11.7/Lib/html/__init__.py>): every reference,
/// with or without its semicolon.
pub fn unescape(text: &str) -> Cow<'_, str> {
    replace_references(text, decode_reference)
}

/// ftfy's `unescape_html`: only references that end in a semicolon, also those in capitals (`&EACUTE;`).
pub fn unescape_unambiguous(text: &str) -> Cow<'_, str> {
    replace_references(text, decode_unambiguous_reference)
}

/// Replaces each reference by what `decode` makes of the text from its `&` on: what it stands for and its length.
fn replace_references(text: &str, decode: impl Fn(&str) -> Option<(String, usize)>) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut unescaped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(ampersand) = rest.find('&') {
        unescaped.push_str(&rest[..ampersand]);
        rest = &rest[ampersand..];
        let (decoded, read) = decode(rest).unwrap_or_else(|| ("&".into(), 1));
        unescaped.push_str(&decoded);
        rest = &rest[read..];
    }
    unescaped.push_str(rest);
    Cow::Owned(unescaped)
}

/// Decodes the reference at the start of `text`, if there is one.
fn decode_reference(text: &str) -> Option<(String, usize)> {
    if text.starts_with("&#") {
        return decode_numeric_reference(text);
    }
    let body = &text[1..];
    let ends_name = |c: char| matches!(c, '\t' | '\n' | '\x0c' | ' ' | '<' | '&' | '#' | ';');
    let name = leading(body, MAX_NAME_CHARS, |c| !ends_name(c));
    if body[name.len()..].starts_with(';')
        && let Some(entity) = find_entity(name)
    {
        return Some((entity.text(), 1 + name.len() + 1));
    }
    // `&notit` is `¬it`: the longest name that needs no semicolon, all of which are ASCII.
    let name = leading(name, MAX_NAME_CHARS, |c| c.is_ascii());
    (2..=name.len())
        .rev()
        .find_map(|len| find_entity(&name[..len]).filter(|e| e.is_legacy).map(|e| (e.text(), 1 + len)))
}

fn decode_numeric_reference(text: &str) -> Option<(String, usize)> {
    let number = &text["&#".len()..];
    let (digits, radix) = match number.strip_prefix(['x', 'X']) {
        Some(number) => (leading(number, usize::MAX, |c| c.is_ascii_hexdigit()), 16),
        None => (leading(number, usize::MAX, |c| c.is_ascii_digit()), 10),
    };
    if digits.is_empty() {
        return None;
    }
    let digits_end = "&#".len() + usize::from(radix == 16) + digits.len();
    let read = digits_end + usize::from(text[digits_end..].starts_with(';'));
    let code = u32::from_str_radix(digits, radix).unwrap_or(u32::MAX);
    Some((numbered_char(code).map(String::from).unwrap_or_default(), read))
}

/// The character of a numeric reference; none for controls and noncharacters, which vanish.
fn numbered_char(code: u32) -> Option<char> {
    match code {
        0 => Some(char::REPLACEMENT_CHARACTER),
        0x80..=0x9f => Some(windows_1252::char_of(code as u8)),
        0x01..=0x08 | 0x0b | 0x0e..=0x1f | 0x7f | 0xfdd0..=0xfdef => None,
        _ if code <= 0x10ffff && code & 0xfffe == 0xfffe => None,
        _ => Some(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)),
    }
}

fn decode_unambiguous_reference(text: &str) -> Option<(String, usize)> {
    let body = &text[1..];
    let name = leading(body.strip_prefix('#').unwrap_or(body), MAX_FTFY_NAME_CHARS, |c| c.is_ascii_alphanumeric());
    let name_end = 1 + usize::from(body.starts_with('#')) + name.len();
    if name.is_empty() || !text[name_end..].starts_with(';') {
        return None;
    }
    let read = name_end + 1;
    if body.starts_with('#') {
        // What is read only in part, or is itself a semicolon, stays as it stands.
        return decode_numeric_reference(&text[..read]).filter(|(decoded, len)| *len == read && decoded != ";");
    }
    if let Some(entity) = find_entity(name) {
        return Some((entity.text(), read));
    }
    let is_capital = !name.contains(|c: char| c.is_ascii_lowercase());
    if is_capital && decode_reference(&text[..read]).is_none() {
        let entity = find_entity(&name.to_ascii_lowercase())?;
        return Some((entity.text().to_uppercase(), read));
    }
    None
}

/// The start of `text` up to the first character that `belongs` refuses, at most `max_chars` characters.
fn leading(text: &str, max_chars: usize, belongs: impl Fn(char) -> bool) -> &str {
    let end = text.char_indices().enumerate().find(|&(n, (_, c))| n == max_chars || !belongs(c));
    end.map_or(text, |(_, (at, _))| &text[..at])
}

/// A named reference.
struct Entity {
    /// Whether it is also known without its semicolon.
    is_legacy: bool,
    code_points: &'static str,
}

impl Entity {
    fn text(&self) -> String {
        let codes = self.code_points.split(' ').map(|code| u32::from_str_radix(code, 16));
        codes.filter_map(|code| char::from_u32(code.ok()?)).collect()
    }
}

fn find_entity(name: &str) -> Option<Entity> {
    static LINES: LazyLock<Vec<(&str, &str)>> =
        LazyLock::new(|| ENTITIES.lines().filter_map(|line| line.split_once(' ')).collect());
    let line = LINES.binary_search_by_key(&name, |(name, _)| name).ok()?;
    let (_, value) = LINES[line];
    let legacy = value.strip_prefix("! ");
    Some(Entity { is_legacy: legacy.is_some(), code_points: legacy.unwrap_or(value) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unescapes_as_python_does() {
        for (escaped, expected) in [
            ("no reference", "no reference"),
            ("caf&eacute; &lt; &LT &CounterClockwiseContourIntegral;", "café < < ∳"),
            ("&notit; &notin; &notanentity;", "¬it; ∉ ¬anentity;"),
            ("&amp;amp; &ampamp;", "&amp; &amp;"),
            ("&#65;&#x42&#X43; &#; &#x; &", "ABC &#; &#x; &"),
            ("&#0;&#xD800;&#x110000;&#99999999999999999999;", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
            ("&#1;&#127;&#xFFFF;&#x80;&#x81;", "€\u{81}"),
            ("&NewLine;&Tab;&nGt;&fjlig;", "\n\t≫⃒fj"),
            ("&é; &aé", "&é; &aé"),
        ] {
            assert_eq!(unescape(escaped), expected, "{escaped}");
        }
    }

    #[test]
    fn ftfy_unescapes_what_is_unambiguous() {
        for (escaped, expected) in [
            ("&lt;tag&gt; &Jscr;ohn &checkmark;", "<tag> 𝒥ohn ✓"),
            ("P&EACUTE;REZ BUNDESSTRA&SZLIG;E &nTILDE;", "PÉREZ BUNDESSTRASSE &nTILDE;"),
            ("this&not that &amp &#65", "this&not that &amp &#65"),
            ("&#x41;&#59;&#12ab;&#1;", "A&#59;&#12ab;"),
        ] {
            assert_eq!(unescape_unambiguous(escaped), expected, "{escaped}");
        }
    }
}
