//! Which language model is asked.

use std::path::PathBuf;
use std::time::Duration;

/// Environment variable with the key of a language model's service.
pub const KEY_VARIABLE: &str = "DERMAKE_LLM_KEY";

/// The key of a language model's service, from the environment.
pub fn key_of_environment() -> Option<String> {
    std::env::var(KEY_VARIABLE).ok().map(|key| key.trim().to_owned()).filter(|key| !key.is_empty())
}

/// Which model to ask, and how.
#[derive(Clone, Debug)]
pub struct LlmOptions {
    /// Base address, such as `https://api.example.org/v1`.
    pub endpoint: String,
    pub model: String,
    /// Bearer token.
    pub key: Option<String>,
    /// File of kept answers.
    pub answers: PathBuf,
    /// Time that one request may take.
    pub timeout: Duration,
    /// Wait after the first failed attempt; it doubles with each.
    pub retry_wait: Duration,
}
