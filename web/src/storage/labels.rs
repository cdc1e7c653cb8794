//! The labels that the next visit begins with.

use crate::state::StoredLabels;
use leptos::prelude::window;
use web_sys::Storage;

const KEY: &str = "dermake.labels";

/// Loads the labels of the last visit, if there are any.
pub fn load() -> Option<StoredLabels> {
    serde_json::from_str(&storage()?.get_item(KEY).ok()??).ok()
}

/// Replaces the stored labels.
pub fn store(labels: &StoredLabels) {
    if let (Some(storage), Ok(json)) = (storage(), serde_json::to_string(labels)) {
        // If storage is full, the next visit begins with the labels stored before.
        let _ = storage.set_item(KEY, &json);
    }
}

fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}
