// SPDX-License-Identifier: Apache-2.0
//! Repairs of bytes that are nearly UTF-8: spaces that were A0, lost bytes, CESU-8 and Java's null.

use std::ops::RangeInclusive;

/// The bytes one position of a [`Pattern`] accepts.
type ByteSet = &'static [RangeInclusive<u8>];

/// A sequence of byte sets.
type Pattern = &'static [ByteSet];

const SPACE: ByteSet = &[b' '..=b' '];
const CONTINUATION: ByteSet = &[0x80..=0xbf];
/// Continuation bytes without 85 and A0, which other programs turn into dots and spaces.
const SAFE_CONTINUATION: ByteSet = &[0x80..=0x84, 0x86..=0x9f, 0xa1..=0xbf];
const LOST: ByteSet = &[0x1a..=0x1a];
const LOST_OR_QUESTION: ByteSet = &[0x1a..=0x1a, b'?'..=b'?'];
const LOST_OR_CONTINUATION: ByteSet = &[0x1a..=0x1a, 0x80..=0xbf];
const LEAD_OF_3: ByteSet = &[0xe0..=0xef];
const LEAD_OF_4: ByteSet = &[0xf0..=0xf4];
const CESU: ByteSet = &[0xed..=0xed];
const CESU_HIGH: ByteSet = &[0xa0..=0xaf];
const CESU_LOW: ByteSet = &[0xb0..=0xbf];

/// UTF-8 but for an A0 that became a space (ftfy's `ALTERED_UTF8_RE`).
const ALTERED_UTF8: &[Pattern] = &[
    &[&[0xc2..=0xc3, 0xc5..=0xc5, 0xce..=0xce, 0xd0..=0xd0, 0xd9..=0xd9], SPACE],
    &[&[0xe2..=0xe3], SPACE, SAFE_CONTINUATION],
    &[&[0xe0..=0xe3], SAFE_CONTINUATION, SPACE],
    &[&[0xf0..=0xf0], SPACE, CONTINUATION, CONTINUATION],
    &[&[0xf0..=0xf0], CONTINUATION, SPACE, CONTINUATION],
    &[&[0xf0..=0xf0], CONTINUATION, CONTINUATION, SPACE],
];

/// UTF-8 or CESU-8 of which bytes were lost (ftfy's `LOSSY_UTF8_RE`).
const LOSSY_UTF8: &[Pattern] = &[
    &[&[0xc2..=0xdf], LOST],
    &[&[0xc2..=0xc3], &[b'?'..=b'?']],
    &[CESU, CESU_HIGH, LOST_OR_QUESTION, CESU, CESU_LOW, &[0x1a..=0x1a, b'?'..=b'?', 0x80..=0xbf]],
    &[CESU, CESU_HIGH, &[0x1a..=0x1a, b'?'..=b'?', 0x80..=0xbf], CESU, CESU_LOW, LOST_OR_QUESTION],
    &[LEAD_OF_3, LOST_OR_QUESTION, LOST_OR_CONTINUATION],
    &[LEAD_OF_3, LOST_OR_CONTINUATION, LOST_OR_QUESTION],
    &[LEAD_OF_4, LOST_OR_QUESTION, LOST_OR_CONTINUATION, LOST_OR_CONTINUATION],
    &[LEAD_OF_4, LOST_OR_CONTINUATION, LOST_OR_QUESTION, LOST_OR_CONTINUATION],
    &[LEAD_OF_4, LOST_OR_CONTINUATION, LOST_OR_CONTINUATION, LOST_OR_QUESTION],
    &[LOST],
];

/// ftfy's `restore_byte_a0`: puts A0 back where a space stands inside what would else be UTF-8.
pub fn restore_byte_a0(bytes: Vec<u8>) -> Vec<u8> {
    if !(0..bytes.len()).any(|at| match_len(ALTERED_UTF8, &bytes[at..]).is_some()) {
        return bytes;
    }
    replace_matches(ALTERED_UTF8, &restore_a_grave(&bytes), |matched, restored| {
        restored.extend(matched.iter().map(|&byte| if byte == b' ' { 0xa0 } else { byte }));
    })
}

/// Keeps the space in the mojibake of "à la", where only the A0 got lost, unless a Portuguese word goes on there.
fn restore_a_grave(bytes: &[u8]) -> Vec<u8> {
    let goes_on =
        |rest: &[u8]| [&b" "[..], b"quele", b"quela", b"quilo", b"s "].iter().any(|w| rest.starts_with(w));
    let mut restored = Vec::with_capacity(bytes.len());
    for (at, &byte) in bytes.iter().enumerate() {
        restored.push(byte);
        if byte == 0xc3 && bytes[at + 1..].strip_prefix(b" ").is_some_and(|rest| !goes_on(rest)) {
            restored.push(0xa0);
        }
    }
    restored
}

/// ftfy's `replace_lossy_sequences`: one U+FFFD for each sequence of which bytes were lost.
pub fn replace_lossy_sequences(bytes: &[u8]) -> Vec<u8> {
    replace_matches(LOSSY_UTF8, bytes, |_, replaced| replaced.extend("\u{fffd}".as_bytes()))
}

/// Length of the first of `patterns` that `bytes` starts with.
fn match_len(patterns: &[Pattern], bytes: &[u8]) -> Option<usize> {
    let starts_with = |pattern: &Pattern| {
        pattern.len() <= bytes.len()
            && pattern.iter().zip(bytes).all(|(set, byte)| set.iter().any(|range| range.contains(byte)))
    };
    patterns.iter().find(|pattern| starts_with(pattern)).map(|pattern| pattern.len())
}

fn replace_matches(patterns: &[Pattern], bytes: &[u8], mut replace: impl FnMut(&[u8], &mut Vec<u8>)) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(&byte) = rest.first() {
        let read = match match_len(patterns, rest) {
            Some(len) => {
                replace(&rest[..len], &mut replaced);
                len
            }
            None => {
                replaced.push(byte);
                1
            }
        };
        rest = &rest[read..];
    }
    replaced
}

/// Decodes UTF-8, with CESU-8 and Java's null where ED or C0 hint at them (ftfy's `utf-8-variants`).
pub fn decode_utf8_variants(bytes: Vec<u8>) -> Option<String> {
    if !bytes.contains(&0xed) && !bytes.contains(&0xc0) {
        return String::from_utf8(bytes).ok();
    }
    let mut text = String::with_capacity(bytes.len());
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        let plain = (0..rest.len()).find(|&at| starts_variant(&rest[at..])).unwrap_or(rest.len());
        text.push_str(std::str::from_utf8(&rest[..plain]).ok()?);
        rest = &rest[plain..];
        match rest {
            [] => {}
            [0xc0, _, after @ ..] => {
                text.push('\0');
                rest = after;
            }
            [0xed, high @ 0xa0..=0xaf, mid @ 0x80..=0xbf, 0xed, low @ 0xb0..=0xbf, last, after @ ..]
                if matches!(last, 0x80..=0xbf) || (*last == b'\n' && after.is_empty()) =>
            {
                let bits = |byte: &u8, mask: u8, shift: u32| u32::from(byte & mask) << shift;
                let code = bits(high, 0xf, 16) + bits(mid, 0x3f, 10) + bits(low, 0xf, 6) + bits(last, 0x3f, 0);
                text.push(char::from_u32(0x10000 + code)?);
                rest = after;
            }
            _ => return None,
        }
    }
    Some(text)
}

/// Whether `bytes` starts with what plain UTF-8 forbids but its variants may allow.
///
/// ftfy's expressions end in `$`, which Python also lets match before a line feed at the very end.
fn starts_variant(bytes: &[u8]) -> bool {
    let ends = |rest: &[u8]| matches!(rest, [] | [b'\n']);
    match bytes {
        [0xc0, rest @ ..] => ends(rest) || rest[0] == 0x80,
        [0xed, 0xa0..=0xbf, rest @ ..] => ends(rest) || (0x80..=0xbf).contains(&rest[0]),
        [0xed, rest @ ..] => ends(rest),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restores_a0() {
        assert_eq!(restore_byte_a0(b"voil\xc3 le".to_vec()), b"voil\xc3\xa0 le");
        assert_eq!(restore_byte_a0(b"\xc3 s vezes".to_vec()), b"\xc3\xa0s vezes");
        assert_eq!(restore_byte_a0(b"\xe3\x81 ".to_vec()), b"\xe3\x81\xa0");
        assert_eq!(restore_byte_a0(b"a b".to_vec()), b"a b");
    }

    #[test]
    fn replaces_lossy_sequences() {
        let replaced = |bytes: &[u8]| String::from_utf8(replace_lossy_sequences(bytes)).unwrap();
        assert_eq!(replaced(b"\xe2\x80\x1a \xc3? \x1a"), "\u{fffd} \u{fffd} \u{fffd}");
    }

    #[test]
    fn decodes_variants() {
        let decoded = |bytes: &[u8]| decode_utf8_variants(bytes.to_vec());
        assert_eq!(decoded(b"\xed\xa0\xbd\xed\xb8\x8d").as_deref(), Some("😍"));
        assert_eq!(decoded(b"a\xc0\x80b \xed\x95\x9c").as_deref(), Some("a\0b 한"));
        for damaged in
            [&b"\xed\xa0\xbd"[..], b"\xed", b"\xc0", b"\xc0a", b"\xed\xb8\x8d\xed\xa0\xbd\xed\x95", b"\xff"]
        {
            assert_eq!(decoded(damaged), None, "{damaged:x?}");
        }
    }
}
