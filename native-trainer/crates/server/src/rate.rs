//! The rate limit of a client.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::error::HttpError;
use super::limits::Limits;

/// Number of requests after which clients with a full burst are removed.
const FORGET_EVERY: u32 = 1024;

/// A rate for each client's address.
pub(super) struct Rate {
    limiter: DefaultKeyedRateLimiter<IpAddr>,
    n_counted: AtomicU32,
}

impl Rate {
    /// None if the rate is not limited.
    pub(super) fn new(limits: &Limits) -> Option<Self> {
        let burst = NonZeroU32::new(limits.rate_burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(NonZeroU32::new(limits.rate_per_sec)?).allow_burst(burst);
        Some(Self { limiter: RateLimiter::keyed(quota), n_counted: AtomicU32::new(0) })
    }

    /// Counts a request. All clients without an address are one.
    ///
    /// # Errors
    /// [`HttpError::TooManyRequests`] says when the next request may be sent.
    pub(super) fn count(&self, client: Option<IpAddr>) -> Result<(), HttpError> {
        if self.n_counted.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        let client = network(client.unwrap_or(Ipv4Addr::UNSPECIFIED.into()));
        self.limiter.check_key(&client).map_err(|not_until| {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            HttpError::TooManyRequests { retry_after_secs: wait.as_secs_f64().ceil().max(1.0) as u64 }
        })
    }
}

/// The client's network: a visitor has a whole /64 of IPv6 addresses.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            [a, b, c, d, 0, 0, 0, 0].into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_its_own_burst() {
        let rate = Rate::new(&Limits { rate_per_sec: 1, rate_burst: 3, ..Limits::DEFAULT }).unwrap();
        let count = |address: &str| rate.count(Some(address.parse().unwrap()));
        for _ in 0..3 {
            assert_eq!(count("10.0.0.1"), Ok(()));
        }
        assert_eq!(count("10.0.0.1"), Err(HttpError::TooManyRequests { retry_after_secs: 1 }));
        assert!(count("::ffff:10.0.0.1").is_err(), "the same client");
        assert_eq!(count("10.0.0.2"), Ok(()));
        assert_eq!(["2001:db8::1", "2001:db8::2", "2001:db8::3"].map(count), [Ok(()), Ok(()), Ok(())]);
        assert!(count("2001:db8::4").is_err(), "one network");
        assert_eq!(count("2001:db8:0:1::1"), Ok(()));
        assert!(Rate::new(&Limits { rate_per_sec: 0, ..Limits::DEFAULT }).is_none());
    }
}
