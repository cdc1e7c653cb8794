//! What the page stores in the browser: the labels and the language for later visits, the photo for this tab, whether
//! features are kept, and the journal, if the visitor keeps one.
//!
//! A browser that stores nothing, as in some private windows or with storage blocked, is not an error.

pub mod features;
pub mod journal;
pub mod labels;
pub mod language;
pub mod photo;

use leptos::prelude::window;

/// Makes the visits of the next day start without threads (`boot.js`). Without storage, the next visit tries threads.
pub fn avoid_threads() {
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = storage.set_item("dermake-threads-failed", &js_sys::Date::now().to_string());
    }
}
