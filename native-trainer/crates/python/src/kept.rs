//! What a model has computed before.

use anyhow::Result;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// Values that are kept. Beyond it, all are dropped.
const MOST_KEPT: usize = 64;

/// What was computed before, by what it was computed from.
pub type Kept<K, V> = Mutex<HashMap<K, Arc<V>>>;

/// Returns what is kept under `key`, or else makes it. Two threads may make the same.
pub fn kept<K: Eq + Hash, V>(kept: &Kept<K, V>, key: K, make: impl FnOnce() -> Result<V>) -> Result<Arc<V>> {
    let lock = || kept.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(value) = lock().get(&key) {
        return Ok(value.clone());
    }
    let value = Arc::new(make()?);
    let mut kept = lock();
    if kept.len() >= MOST_KEPT {
        kept.clear();
    }
    kept.insert(key, value.clone());
    Ok(value)
}
