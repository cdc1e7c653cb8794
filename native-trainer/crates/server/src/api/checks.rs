//! Checks of the texts that a request may have encoded.

use std::fmt;

use shared_model::api::fields::PHOTO;

use crate::error::HttpError;
use crate::limits::Limits;

type Result<T> = std::result::Result<T, HttpError>;

/// Checks the custom texts of a parameter: not too many, none too long or empty.
pub(super) fn check_texts(name: &str, kind: &str, texts: &[String], limits: &Limits) -> Result<()> {
    let invalid = |what: String| Err(HttpError::invalid(format!("`{name}`: {what}")));
    if texts.len() > limits.max_labels as usize {
        let (n, most) = (texts.len(), limits.max_labels);
        return invalid(format!("{n} {kind}s in one request, over the limit of {most}"));
    }
    let limit_bytes = limits.max_label_bytes as usize;
    if texts.iter().any(|text| text.trim_start().starts_with("data:image/")) {
        return invalid(format!("a {kind} is a data URI; photos are sent as `{PHOTO}`"));
    }
    match texts.iter().position(|text| text.trim().is_empty() || text.len() > limit_bytes) {
        None => Ok(()),
        Some(at) => {
            let (n_bytes, number) = (texts[at].trim().len(), at + 1);
            invalid(format!("{kind} {number} has {n_bytes} bytes, expected 1 to {limit_bytes}"))
        }
    }
}

/// Checks the number of sentences to encode. `what` says of what they are and ends with their number, `way_out` what
/// the client can do.
pub(super) fn check_prompts(
    n_prompts: usize,
    what: impl fmt::Display,
    way_out: &str,
    limits: &Limits,
) -> Result<()> {
    let most = limits.max_prompts;
    if n_prompts <= most as usize {
        return Ok(());
    }
    Err(HttpError::invalid(format!(
        "{what} sentences to encode, over the limit of {most} in one request; {way_out}, or start the server with a \
         larger --max-prompts"
    )))
}
