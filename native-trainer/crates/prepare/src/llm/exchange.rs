//! One request and its retries.

use super::options::{KEY_VARIABLE, LlmOptions};
use anyhow::{Result, bail};
use dermake_hub::{JsonService, NoReply};
use dermake_process::interrupt::{self, Interrupted};
use serde::Deserialize;
use std::time::{Duration, Instant};

/// Attempts at one request.
const ATTEMPTS: u32 = 6;
/// Longest wait between two attempts, whatever the service says.
const MAX_WAIT: Duration = Duration::from_secs(120);
/// Largest answer that is read.
const MAX_ANSWER_BYTES: u64 = 1 << 20;
/// Characters of an answer that are shown in an error.
const SHOWN: usize = 300;

/// What came of a request.
pub enum Outcome {
    /// The text of the answer.
    Content(String),
    /// An answer that is too large or not of the form; asking again brings the same.
    Unusable,
    /// The service cannot process this request, in words.
    Refused(String),
}

/// The address of a model.
pub struct Endpoint {
    service: JsonService,
    url: String,
    retry_wait: Duration,
}

/// The parts of an answer that are read.
#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
}

/// Why an attempt brought no answer.
struct Failed {
    cause: String,
    retry_after: Option<Duration>,
}

impl Endpoint {
    pub fn new(options: &LlmOptions) -> Result<Self> {
        let base = options.endpoint.trim().trim_end_matches('/');
        let url =
            if base.ends_with("/chat/completions") { base.to_owned() } else { format!("{base}/chat/completions") };
        let service = JsonService::new(&url, options.key.clone(), options.timeout)?;
        Ok(Self { service, url, retry_wait: options.retry_wait })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Asks, and asks again while that may help.
    ///
    /// # Errors
    /// If the service refuses the key or the request, or fails in every attempt. What was answered before is kept.
    pub fn ask(&self, request: &str) -> Result<Outcome> {
        let mut last = String::new();
        for attempt in 0..ATTEMPTS {
            let failed = match self.attempt(request.as_bytes())? {
                Ok(outcome) => return Ok(outcome),
                Err(failed) => failed,
            };
            last = failed.cause;
            if attempt + 1 < ATTEMPTS {
                let wait = self.retry_wait * 2u32.pow(attempt);
                let wait = wait.max(failed.retry_after.unwrap_or_default()).min(MAX_WAIT);
                tracing::warn!("{last}; trying again in {:.0} s", wait.as_secs_f32());
                sleep(wait)?;
            }
        }
        bail!("the model did not answer in {ATTEMPTS} attempts ({last}); the answers so far are kept: {}", self.url)
    }

    fn attempt(&self, body: &[u8]) -> Result<Result<Outcome, Failed>> {
        if interrupt::is_requested() {
            bail!(Interrupted);
        }
        let reply = match self.service.post(body, MAX_ANSWER_BYTES) {
            Ok(reply) => reply,
            Err(NoReply::Passing(cause)) => return Ok(Err(Failed { cause, retry_after: None })),
            Err(NoReply::Final(cause)) => bail!("the model cannot be reached ({cause}): {}", self.url),
            Err(too_large @ NoReply::TooLarge { .. }) => {
                tracing::warn!("{too_large}; the lexicon reads this caption");
                return Ok(Ok(Outcome::Unusable));
            }
        };
        let said = || {
            let text = String::from_utf8_lossy(&reply.body);
            text.chars().take(SHOWN).collect::<String>()
        };
        match reply.status {
            200..=299 => Ok(match serde_json::from_slice::<Completion>(&reply.body) {
                Ok(completion) => {
                    let content = completion.choices.into_iter().next().and_then(|choice| choice.message.content);
                    Ok(content.map_or(Outcome::Unusable, Outcome::Content))
                }
                // A body that broke off on its way may come whole the next time.
                Err(error) => Err(Failed { cause: format!("the answer is no JSON ({error})"), retry_after: None }),
            }),
            401 | 403 => bail!(
                "the service refuses the key (status {}): set {KEY_VARIABLE} to one that may use the model: {}",
                reply.status,
                self.url
            ),
            408 | 409 | 425 | 429 | 500 | 502..=599 => Ok(Err(Failed {
                cause: format!("the service answers {}", reply.status),
                retry_after: reply.retry_after,
            })),
            status @ (400 | 422 | 501) => Ok(Ok(Outcome::Refused(format!("status {status}: {}", said())))),
            status => bail!("the service refuses the request (status {status}: {}): {}", said(), self.url),
        }
    }
}

/// Waits, unless the user stops the command.
fn sleep(wait: Duration) -> Result<()> {
    let end = Instant::now() + wait;
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        if interrupt::is_requested() {
            bail!(Interrupted);
        }
        std::thread::sleep(left.min(Duration::from_millis(200)));
    }
    Ok(())
}
