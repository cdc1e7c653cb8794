//! The language that the visitor chose.

use leptos::prelude::window;

const KEY: &str = "dermake.language";

/// The tag of the language that the visitor chose, if it was stored.
pub fn load() -> Option<String> {
    window().local_storage().ok().flatten()?.get_item(KEY).ok()?
}

/// Stores the tag for later visits. Without storage, the next visit begins with the browser's language.
pub fn store(tag: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = storage.set_item(KEY, tag);
    }
}
