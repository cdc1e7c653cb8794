//! The language of the page: chosen by the address, the visitor or the browser. Its texts are fetched when it is chosen.

use super::App;
use super::page_language::fetch;
use crate::document::{browser_languages, language_of_address, set_language, set_language_of_address};
use crate::language::{Catalog, Language};
use crate::storage;
use crate::texts::{self, Text};
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::sync::Arc;

impl App {
    /// The texts of the page's language. Components that call it are updated when the language changes.
    pub fn texts(self) -> Arc<Catalog> {
        self.language.catalog.get()
    }

    /// As [`Self::texts`] without updates, for event handlers.
    pub fn texts_now(self) -> Arc<Catalog> {
        self.language.catalog.get_untracked()
    }

    /// A text without variables, for a component.
    pub fn say(self, text: Text) -> impl Fn() -> String + Copy + Send + Sync + 'static {
        move || text(&self.texts())
    }

    /// The language whose texts could not be fetched, if that is what became of the last choice.
    pub fn failed_language(self) -> Option<Language> {
        self.language.failed.get()
    }

    /// Shows the page in a language, and stores the choice for later visits.
    pub fn choose_language(self, language: Language) {
        spawn_local(async move {
            if self.show_language(language).await {
                storage::language::store(language.code());
                set_language_of_address(language.code());
            }
        });
    }

    /// Shows the page in the language to begin with. The title and the language of the document follow.
    pub(super) fn start_language(self) {
        Effect::new(move |_| {
            let catalog = self.texts();
            set_language(catalog.language().code(), &texts::page_title(&catalog));
        });
        let (address, chosen) = (language_of_address(), storage::language::load());
        let language = Language::preferred(address.as_deref(), chosen.as_deref(), &browser_languages());
        if language != Language::English {
            spawn_local(async move {
                self.show_language(language).await;
            });
        }
    }

    /// Fetches the texts of a language and shows them, unless another language was chosen meanwhile. Returns whether they
    /// are shown.
    async fn show_language(self, language: Language) -> bool {
        self.language.wanted.set_value(language);
        let catalog = match language {
            Language::English => Some(Catalog::english()),
            _ => fetch(language).await,
        };
        if self.language.wanted.get_value() != language {
            return false;
        }
        let is_shown = catalog.is_some();
        match catalog {
            Some(catalog) => self.language.show(catalog),
            None => self.language.failed.set(Some(language)),
        }
        is_shown
    }
}
