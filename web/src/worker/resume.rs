//! How a file goes on that is there in part: what is asked for, what an answer is good for, when it is given up.
//!
//! Pure; the requests are made in `transfer.rs`. Ranges are those of RFC 9110, section 14.

/// A file of which a part is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub n_bytes: u64,
    /// Of the whole file.
    pub total: u64,
}

/// What an answer of the server is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Its body goes on where the part ends.
    Rest,
    /// Its body is the file from its first byte.
    Whole,
    /// It has nothing at that place: the part is not of the file that the server has.
    OtherFile,
    Refused,
}

impl Part {
    /// Whether it can be a part of this file at all.
    pub fn fits(self) -> bool {
        self.n_bytes <= self.total
    }

    pub fn is_whole(self) -> bool {
        self.n_bytes == self.total
    }

    /// The `Range` to ask for; none where nothing is there yet.
    pub fn range(self) -> Option<String> {
        (self.n_bytes > 0).then(|| format!("bytes={}-", self.n_bytes))
    }

    /// Judges an answer to a request for [`Self::range`].
    ///
    /// Another origin's `Content-Range` may be hidden; the hash then has the last word, as always.
    pub fn judge(self, status: u16, content_range: Option<&str>) -> Answer {
        match (status, content_range.map(ContentRange::parse)) {
            (206, None) => Answer::Rest,
            (206, Some(Some(range))) if range.continues(self) => Answer::Rest,
            (206 | 416, _) if self.n_bytes > 0 => Answer::OtherFile,
            (206, _) => Answer::Refused,
            (200..300, _) => Answer::Whole,
            _ => Answer::Refused,
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
        let total = if total == "*" { None } else { Some(number(total)?) };
        unit.eq_ignore_ascii_case("bytes").then_some(Self { first: number(first)?, last: number(last)?, total })
    }

    fn continues(self, part: Part) -> bool {
        let is_of_file = self.total.is_none_or(|total| total == part.total);
        is_of_file && self.first == part.n_bytes && (self.first..part.total).contains(&self.last)
    }
}

/// Digits only: no sign.
fn number(digits: &str) -> Option<u64> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// Goes on after a connection that broke, a bounded number of times and as long as each brings something; and once after
/// one that brought nothing and only fell silent.
#[derive(Debug)]
pub struct Patience {
    n_left: u32,
    n_silent_left: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self { n_left: 8, n_silent_left: 1 }
    }
}

impl Patience {
    /// Whether to ask for the rest at once, after a connection that brought so many bytes and then broke or fell silent.
    pub fn goes_on(&mut self, n_brought: u64, is_silent: bool) -> bool {
        let is_empty = n_brought == 0;
        let goes_on = self.n_left > 0 && (!is_empty || is_silent && self.n_silent_left > 0);
        self.n_left = self.n_left.saturating_sub(1);
        self.n_silent_left = self.n_silent_left.saturating_sub(u32::from(is_empty));
        goes_on
    }
}

/// Waits for a file that another tab has in hand: as long as it grows there, and a while longer.
#[derive(Debug, Default)]
pub struct Wait {
    n_bytes: u64,
    idle_millis: u32,
}

impl Wait {
    /// Between two looks. A tab that is being closed lets go within one or two.
    pub const STEP_MILLIS: u32 = 100;
    const MAX_IDLE_MILLIS: u32 = 5_000;

    /// Whether to look again, after a look that found so many bytes.
    pub fn goes_on(&mut self, n_bytes: u64) -> bool {
        self.idle_millis = if n_bytes == self.n_bytes { self.idle_millis + Self::STEP_MILLIS } else { 0 };
        self.n_bytes = n_bytes;
        self.idle_millis <= Self::MAX_IDLE_MILLIS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_are_read_as_the_standard_writes_them() {
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
    fn an_answer_is_taken_only_for_what_it_is() {
        let half = Part { n_bytes: 5, total: 10 };
        for (status, content_range, expected) in [
            (206, Some("bytes 5-9/10"), Answer::Rest),
            (206, Some("bytes 5-9/*"), Answer::Rest),
            (206, Some("bytes 5-7/10"), Answer::Rest), // a server may send less than was asked for
            (206, None, Answer::Rest),
            (206, Some("bytes 4-9/10"), Answer::OtherFile),
            (206, Some("bytes 5-9/11"), Answer::OtherFile),
            (206, Some("bytes 5-10/10"), Answer::OtherFile),
            (206, Some("bytes 5-4/10"), Answer::OtherFile),
            (206, Some("nonsense"), Answer::OtherFile),
            (416, Some("bytes */4"), Answer::OtherFile),
            (416, None, Answer::OtherFile),
            (200, None, Answer::Whole),
            (200, Some("bytes 5-9/10"), Answer::Whole),
            (304, None, Answer::Refused),
            (404, None, Answer::Refused),
            (503, None, Answer::Refused),
        ] {
            assert_eq!(half.judge(status, content_range), expected, "{status} {content_range:?}");
        }
    }

    #[test]
    fn a_file_of_which_nothing_is_there_is_asked_for_whole() {
        let nothing = Part { n_bytes: 0, total: 10 };
        assert_eq!(nothing.range(), None);
        assert_eq!(nothing.judge(200, None), Answer::Whole);
        assert_eq!(nothing.judge(206, Some("bytes 0-9/10")), Answer::Rest);
        // There is no start to go back to.
        assert_eq!(nothing.judge(206, Some("bytes 1-9/10")), Answer::Refused);
        assert_eq!(nothing.judge(416, None), Answer::Refused);
        assert_eq!(Part { n_bytes: 7, total: 10 }.range().as_deref(), Some("bytes=7-"));
    }

    #[test]
    fn what_is_longer_than_the_file_is_no_part_of_it() {
        let part = |n_bytes| Part { n_bytes, total: 10 };
        assert!(part(0).fits() && part(9).fits() && part(10).fits() && !part(11).fits());
        assert!(!part(9).is_whole() && part(10).is_whole());
    }

    #[test]
    fn a_connection_that_brings_nothing_ends_it_and_so_do_many_that_break() {
        assert!(!Patience::default().goes_on(0, false));
        let mut patience = Patience::default();
        assert_eq!((0..100).filter(|_| patience.goes_on(1, false)).count(), 8);
    }

    #[test]
    fn a_connection_that_fell_silent_before_it_brought_anything_is_tried_once_more() {
        let mut patience = Patience::default();
        assert_eq!((0..100).filter(|_| patience.goes_on(0, true)).count(), 1);
        let mut patience = Patience::default();
        assert_eq!((0..100).filter(|_| patience.goes_on(1, true)).count(), 8);
    }

    #[test]
    fn another_tab_is_waited_for_while_its_file_grows() {
        let mut wait = Wait::default();
        assert!((1..1_000).all(|n_bytes| wait.goes_on(n_bytes)));
        let n_idle = (0..).take_while(|_| wait.goes_on(1_000)).count() as u32;
        assert_eq!(n_idle, 1 + Wait::MAX_IDLE_MILLIS / Wait::STEP_MILLIS);
        assert!(wait.goes_on(1_001));
    }
}
