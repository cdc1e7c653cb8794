//! Detects files that are not a checkpoint: a pointer, a web page, an archive, another format.

use crate::text_file::{self, TextError};
use crate::{Error, Result};

/// The kind of a file that is not a checkpoint, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Foreign {
    /// The kind of the file, with an article.
    pub found: String,
    /// What to do about it.
    pub advice: &'static str,
}

const AGAIN: &str = "download the file itself again";
const UNPACK: &str = "unpack it and name the file inside";
const EXPORT: &str = "expected safetensors or what PyTorch's torch.save writes; export the model's state_dict";

/// Offset of a signature, the signature, the kind of such files, and what to do about them.
const SIGNATURES: [(usize, &[u8], &str, &str); 19] = [
    (0, b"\x1f\x8b", "a gzip archive", UNPACK),
    (0, b"BZh", "a bzip2 archive", UNPACK),
    (0, b"\xfd7zXZ\0", "an xz archive", UNPACK),
    (0, b"\x28\xb5\x2f\xfd", "a zstd archive", UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (0, b"Rar!", "a RAR archive", UNPACK),
    (257, b"ustar", "a tar archive", UNPACK),
    (0, b"PK\x03\x04", "a zip archive", UNPACK),
    (0, b"PK\x05\x06", "an empty zip archive", AGAIN),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file (Keras)", EXPORT),
    (0, b"\x93NUMPY", "a NumPy array", EXPORT),
    (0, b"GGUF", "a GGUF file", EXPORT),
    (4, b"TFL3", "a TensorFlow Lite model", EXPORT),
    (0, b"%PDF-", "a PDF document", AGAIN),
    (0, b"\x89PNG", "a PNG picture", AGAIN),
    (0, b"\xff\xd8\xff", "a JPEG picture", AGAIN),
    (0, b"SQLite format 3\0", "an SQLite database", EXPORT),
    (0, b"\x7fELF", "a program", AGAIN),
    (0, b"MZ\x90\0", "a Windows program", AGAIN),
];

/// The number at the start of files of PyTorch before 1.6.
const LEGACY_TORCH: &[u8] = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";

/// How many bytes of a text are examined.
const TEXT_BYTES: usize = 1024;

impl Foreign {
    /// Detects the kind of a file that is neither safetensors nor a zip archive.
    pub fn of(bytes: &[u8]) -> Self {
        let known = SIGNATURES
            .iter()
            .find(|(at, signature, ..)| bytes.get(*at..).is_some_and(|bytes| bytes.starts_with(signature)));
        if let Some((_, _, found, advice)) = known {
            return Self::new(*found, advice);
        }
        if bytes.is_empty() {
            return Self::new("an empty file", AGAIN);
        }
        if bytes.iter().take(1 << 16).all(|&byte| byte == 0) {
            return Self::new("nothing but zeros, as an unfinished download leaves", AGAIN);
        }
        pickle(bytes)
            .or_else(|| is_onnx(bytes).then(|| Self::new("an ONNX model", EXPORT)))
            .or_else(|| Self::text(bytes))
            .unwrap_or_else(|| {
                let first: Vec<String> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
                Self::new(format!("a file of an unknown format (it begins with {})", first.join(" ")), EXPORT)
            })
    }

    /// Detects the kind of a text; `None` for bytes that are not text.
    pub fn text(bytes: &[u8]) -> Option<Self> {
        let head = &bytes[..bytes.len().min(TEXT_BYTES)];
        let text = match std::str::from_utf8(head) {
            Ok(text) => text,
            // A character may have been cut in two.
            Err(error) if bytes.len() > TEXT_BYTES && error.valid_up_to() + 4 > TEXT_BYTES => {
                std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
            }
            Err(_) => return None,
        };
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
            return None;
        }
        let lower = text.to_ascii_lowercase();
        if lower.starts_with("version https://git-lfs") || lower.starts_with("version https://hawser") {
            let size = text.lines().find_map(|line| line.strip_prefix("size "));
            let of = size.map(|bytes| format!(" to {bytes} bytes")).unwrap_or_default();
            let found = format!("a Git LFS pointer{of}");
            return Some(Self::new(found, "fetch the file it stands for with `git lfs pull`"));
        }
        if ["<!doctype html", "<html", "<head"].iter().any(|start| lower.starts_with(start)) {
            return Some(Self::new(
                "a web page",
                "the address led to a page instead of the file (a login, an error, a preview): download the file itself",
            ));
        }
        if lower.starts_with('<') {
            let code = text.split_once("<Code>").and_then(|(_, rest)| Some(rest.split_once("</Code>")?.0));
            let said = code.map(|code| format!(" ({code})")).unwrap_or_default();
            return Some(Self::new(format!("the XML answer of a server{said}"), AGAIN));
        }
        if lower.starts_with(['{', '[']) {
            let advice = "name the weights, not a config or an index of another program";
            return Some(match server_says(bytes) {
                Some(said) => Self::new(format!("the JSON answer of a server ({said})"), AGAIN),
                None => Self::new("a JSON file", advice),
            });
        }
        let line: String = text.lines().next().unwrap_or_default().chars().take(60).collect();
        Some(Self::new(format!("a text file (`{line}`)"), "name the weights themselves"))
    }

    /// Returns the error for a file that was expected to be `expected`.
    pub fn into_error<T>(self, expected: &'static str) -> Result<T> {
        Err(Error::ForeignFile { expected, found: self.found, advice: self.advice })
    }

    /// Creates a description.
    pub fn new(found: impl Into<String>, advice: &'static str) -> Self {
        Self { found: found.into(), advice }
    }

    /// Detects the kind of a zip archive from the names of its members; `None` for a checkpoint of PyTorch.
    pub fn zip(members: &[String]) -> Option<Self> {
        let has = |part: &str| members.iter().any(|name| name.contains(part));
        let ends = |ending: &str| members.iter().any(|name| name.ends_with(ending));
        if ends("/constants.pkl") || has("/code/__torch__") {
            let advice =
                "a script cannot be run here; in Python, save torch.jit.load(file).state_dict() with torch.save";
            return Some(Self::new("a TorchScript archive", advice));
        }
        if ends("data.pkl") {
            return None;
        }
        let inner = [".safetensors", ".bin", ".pt", ".pth", ".ckpt"];
        if let Some(name) = members.iter().find(|name| inner.iter().any(|ending| name.ends_with(ending))) {
            return Some(Self::new(format!("a zip archive with {name} in it"), UNPACK));
        }
        Some(match () {
            () if !members.is_empty() && members.iter().all(|name| name.ends_with(".npy")) => {
                Self::new("a NumPy archive (.npz)", EXPORT)
            }
            () if ends(".h5") => Self::new("a Keras archive", EXPORT),
            () if has("[Content_Types].xml") => Self::new("an Office document", AGAIN),
            () => Self::new("a zip archive that PyTorch did not write (it has no data.pkl)", EXPORT),
        })
    }
}

/// Returns the text of a JSON file.
///
/// # Errors
/// [`Error::ForeignFile`] for other kinds of files; the errors of [`text_file::decode`].
pub(crate) fn json_text<'a>(bytes: &'a [u8], expected: &'static str) -> Result<&'a str> {
    match text_file::decode(bytes) {
        Ok(text) if text.trim_start().starts_with(['{', '[']) => Ok(text),
        Err(error @ TextError::Encoding { .. }) => Err(error.into()),
        _ => Foreign::of(bytes).into_error(expected),
    }
}

/// Describes a text file in the place of a model's file, and what to do about it; `None` for other bytes.
pub fn foreign_text(bytes: &[u8]) -> Option<String> {
    let Foreign { found, advice } = if bytes.is_empty() { Foreign::of(bytes) } else { Foreign::text(bytes)? };
    Some(format!("{found}; {advice}"))
}

fn pickle(bytes: &[u8]) -> Option<Foreign> {
    if !matches!(bytes, [0x80, 2..=5, ..]) {
        return None;
    }
    let head = &bytes[..bytes.len().min(64)];
    if head.windows(LEGACY_TORCH.len()).any(|window| window == LEGACY_TORCH) {
        let advice = "in Python, write it again with torch.save(torch.load(file), new_file)";
        return Some(Foreign::new("a PyTorch file of the format before 1.6", advice));
    }
    Some(Foreign::new("a pickle without PyTorch's archive around it", "write it with torch.save"))
}

/// Returns whether the bytes begin like ONNX: `ir_version`, then a producer's name or the graph.
fn is_onnx(bytes: &[u8]) -> bool {
    match bytes {
        [0x08, 1..=0x20, 0x12, length, rest @ ..] => {
            let name = rest.get(..usize::from(*length)).unwrap_or_default();
            !name.is_empty() && name.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ')
        }
        [0x08, 1..=0x20, 0x3a, ..] => true,
        _ => false,
    }
}

/// Returns the error message of a server's JSON answer.
fn server_says(bytes: &[u8]) -> Option<String> {
    let answer: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let said = ["error", "message", "detail"].iter().find_map(|field| answer.get(field))?;
    let said = said.get("message").unwrap_or(said);
    Some(said.as_str()?.chars().take(100).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_no_checkpoint_are_named() {
        let tar = [&[b'a'; 257][..], b"ustar\0"].concat();
        for (bytes, expected) in [
            (&b""[..], "an empty file"),
            (&[0; 4096], "nothing but zeros"),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 598\n", "pointer to 598 bytes"),
            (b"\xef\xbb\xbf\r\n<!DOCTYPE html><title>Log in</title>", "a web page"),
            (b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "(AccessDenied)"),
            (br#"{"error":"Repository not found"}"#, "(Repository not found)"),
            (br#"{"error":{"message":"no"}}"#, "(no)"),
            (br#"{"model_cfg":{}}"#, "a JSON file"),
            (b"Entry not found", "a text file (`Entry not found`)"),
            (b"\x1f\x8b\x08\0", "a gzip archive"),
            (&tar, "a tar archive"),
            (b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.", "before 1.6"),
            (b"\x80\x04\x95\0\0", "a pickle without"),
            (b"\x08\x07\x12\x07pytorch\x1a\x05", "an ONNX model"),
            (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
            (b"\x93NUMPY\x01", "a NumPy array"),
            (b"\x01\x02\xff\xfe", "it begins with 01 02 ff fe"),
        ] {
            let foreign = Foreign::of(bytes);
            assert!(foreign.found.contains(expected), "{}", foreign.found);
            assert!(!foreign.advice.is_empty());
        }
    }

    #[test]
    fn archives_are_named_by_their_members() {
        let named = |members: &[&str]| {
            Foreign::zip(&members.iter().map(|name| name.to_string()).collect::<Vec<_>>()).map(|zip| zip.found)
        };
        assert_eq!(named(&["archive/data.pkl", "archive/data/0", "archive/version"]), None);
        assert_eq!(named(&["m/data.pkl", "m/constants.pkl"]).unwrap(), "a TorchScript archive");
        assert_eq!(named(&["a.npy", "b.npy"]).unwrap(), "a NumPy archive (.npz)");
        assert!(named(&["MAKE/open_clip_model.safetensors"]).unwrap().contains("MAKE/open_clip_model.safetensors"));
        assert!(named(&["readme.txt"]).unwrap().contains("PyTorch did not write"));
    }
}
