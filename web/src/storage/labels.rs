//! The labels that the next visit begins with.

use crate::state::KeptLabels;
use leptos::prelude::window;
use web_sys::Storage;

const KEY: &str = "dermake.labels";

/// Those of the last visit, if there was one.
pub fn load() -> Option<KeptLabels> {
    serde_json::from_str(&storage()?.get_item(KEY).ok()??).ok()
}

/// Takes the place of what is kept.
pub fn save(labels: &KeptLabels) {
    if let (Some(storage), Ok(json)) = (storage(), serde_json::to_string(labels)) {
        // A full store only makes the next visit begin with what was kept before.
        let _ = storage.set_item(KEY, &json);
    }
}

fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}
