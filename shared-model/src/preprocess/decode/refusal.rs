//! Errors that the decoders share.

use crate::Error;
use crate::file_kind::OtherFile;
use std::fmt::Display;

/// Returns the error for a damaged file, with the decoder's message on one line.
pub(super) fn damaged(detail: impl Display) -> Error {
    let detail = detail.to_string();
    Error::ImageDecode { detail: detail.split_whitespace().collect::<Vec<_>>().join(" ") }
}

/// Returns the error for a kind of picture that is not decoded, as in "a TIFF with CIE Lab colors".
pub(super) fn not_read(kind: &'static str) -> Error {
    Error::ImageFormat(OtherFile::Picture(kind))
}
