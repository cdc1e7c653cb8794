//! Errors that the decoders share.

use crate::Error;
use crate::preprocess::format::OtherFile;
use std::fmt::Display;

/// What decoders say of a file, on one line.
pub(super) fn damaged(detail: impl Display) -> Error {
    let detail = detail.to_string();
    Error::ImageDecode { detail: detail.split_whitespace().collect::<Vec<_>>().join(" ") }
}

/// A file that is whole, but of a kind that is not decoded, as in "a TIFF with CIE Lab colors".
pub(super) fn not_read(kind: &'static str) -> Error {
    Error::ImageFormat(OtherFile::Picture(kind))
}
