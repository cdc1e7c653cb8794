//! Fetching, alike in the page and in its worker.

use crate::error::{Error, Result};
#[cfg(feature = "page")]
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, FormData, Request, RequestCache, RequestInit, Response};

#[wasm_bindgen]
extern "C" {
    /// A function of the page's global scope and of the worker's.
    #[wasm_bindgen(js_name = fetch)]
    fn global_fetch(request: &Request) -> js_sys::Promise;
}

/// How an address is asked for.
pub struct Asked<'a> {
    pub cache: RequestCache,
    /// The `Range` header.
    pub range: Option<String>,
    /// Names it in errors.
    pub what: &'a str,
}

/// Asks for an address; any answer is one.
///
/// # Errors
/// [`Error::Unreachable`] without an answer.
pub async fn ask(url: &str, asked: &Asked<'_>) -> Result<Response> {
    let options = RequestInit::new();
    options.set_cache(asked.cache);
    let request = Request::new_with_str_and_init(url, &options)
        .map_err(|_| Error::unusable(format!("{url:?} is no address")))?;
    if let Some(range) = &asked.range {
        let set = request.headers().set("Range", range);
        set.map_err(|_| Error::unusable(format!("{range:?} is no range")))?;
    }
    send(&request, asked.what).await
}

async fn send(request: &Request, what: &str) -> Result<Response> {
    let answer = JsFuture::from(global_fetch(request)).await;
    answer.and_then(|answer| answer.dyn_into()).map_err(|_| Error::Unreachable { what: what.into() })
}

/// Sends a form; answers the status and the text. Given up, it ends the request, so that nobody works on it any more.
///
/// # Errors
/// [`Error::Unreachable`] without a whole answer.
pub async fn post_form(url: &str, form: &FormData, what: &str) -> Result<(u16, String)> {
    let broken = |_| Error::Unreachable { what: what.into() };
    let request_end = RequestEnd(AbortController::new().map_err(broken)?);
    let options = RequestInit::new();
    options.set_method("POST");
    options.set_body(form);
    options.set_signal(Some(&request_end.0.signal()));
    let request = Request::new_with_str_and_init(url, &options)
        .map_err(|_| Error::unusable(format!("{url:?} is no address")))?;
    let response = send(&request, what).await?;
    Ok((response.status(), text(&response, what).await?))
}

/// Ends a request when it is dropped; one that is over does not mind.
struct RequestEnd(AbortController);

impl Drop for RequestEnd {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Asks for the whole of what is at an address; `what` names it in errors.
///
/// # Errors
/// As [`ask`]; [`Error::Refused`] for any status but success.
pub async fn get(url: &str, cache: RequestCache, what: &str) -> Result<Response> {
    let response = ask(url, &Asked { cache, range: None, what }).await?;
    if !response.ok() {
        return Err(Error::Refused { what: what.into(), status: response.status() });
    }
    Ok(response)
}

/// A header of an answer, if it has that one and shows it.
pub fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name).ok().flatten()
}

/// The text at an address, asked for anew each time.
pub async fn get_text(url: &str, what: &str) -> Result<String> {
    text(&get(url, RequestCache::NoCache, what).await?, what).await
}

async fn text(response: &Response, what: &str) -> Result<String> {
    let broken = |_| Error::Unreachable { what: what.into() };
    let text = JsFuture::from(response.text().map_err(broken)?).await.map_err(broken)?;
    text.as_string().ok_or_else(|| Error::unusable(format!("{what} is no text")))
}

/// The JSON at an address, asked for anew each time.
#[cfg(feature = "page")]
pub async fn get_json<T: DeserializeOwned>(url: &str, what: &str) -> Result<T> {
    let text = get_text(url, what).await?;
    serde_json::from_str(&text).map_err(|err| Error::unusable(format!("{what}: {err}")))
}

/// An address relative to another.
///
/// # Errors
/// [`Error::UnusableModel`] if it makes no address.
pub fn resolve(url: &str, base: &str) -> Result<String> {
    let resolved = web_sys::Url::new_with_base(url, base);
    resolved.map(|url| url.href()).map_err(|_| Error::unusable(format!("{url:?} is no address")))
}
