//! Resuming a partial download: which range to request, what a response contains, and how often to retry.
//!
//! Pure; the requests are made in `transfer.rs`. Ranges are those of RFC 9110, section 14.

/// How much of a file has been received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub n_bytes: u64,
    /// Size of the whole file.
    pub total: u64,
}

/// What a response contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeResponse {
    /// The bytes after the received part.
    Rest,
    /// The file from its first byte.
    Whole,
    /// No bytes at that position: the received part is not of the file that the server has.
    OtherFile,
    Refused,
}

impl Part {
    /// Whether it is not longer than the file.
    pub fn fits(self) -> bool {
        self.n_bytes <= self.total
    }

    pub fn is_whole(self) -> bool {
        self.n_bytes == self.total
    }

    /// The `Range` header of the next request; `None` if nothing has been received.
    pub fn range(self) -> Option<String> {
        (self.n_bytes > 0).then(|| format!("bytes={}-", self.n_bytes))
    }

    /// Classifies the response to a request for [`Self::range`].
    ///
    /// The `Content-Range` of another origin may be hidden; a wrong range is then found by the file's hash.
    pub fn classify(self, status: u16, content_range: Option<&str>) -> RangeResponse {
        match (status, content_range.map(ContentRange::parse)) {
            (206, None) => RangeResponse::Rest,
            (206, Some(Some(range))) if range.continues(self) => RangeResponse::Rest,
            (206 | 416, _) if self.n_bytes > 0 => RangeResponse::OtherFile,
            (206, _) => RangeResponse::Refused,
            (200..300, _) => RangeResponse::Whole,
            _ => RangeResponse::Refused,
        }
    }
}

/// `Content-Range: bytes 5-9/10`; the file's length may be `*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ContentRange {
    first: u64,
    last: u64,
    total: Option<u64>,
}

impl ContentRange {
    fn parse(header: &str) -> Option<Self> {
        let (unit, range) = header.trim().split_once(' ')?;
        let (bounds, total) = range.trim().split_once('/')?;
        let (first, last) = bounds.split_once('-')?;
        let total = if total == "*" { None } else { Some(parse_digits(total)?) };
        unit.eq_ignore_ascii_case("bytes").then_some(Self {
            first: parse_digits(first)?,
            last: parse_digits(last)?,
            total,
        })
    }

    fn continues(self, part: Part) -> bool {
        let is_of_file = self.total.is_none_or(|total| total == part.total);
        is_of_file && self.first == part.n_bytes && (self.first..part.total).contains(&self.last)
    }
}

/// Parses digits only, without a sign.
fn parse_digits(digits: &str) -> Option<u64> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// Budget of requests for the rest of a file: a limited number after connections that delivered bytes, and one after a
/// connection that timed out without any.
#[derive(Debug)]
pub struct RetryBudget {
    n_left: u32,
    n_timeouts_left: u32,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self { n_left: 8, n_timeouts_left: 1 }
    }
}

impl RetryBudget {
    /// Whether to request the rest, after a connection that delivered `n_delivered` bytes and then broke or timed out.
    pub fn allows_retry(&mut self, n_delivered: u64, has_timed_out: bool) -> bool {
        let is_empty = n_delivered == 0;
        let is_allowed = self.n_left > 0 && (!is_empty || has_timed_out && self.n_timeouts_left > 0);
        self.n_left = self.n_left.saturating_sub(1);
        self.n_timeouts_left = self.n_timeouts_left.saturating_sub(u32::from(is_empty));
        is_allowed
    }
}

/// Pauses before further requests when the server cannot be reached in the middle of a download: a phone that changes
/// networks, or is in a lift, has none for seconds.
#[derive(Debug, Default)]
pub struct OutagePauses {
    /// Pauses in a row; `None` before the first byte, when a request that fails has failed.
    n_taken: Option<usize>,
}

impl OutagePauses {
    const MILLIS: [u32; 4] = [1_000, 2_000, 4_000, 8_000];

    /// Begins again, after a connection that delivered `n_delivered` bytes.
    pub fn note_delivered(&mut self, n_delivered: u64) {
        if n_delivered > 0 {
            self.n_taken = Some(0);
        }
    }

    /// Returns the next pause in milliseconds; `None` if there was no connection for all of them.
    pub fn next_millis(&mut self) -> Option<u32> {
        let n_taken = self.n_taken.as_mut()?;
        let millis = Self::MILLIS.get(*n_taken).copied();
        *n_taken += 1;
        millis
    }
}

/// Waiting for a file that another tab has locked: as long as it grows there, and a while longer.
#[derive(Debug, Default)]
pub struct LockWait {
    n_bytes: u64,
    idle_millis: u32,
}

impl LockWait {
    /// Time between two checks. A tab that is being closed unlocks its files within one or two.
    pub const STEP_MILLIS: u32 = 100;
    const MAX_IDLE_MILLIS: u32 = 5_000;

    /// Whether to check again, after a check that found `n_bytes` bytes.
    pub fn continues(&mut self, n_bytes: u64) -> bool {
        self.idle_millis = if n_bytes == self.n_bytes { self.idle_millis + Self::STEP_MILLIS } else { 0 };
        self.n_bytes = n_bytes;
        self.idle_millis <= Self::MAX_IDLE_MILLIS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_are_parsed_as_in_the_standard() {
        let range = |first, last, total| Some(ContentRange { first, last, total });
        for (header, expected) in [
            ("bytes 5-9/10", range(5, 9, Some(10))),
            ("Bytes 0-0/1", range(0, 0, Some(1))),
            (" bytes 5-9/* ", range(5, 9, None)),
            ("bytes */10", None),
            ("bytes 5-9", None),
            ("bytes 5-/10", None),
            ("bytes +5-9/10", None),
            ("bytes 5-9/", None),
            ("bytes=5-9/10", None),
            ("lines 5-9/10", None),
            ("bytes 99999999999999999999-9/10", None),
            ("", None),
        ] {
            assert_eq!(ContentRange::parse(header), expected, "{header:?}");
        }
    }

    #[test]
    fn responses_are_classified_by_status_and_content_range() {
        let half = Part { n_bytes: 5, total: 10 };
        for (status, content_range, expected) in [
            (206, Some("bytes 5-9/10"), RangeResponse::Rest),
            (206, Some("bytes 5-9/*"), RangeResponse::Rest),
            (206, Some("bytes 5-7/10"), RangeResponse::Rest), // a server may send less than requested
            (206, None, RangeResponse::Rest),
            (206, Some("bytes 4-9/10"), RangeResponse::OtherFile),
            (206, Some("bytes 5-9/11"), RangeResponse::OtherFile),
            (206, Some("bytes 5-10/10"), RangeResponse::OtherFile),
            (206, Some("bytes 5-4/10"), RangeResponse::OtherFile),
            (206, Some("nonsense"), RangeResponse::OtherFile),
            (416, Some("bytes */4"), RangeResponse::OtherFile),
            (416, None, RangeResponse::OtherFile),
            (200, None, RangeResponse::Whole),
            (200, Some("bytes 5-9/10"), RangeResponse::Whole),
            (304, None, RangeResponse::Refused),
            (404, None, RangeResponse::Refused),
            (503, None, RangeResponse::Refused),
        ] {
            assert_eq!(half.classify(status, content_range), expected, "{status} {content_range:?}");
        }
    }

    #[test]
    fn a_file_without_received_bytes_is_requested_whole() {
        let nothing = Part { n_bytes: 0, total: 10 };
        assert_eq!(nothing.range(), None);
        assert_eq!(nothing.classify(200, None), RangeResponse::Whole);
        assert_eq!(nothing.classify(206, Some("bytes 0-9/10")), RangeResponse::Rest);
        // Nothing has been received that could be of another file.
        assert_eq!(nothing.classify(206, Some("bytes 1-9/10")), RangeResponse::Refused);
        assert_eq!(nothing.classify(416, None), RangeResponse::Refused);
        assert_eq!(Part { n_bytes: 7, total: 10 }.range().as_deref(), Some("bytes=7-"));
    }

    #[test]
    fn more_bytes_than_the_file_has_do_not_fit() {
        let part = |n_bytes| Part { n_bytes, total: 10 };
        assert!(part(0).fits() && part(9).fits() && part(10).fits() && !part(11).fits());
        assert!(!part(9).is_whole() && part(10).is_whole());
    }

    #[test]
    fn retries_end_after_an_empty_connection_or_after_many_broken_ones() {
        assert!(!RetryBudget::default().allows_retry(0, false));
        let mut budget = RetryBudget::default();
        assert_eq!((0..100).filter(|_| budget.allows_retry(1, false)).count(), 8);
    }

    #[test]
    fn a_connection_that_timed_out_without_bytes_is_retried_once() {
        let mut budget = RetryBudget::default();
        assert_eq!((0..100).filter(|_| budget.allows_retry(0, true)).count(), 1);
        let mut budget = RetryBudget::default();
        assert_eq!((0..100).filter(|_| budget.allows_retry(1, true)).count(), 8);
    }

    #[test]
    fn an_outage_is_waited_out_once_bytes_have_come() {
        let mut pauses = OutagePauses::default();
        pauses.note_delivered(0);
        assert_eq!(pauses.next_millis(), None, "nothing has come: the server is not there");
        for _ in 0..2 {
            pauses.note_delivered(1);
            let taken: Vec<u32> = std::iter::from_fn(|| pauses.next_millis()).collect();
            assert_eq!(taken, OutagePauses::MILLIS);
            assert_eq!(pauses.next_millis(), None);
        }
    }

    #[test]
    fn waiting_for_another_tab_ends_when_its_file_stops_growing() {
        let mut wait = LockWait::default();
        assert!((1..1_000).all(|n_bytes| wait.continues(n_bytes)));
        let n_idle = (0..).take_while(|_| wait.continues(1_000)).count() as u32;
        assert_eq!(n_idle, 1 + LockWait::MAX_IDLE_MILLIS / LockWait::STEP_MILLIS);
        assert!(wait.continues(1_001));
    }
}
