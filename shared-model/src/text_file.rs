//! Decodes text files: UTF-8 with or without a byte order mark, lines that end in LF, CR LF or CR.
//!
//! All text that people write is read through this module.

use crate::file_kind::FileKind;

/// Why bytes are not text that can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// UTF-16 or UTF-32.
    #[error(
        "the text is in {encoding}, expected UTF-8; save it again as UTF-8 (Excel: \"CSV UTF-8\"; editors: \"Save as\", \
         encoding UTF-8)"
    )]
    Encoding {
        /// Name of the encoding.
        encoding: &'static str,
    },
    /// A file of another kind.
    #[error("{found}, expected text; {advice}")]
    OtherFile {
        /// The kind of the file, in a sentence.
        found: &'static str,
        /// What to do about it.
        advice: &'static str,
    },
    /// A byte that is not UTF-8.
    #[error("line {line} has the byte 0x{byte:02X}, which is not UTF-8; save the text again as UTF-8")]
    NotUtf8 {
        /// Line of the byte; the first is 1.
        line: usize,
        /// The byte.
        byte: u8,
    },
    /// A zero byte.
    #[error("line {line} has a zero byte, expected text")]
    ZeroByte {
        /// Line of the byte; the first is 1.
        line: usize,
    },
}

/// UTF-8's byte order mark, which Excel and Windows editors write.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// First bytes of files that are given as text by mistake, the kind of these files, and what to do.
const OTHER_FILES: [(&[u8], &str, &str); 6] = [
    (b"PK\x03\x04", "this is an Excel workbook or another ZIP archive", "save it as \"CSV UTF-8\" or plain text"),
    (b"\xD0\xCF\x11\xE0", "this is an old Excel or Word file", "save it as \"CSV UTF-8\" or plain text"),
    (b"%PDF", "this is a PDF", "save its text as a plain text file"),
    (b"{\\rtf", "this is an RTF document", "save it as plain text"),
    (b"\x1F\x8B", "this is compressed with gzip", "unpack it"),
    (b"version https://git-lfs", "this is a Git LFS pointer, not the file itself", "run `git lfs pull`"),
];

/// Returns the text without its byte order mark.
///
/// # Errors
/// [`TextError`] when the bytes are not UTF-8; it says what they are instead.
pub fn decode(bytes: &[u8]) -> Result<&str, TextError> {
    let bytes = without_mark(bytes)?;
    let text = std::str::from_utf8(bytes).map_err(|err| {
        let at = err.valid_up_to();
        TextError::NotUtf8 { line: line_of(bytes, at), byte: bytes.get(at).copied().unwrap_or_default() }
    })?;
    match text.find('\0') {
        Some(at) => Err(TextError::ZeroByte { line: line_of(bytes, at) }),
        None => Ok(text),
    }
}

/// Returns the bytes without UTF-8's byte order mark, for readers that check each cell or value themselves.
///
/// # Errors
/// [`TextError`] for UTF-16, UTF-32 and files that are not text at all.
pub fn without_mark(mut bytes: &[u8]) -> Result<&[u8], TextError> {
    if is_picture(bytes) {
        let advice = "name the text file that belongs to the pictures";
        return Err(TextError::OtherFile { found: "this is a picture", advice });
    }
    if let Some(encoding) = wide_encoding(bytes) {
        return Err(TextError::Encoding { encoding });
    }
    while let Some(rest) = bytes.strip_prefix(MARK) {
        bytes = rest;
    }
    if let Some(&(_, found, advice)) = OTHER_FILES.iter().find(|(start, ..)| bytes.starts_with(start)) {
        return Err(TextError::OtherFile { found, advice });
    }
    if is_html(bytes) {
        return Err(TextError::OtherFile { found: "this is an HTML page", advice: "download the file itself" });
    }
    Ok(bytes)
}

/// Returns the lines of a text without their ends: LF, CR LF or a CR by itself.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

/// Returns the beginning of a text that could be long, for a message.
pub fn shortened(text: &str) -> String {
    const SHOWN: usize = 40;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Returns the name of a UTF-16 or UTF-32 encoding, detected by the byte order mark or by the zero bytes of the first
/// characters.
fn wide_encoding(bytes: &[u8]) -> Option<&'static str> {
    /// Bytes that are examined.
    const N_SEEN: usize = 256;
    const MARKS: [(&[u8], &str); 4] = [
        (b"\xFF\xFE\0\0", "UTF-32 (little-endian)"),
        (b"\0\0\xFE\xFF", "UTF-32 (big-endian)"),
        (b"\xFF\xFE", "UTF-16 (little-endian)"),
        (b"\xFE\xFF", "UTF-16 (big-endian)"),
    ];
    if let Some(&(_, encoding)) = MARKS.iter().find(|(mark, _)| bytes.starts_with(mark)) {
        return Some(encoding);
    }
    let seen = &bytes[..bytes.len().min(N_SEEN) / 4 * 4];
    // Whether most bytes are zero at one of the four positions of a four-byte unit.
    let is_zero = |place: usize| {
        let n_zero = seen.iter().skip(place).step_by(4).filter(|&&byte| byte == 0).count();
        n_zero > 0 && 4 * n_zero >= 3 * (seen.len() / 4)
    };
    match [0, 1, 2, 3].map(is_zero) {
        [false, true, true, true] => Some("UTF-32 (little-endian)"),
        [true, true, true, false] => Some("UTF-32 (big-endian)"),
        [false, true, false, true] => Some("UTF-16 (little-endian)"),
        [true, false, true, false] => Some("UTF-16 (big-endian)"),
        _ => None,
    }
}

/// Returns whether the bytes are a picture. Some formats begin with letters, like a text, but have control characters.
fn is_picture(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(FileKind::HEAD_BYTES)];
    let is_picture = match FileKind::of(head) {
        FileKind::Picture(_) => true,
        FileKind::Other(kind) => kind.is_picture(),
    };
    let has_control = || head.iter().any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace());
    is_picture && has_control()
}

fn is_html(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    let starts_with =
        |start: &str| text.get(..start.len()).is_some_and(|t| t.eq_ignore_ascii_case(start.as_bytes()));
    starts_with("<!doctype html") || starts_with("<html")
}

/// Returns the number of the line of byte `at`; the first line is 1.
fn line_of(bytes: &[u8], at: usize) -> usize {
    let ends_line = |&at: &usize| match bytes[at] {
        b'\n' => true,
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    };
    1 + (0..at).filter(ends_line).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn a_byte_order_mark_is_dropped_however_often_it_is_there() {
        for bytes in [&b"acne"[..], b"\xEF\xBB\xBFacne", b"\xEF\xBB\xBF\xEF\xBB\xBFacne"] {
            assert_eq!(decode(bytes), Ok("acne"));
        }
        assert_eq!((decode(b""), decode(MARK)), (Ok(""), Ok("")));
    }

    #[test]
    fn wide_encodings_are_refused_by_name_with_and_without_a_mark() {
        for text in ["acne\nnevus\n", "[\"acne\"]", "\u{feff}filename,label\na.png,Ö\n"] {
            for (encoding, bytes) in [
                ("UTF-16 (little-endian)", utf16(text, u16::to_le_bytes)),
                ("UTF-16 (big-endian)", utf16(text, u16::to_be_bytes)),
                ("UTF-32 (little-endian)", text.chars().flat_map(|c| (c as u32).to_le_bytes()).collect()),
                ("UTF-32 (big-endian)", text.chars().flat_map(|c| (c as u32).to_be_bytes()).collect()),
            ] {
                assert_eq!(decode(&bytes), Err(TextError::Encoding { encoding }), "{text:?}");
            }
        }
    }

    #[test]
    fn the_line_of_the_first_bad_byte_is_named_whatever_ends_lines() {
        for end in ["\n", "\r\n", "\r"] {
            let bytes = [b"acne", end.as_bytes(), b"B", end.as_bytes(), b"ek\xE4mpfung"].concat();
            assert_eq!(decode(&bytes), Err(TextError::NotUtf8 { line: 3, byte: 0xE4 }), "{end:?}");
        }
        assert_eq!(decode(b"acne\nne\0vus and more text"), Err(TextError::ZeroByte { line: 2 }));
    }

    #[test]
    fn files_that_are_no_text_are_named() {
        for (bytes, expected) in [
            (&b"PK\x03\x04\x14\0\x06\0"[..], "Excel workbook"),
            (b"\xEF\xBB\xBF<!DOCTYPE html><title>Sign in</title>", "HTML page"),
            (b"\n<HTML>", "HTML page"),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
            (b"\x1F\x8B\x08", "unpack it"),
            (b"\xFF\xD8\xFF\xE0\0\x10JFIF\0", "this is a picture"),
            (b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR", "this is a picture"),
            (b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", "this is a picture"),
        ] {
            let message = decode(bytes).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
        for text in ["BM\nacne", "BMI,label\n22,1\n", "P5 3\n", "GIF89a"] {
            assert_eq!(decode(text.as_bytes()), Ok(text));
        }
    }

    #[test]
    fn a_long_text_is_cut_behind_a_character() {
        assert_eq!(shortened("acne"), "acne");
        assert_eq!(shortened(&"é".repeat(41)), "é".repeat(40) + "…");
    }

    #[test]
    fn lines_end_in_lf_cr_lf_or_cr() {
        for text in ["a\nb\nc", "a\r\nb\r\nc\r\n", "a\rb\rc\r", "a\r\r\nb\nc"] {
            assert_eq!(lines(text).collect::<Vec<_>>(), ["a", "b", "c"], "{text:?}");
        }
        assert_eq!(lines("a\n\nb").collect::<Vec<_>>(), ["a", "", "b"]);
        assert_eq!(lines("").count(), 0);
    }
}
