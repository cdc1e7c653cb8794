//! The type of a check, and its input as text.

/// Checks one input.
pub type Check = Box<dyn Fn(&[u8]) + Send + Sync>;

/// Returns the input as text, up to what is not UTF-8.
pub(super) fn text(input: &[u8]) -> &str {
    match std::str::from_utf8(input) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&input[..error.valid_up_to()]).unwrap_or_default(),
    }
}
