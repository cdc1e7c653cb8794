//! Whether the features of photos are kept on the device. The worker keeps them.

use leptos::prelude::window;

const KEY: &str = "dermake.keep-features";
const KEPT: &str = "kept";
/// What was kept is deleted at the next start of the worker, if it was not before.
const DELETED: &str = "deleted";

/// Returns what was stored, if the visitor has ever kept features.
pub fn load() -> Option<bool> {
    Some(window().local_storage().ok().flatten()?.get_item(KEY).ok()?? == KEPT)
}

/// Stores it for later visits and other tabs. Without storage, the next visit keeps none.
pub fn store(keeps: bool) {
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = storage.set_item(KEY, if keeps { KEPT } else { DELETED });
    }
}
