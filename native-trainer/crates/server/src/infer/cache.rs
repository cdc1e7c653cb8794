//! Cache of classifiers and concept scorers by content: each is made once, the least used ones are removed.

use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

/// A bounded cache whose keys are hashes of everything that its values are made of.
pub(super) struct ByContent<T>(Mutex<LruCache<[u8; 32], Place<T>>>);

/// A cached value, or one that is being made.
type Place<T> = Arc<OnceCell<Arc<T>>>;

impl<T> ByContent<T> {
    pub(super) fn new(n_most: usize) -> Self {
        Self(Mutex::new(LruCache::new(NonZeroUsize::new(n_most).unwrap_or(NonZeroUsize::MIN))))
    }

    /// Returns the cached value, or the result of `make`. Requests for the same value wait for one call; if the request
    /// that makes it is dropped, the next one makes it.
    pub(super) async fn get_or_make<E>(
        &self,
        key: [u8; 32],
        make: impl Future<Output = Result<T, E>>,
    ) -> Result<Arc<T>, E> {
        let place = {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.get_or_insert(key, Arc::default).clone()
        };
        place.get_or_try_init(async || make.await.map(Arc::new)).await.cloned()
    }
}

/// A key of lists of texts; no two different sequences of lists have the same.
pub(super) fn key(lists: &[&[String]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for list in lists {
        hasher.update((list.len() as u64).to_le_bytes());
        for text in *list {
            hasher.update((text.len() as u64).to_le_bytes());
            hasher.update(text);
        }
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_is_made_once_and_the_least_used_is_forgotten() {
        let cache = ByContent::new(2);
        let get =
            async |name: u8, made: u32| *cache.get_or_make([name; 32], async { Ok::<_, ()>(made) }).await.unwrap();
        assert_eq!((get(1, 10).await, get(1, 11).await), (10, 10));
        assert_eq!((get(2, 20).await, get(1, 12).await, get(3, 30).await), (20, 10, 30));
        assert_eq!((get(1, 13).await, get(2, 21).await), (10, 21));
    }

    #[tokio::test]
    async fn a_failure_is_not_kept() {
        let cache = ByContent::new(1);
        assert_eq!(cache.get_or_make([0; 32], async { Err("no") }).await, Err("no"));
        assert_eq!(cache.get_or_make([0; 32], async { Ok::<_, &str>(5) }).await, Ok(Arc::new(5)));
    }

    #[test]
    fn keys_tell_lists_apart() {
        let list = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (ab, a_b, a, b) = (list(&["ab"]), list(&["a", "b"]), list(&["a"]), list(&["b"]));
        let keys = [key(&[&ab]), key(&[&a_b]), key(&[&a, &b]), key(&[&b, &a]), key(&[])];
        for (i, one) in keys.iter().enumerate() {
            assert!(keys[i + 1..].iter().all(|other| other != one));
        }
    }
}
