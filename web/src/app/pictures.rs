//! Pictures that the worker made of the photo, as URLs for the document.

use leptos::prelude::*;
use web_sys::{Blob, Url};

/// The pictures of the current photo.
#[derive(Clone, Copy)]
pub struct Pictures {
    /// The photo, scaled down.
    pub preview: Picture,
    /// The square that the model was given.
    pub view: Picture,
}

/// A picture that is replaced from time to time.
#[derive(Clone, Copy)]
pub struct Picture {
    url: RwSignal<Option<String>>,
    file: StoredValue<Option<Blob>, LocalStorage>,
}

impl Pictures {
    pub(super) fn new() -> Self {
        Self { preview: Picture::new(), view: Picture::new() }
    }

    pub(super) fn clear(self) {
        self.preview.show(None);
        self.view.show(None);
    }
}

impl Picture {
    fn new() -> Self {
        Self { url: RwSignal::new(None), file: StoredValue::new_local(None) }
    }

    /// Its URL; `None` if there is no picture.
    pub fn url(self) -> Option<String> {
        self.url.get()
    }

    /// Its file.
    pub fn file(self) -> Option<Blob> {
        self.file.with_value(Clone::clone)
    }

    /// Replaces the picture, and revokes the URL of the old one.
    pub(super) fn show(self, file: Option<&Blob>) {
        self.file.set_value(file.cloned());
        let url = file.and_then(|file| Url::create_object_url_with_blob(file).ok());
        if let Some(old) = self.url.try_update(|current| std::mem::replace(current, url)).flatten() {
            // Revoking fails only for URLs that were not created here.
            let _ = Url::revoke_object_url(&old);
        }
    }
}
