//! The HTML document: what the page's build and `boot.js` wrote into it, its URLs and its events.

use crate::error::{Error, Result};
use crate::http;
use js_sys::{Array, Uint8Array};
use leptos::prelude::{document, set_timeout, window};
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, HtmlMetaElement, Url};

/// How long a browser may take to read a file that it saves.
const SAVING_TIME: Duration = Duration::from_secs(60);

/// Host name of the server that the page came from, for the visitor.
pub fn server_name() -> String {
    window().location().host().unwrap_or_default()
}

pub fn base_url() -> String {
    document().base_uri().ok().flatten().unwrap_or_default()
}

/// Path of the folder that the page is in.
///
/// # Errors
/// As [`http::resolve`].
pub fn page_folder() -> Result<String> {
    let folder = http::resolve("./", &base_url())?;
    web_sys::Url::new(&folder).map(|url| url.pathname()).map_err(|_| Error::unusable(folder))
}

/// Whether the root element has this attribute.
pub fn has_attribute(name: &str) -> bool {
    document().document_element().is_some_and(|root| root.has_attribute(name))
}

/// The builds of the worker to try in this browser, as `boot.js` listed them.
pub fn builds() -> Vec<String> {
    let builds = document().document_element().and_then(|root| root.get_attribute("data-builds"));
    builds.unwrap_or_default().split_whitespace().map(str::to_string).collect()
}

/// URL of the worker's script for this build.
///
/// # Errors
/// A message if the document does not name the script, or `boot.js` did not choose a build.
pub fn worker_url(build: Option<String>) -> Result<String, String> {
    let script = meta("worker").ok_or("the page does not name its program")?;
    let build = build.ok_or("the page has not chosen a program")?;
    let script = script.replace("BUILD", &build);
    if let Some(root) = document().document_element() {
        // Read by boot.js and by tests only.
        let _ = root.set_attribute("data-build", &build);
    }
    // Only these parts of the page's query concern the worker. With any other, the URL would not match the stored file's.
    let query = window().location().search().unwrap_or_default();
    let is_worker_s = |part: &&str| part.starts_with("threads=") || part.starts_with("engine=");
    let parts: Vec<&str> = query.trim_start_matches('?').split('&').filter(is_worker_s).collect();
    let query = if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) };
    http::resolve(&format!("{script}{query}"), &base_url()).map_err(|err| err.to_string())
}

/// URL of the texts of a language.
///
/// # Errors
/// As [`http::resolve`]; [`Error::UnusableModel`] if the document does not name the texts.
pub fn language_url(code: &str) -> Result<String> {
    let file = meta("language").ok_or_else(|| Error::unusable("the page does not name its texts"))?;
    http::resolve(&file.replace("CODE", code), &base_url())
}

/// Tags of the languages that the browser asks for, the preferred first.
pub fn browser_languages() -> Vec<String> {
    window().navigator().languages().iter().filter_map(|tag| tag.as_string()).collect()
}

/// The language that the page's address names, as in `?lang=de`.
pub fn language_of_address() -> Option<String> {
    address()?.search_params().get("lang")
}

/// Changes the language that the page's address names, if it names one: it would count before the visitor's choice after a
/// reload.
pub fn set_language_of_address(code: &str) {
    let Some(address) = address() else { return };
    let query = address.search_params();
    if query.has("lang") {
        query.set("lang", code);
        // It fails only in documents without an address of their own.
        let _ = window()
            .history()
            .and_then(|history| history.replace_state_with_url(&JsValue::NULL, "", Some(&address.href())));
    }
}

/// Names the document's language and its title.
pub fn set_language(code: &str, title: &str) {
    if let Some(root) = document().document_element() {
        // An attribute of this name can always be set.
        let _ = root.set_attribute("lang", code);
    }
    document().set_title(title);
}

/// Version of the page's files; empty if the document does not name it.
pub fn page_build() -> String {
    meta("version").unwrap_or_default()
}

/// Has the browser save a text as a file.
pub fn save_file(name: &str, media_type: &str, content: &str) {
    if let Some(part) = text_blob(content) {
        save_parts(name, media_type, &Array::of1(&part));
    }
}

/// A text as a blob; `None` if there is no memory for it.
pub fn text_blob(text: &str) -> Option<Blob> {
    Blob::new_with_str_sequence(&Array::of1(&text.into())).ok()
}

/// Has the browser save blobs, one after the other, as a file.
pub fn save_parts(name: &str, media_type: &str, parts: &Array) {
    let options = BlobPropertyBag::new();
    options.set_type(media_type);
    let file = Blob::new_with_blob_sequence_and_options(parts, &options);
    let Some(url) = file.ok().and_then(|file| Url::create_object_url_with_blob(&file).ok()) else { return };
    let link = document().create_element("a").ok().and_then(|link| link.dyn_into::<HtmlAnchorElement>().ok());
    if let Some(link) = link {
        link.set_href(&url);
        link.set_download(name);
        link.click();
    }
    // Some browsers read the file later. Revoking fails only for URLs that were not created here.
    set_timeout(move || drop(Url::revoke_object_url(&url)), SAVING_TIME);
}

/// SHA-256 of a file in hexadecimal digits; `None` if the page came over plain HTTP from another machine, where browsers
/// compute no hashes.
pub async fn sha256(file: &Blob) -> Option<String> {
    let content: js_sys::Object = JsFuture::from(file.array_buffer()).await.ok()?.dyn_into().ok()?;
    let subtle = window().crypto().ok()?.subtle();
    let digest = JsFuture::from(subtle.digest_with_str_and_buffer_source("SHA-256", &content).ok()?).await.ok()?;
    Some(Uint8Array::new(&digest).to_vec().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Whether the server now has another version of this page.
pub async fn is_page_replaced() -> bool {
    let (Some(version), Ok(url)) = (meta("version"), http::resolve("index.html", &base_url())) else {
        return false;
    };
    let page = http::get_page(&url).await;
    page.is_ok_and(|page| page.contains("name=\"version\"") && !page.contains(&version))
}

/// Dispatches an event on the window, for `boot.js`.
pub fn dispatch(event: &str) {
    if let Ok(event) = web_sys::Event::new(event) {
        // The return value says whether a listener called preventDefault, which has no meaning here.
        let _ = window().dispatch_event(&event);
    }
}

/// Reloads the page, as the browser's button does.
pub fn reload_page() {
    // It fails only where a page may not navigate, as in a sandboxed frame.
    let _ = window().location().reload();
}

fn address() -> Option<Url> {
    Url::new(&window().location().href().ok()?).ok()
}

/// Content of a meta element.
fn meta(name: &str) -> Option<String> {
    let meta = document().query_selector(&format!("meta[name={name}]")).ok().flatten()?;
    Some(meta.dyn_into::<HtmlMetaElement>().ok()?.content())
}
