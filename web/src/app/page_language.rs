//! The texts that the page shows, and where those of a language come from.

use crate::document::language_url;
use crate::http;
use crate::language::{Catalog, Language};
use leptos::prelude::*;
use std::sync::Arc;
use web_sys::RequestCache;

/// The texts that the page shows, and what became of the last choice.
#[derive(Clone, Copy)]
pub(super) struct PageLanguage {
    pub(super) catalog: RwSignal<Arc<Catalog>>,
    /// The language whose texts could not be fetched.
    pub(super) failed: RwSignal<Option<Language>>,
    /// The language that was chosen last; its texts may still be on their way.
    pub(super) wanted: StoredValue<Language>,
}

impl PageLanguage {
    /// Begins with English, whose texts are part of the program.
    pub(super) fn new() -> Self {
        Self {
            catalog: RwSignal::new(Arc::new(Catalog::english())),
            failed: RwSignal::new(None),
            wanted: StoredValue::new(Language::English),
        }
    }

    pub(super) fn show(self, catalog: Catalog) {
        self.failed.set(None);
        self.catalog.set(Arc::new(catalog));
    }
}

/// Fetches the catalog of a language; `None` if it does not come or is damaged.
pub(super) async fn fetch(language: Language) -> Option<Catalog> {
    let url = language_url(language.code()).ok()?;
    let what = language.name();
    let response = http::get(&url, RequestCache::Default, what).await.ok()?;
    let source = http::bytes(&response, what).await.ok()?;
    Catalog::parse(language, String::from_utf8(source).ok()?)
}
