//! The bound on requests of one peer.
//!
//! What: a bucket of tokens by address, filled at the bound and holding one second of it. Absent: bounds by token or
//! route, and fairness between peers behind one address.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Addresses that are remembered; buckets that are full again are let go first.
const PEERS_MAX: usize = 10_000;

struct Bucket {
    tokens: f64,
    at: Instant,
}

/// Buckets by address.
#[derive(Default)]
pub(crate) struct Rates(Mutex<BTreeMap<IpAddr, Bucket>>);

impl Rates {
    /// Takes a token of this peer; false where there is none.
    pub(super) fn take(&self, peer: IpAddr, per_second: u32) -> bool {
        self.take_at(peer, per_second, Instant::now())
    }

    fn take_at(&self, peer: IpAddr, per_second: u32, now: Instant) -> bool {
        let full = f64::from(per_second);
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= PEERS_MAX && !buckets.contains_key(&peer) {
            buckets.retain(|_, bucket| now.saturating_duration_since(bucket.at).as_secs_f64() < 1.0);
            if buckets.len() >= PEERS_MAX {
                return false;
            }
        }
        let bucket = buckets.entry(peer).or_insert(Bucket { tokens: full, at: now });
        let refill = now.saturating_duration_since(bucket.at).as_secs_f64() * full;
        bucket.tokens = (bucket.tokens + refill).min(full);
        bucket.at = now;
        let passes = bucket.tokens >= 1.0;
        if passes {
            bucket.tokens -= 1.0;
        }
        passes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::time::Duration;

    #[test]
    fn a_peer_has_a_second_of_its_bound_and_no_other_peers() {
        let (rates, start) = (Rates::default(), Instant::now());
        let (one, two) = (IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::BROADCAST));
        let take = |peer, ms| rates.take_at(peer, 2, start + Duration::from_millis(ms));
        assert_eq!([take(one, 0), take(one, 0), take(one, 0)], [true, true, false]);
        assert!(take(two, 0));
        assert_eq!([take(one, 500), take(one, 500)], [true, false]);
        assert_eq!([take(one, 9_000), take(one, 9_000), take(one, 9_000)], [true, true, false]);
    }
}
