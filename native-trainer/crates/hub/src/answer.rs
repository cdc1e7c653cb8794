//! An answer of a hub: its headers, those of the redirects before it, and its body.

use std::io::Read;
use std::time::Duration;

use ureq::Body;
use ureq::http::{HeaderMap, Response};

/// Largest answer that is not a file, in bytes.
const MAX_TEXT_BYTES: u64 = 64 << 20;

/// The last answer of a chain of redirects, and what earlier answers said about the file.
pub(super) struct Answer {
    response: Response<Body>,
    /// Headers of the redirects before it, in their order.
    passed: Vec<HeaderMap>,
}

impl Answer {
    pub(super) fn after(passed: Vec<HeaderMap>, response: Response<Body>) -> Self {
        Self { response, passed }
    }

    pub(super) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// Returns whether the file is elsewhere.
    pub(super) fn is_redirect(&self) -> bool {
        matches!(self.status(), 301 | 302 | 303 | 307 | 308)
    }

    /// A header of the last answer.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        text(self.response.headers(), name)
    }

    /// A header of the first answer that has it.
    pub(super) fn first_header(&self, name: &str) -> Option<&str> {
        self.all().find_map(|headers| text(headers, name))
    }

    /// A header of the first answer that has this other one, too.
    pub(super) fn header_beside(&self, name: &str, other: &str) -> Option<&str> {
        self.all().find(|headers| headers.contains_key(other)).and_then(|headers| text(headers, name))
    }

    fn all(&self) -> impl Iterator<Item = &HeaderMap> {
        self.passed.iter().chain([self.response.headers()])
    }

    /// The headers of all answers.
    pub(super) fn into_headers(mut self) -> Vec<HeaderMap> {
        self.passed.push(self.response.into_parts().0.headers);
        self.passed
    }

    /// Returns whether an answer is a web page: a login, a proxy's page, an error.
    pub(super) fn is_page(&self) -> bool {
        self.header("content-type")
            .is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"))
    }

    /// The pause that the server asks for: its `Retry-After`, if it is in seconds, else until its rate allows requests.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        let secs = self.header("retry-after").and_then(|secs| secs.trim().parse().ok());
        let of_rate = || self.header("ratelimit").and_then(secs_until_reset).filter(|_| self.is_rate_limited());
        secs.or_else(of_rate).map(Duration::from_secs)
    }

    /// Returns whether the same request may succeed later.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self.status(), 408 | 425 | 429 | 500..)
    }

    fn is_rate_limited(&self) -> bool {
        self.status() == 429
    }

    /// The status of a refusal, and what to do about it.
    pub(super) fn status_in_words(&self, has_token: bool) -> String {
        let status = format!("HTTP status {}", self.status());
        if !self.is_rate_limited() {
            return status;
        }
        let later = match self.retry_after() {
            Some(pause) => format!("try again in {} s", pause.as_secs()),
            None => "try again later".to_owned(),
        };
        let token = if has_token { "" } else { "set HF_TOKEN, or " };
        format!("{status}: rate limited; {token}{later}")
    }

    /// The whole answer.
    pub(super) fn text(self) -> std::io::Result<Vec<u8>> {
        let mut text = Vec::new();
        self.body().take(MAX_TEXT_BYTES).read_to_end(&mut text)?;
        Ok(text)
    }

    pub(super) fn body(self) -> impl Read {
        self.response.into_body().into_with_config().limit(u64::MAX).reader()
    }
}

/// Seconds after which all spent rates of a `RateLimit` header, such as `"api";r=0;t=20`, are filled again.
fn secs_until_reset(header: &str) -> Option<u64> {
    let of_rate = |rate: &str| {
        let number =
            |name| rate.split(';').find_map(|part| part.trim().strip_prefix(name)?.trim().parse::<u64>().ok());
        number("t=").filter(|_| number("r=").is_none_or(|n_left| n_left == 0))
    };
    header.split(',').filter_map(of_rate).max()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_spent_rate_is_read() {
        for (header, expected) in [
            ("\"api\";r=0;t=20", Some(20)),
            ("\"api\"; r=0; t=20, \"pages\";r=99;t=300, \"resolvers\";r=0;t=45", Some(45)),
            ("\"api\";t=7", Some(7)),
            ("\"api\";r=499;t=20", None),
            ("\"api\";r=0;t=soon", None),
            ("", None),
        ] {
            assert_eq!(secs_until_reset(header), expected, "{header}");
        }
    }
}
