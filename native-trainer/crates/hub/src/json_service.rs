//! Requests to a service that answers with JSON, such as a language model's, over the hub's certificates and proxies.

use super::client::Client;
use super::error::Result;
use super::settings::HubSettings;
use std::io::Read;
use std::time::Duration;

/// Sends JSON to one address.
pub struct JsonService {
    client: Client,
}

/// An answer, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    /// The service's `Retry-After`, if it is in seconds.
    pub retry_after: Option<Duration>,
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoReply {
    /// The same request may succeed later.
    #[error("{0}")]
    Passing(String),
    #[error("{0}")]
    Final(String),
    #[error("the answer has more than {limit_bytes} bytes")]
    TooLarge { limit_bytes: u64 },
}

impl JsonService {
    /// Prepares requests to `url`, with `key` as bearer token; one takes `timeout` at most.
    ///
    /// # Errors
    /// For an address that is none, a key that no header can hold, or certificates that cannot be read.
    pub fn new(url: &str, key: Option<String>, timeout: Duration) -> Result<Self> {
        let settings = HubSettings {
            endpoint: url.to_owned(),
            token: key,
            stall_timeout: timeout,
            ..HubSettings::from_env()?
        };
        Ok(Self { client: Client::new(&settings)? })
    }

    /// Sends a request and reads the answer, up to `limit_bytes`.
    ///
    /// # Errors
    /// [`NoReply`] if none came in time or it is too large; a status such as 500 is an answer.
    pub fn post(&self, body: &[u8], limit_bytes: u64) -> Result<Reply, NoReply> {
        let answer = self.client.post(body).map_err(|unanswered| {
            let cause = unanswered.cause.to_string();
            if unanswered.is_passing { NoReply::Passing(cause) } else { NoReply::Final(cause) }
        })?;
        let (status, retry_after) = (answer.status(), answer.retry_after());
        let mut body = Vec::new();
        let read = answer.body().take(limit_bytes + 1).read_to_end(&mut body);
        read.map_err(|error| NoReply::Passing(format!("the answer broke off ({error})")))?;
        if body.len() as u64 > limit_bytes {
            return Err(NoReply::TooLarge { limit_bytes });
        }
        Ok(Reply { status, retry_after, body })
    }
}
