//! HTTP requests, for the page and its worker. Every request has a timeout.

use crate::chunks::Chunks;
use crate::error::{Error, Result};
use crate::time::timeout;
use js_sys::Uint8Array;
#[cfg(feature = "page")]
use serde::de::DeserializeOwned;
use std::future::Future;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, FormData, Request, RequestCache, RequestInit, Response};

/// Seconds without a byte after which a request times out.
pub const IDLE_TIMEOUT_SECS: u32 = 15;

/// Timeout of a request that has the server run the model, longer than the server's own.
const INFERENCE_TIMEOUT_SECS: u32 = 120;

#[wasm_bindgen]
extern "C" {
    /// A function of the page's global scope and of the worker's.
    #[wasm_bindgen(js_name = fetch)]
    fn global_fetch(request: &Request) -> js_sys::Promise;
}

/// Options of a GET request.
pub struct FetchOptions<'a> {
    pub cache: RequestCache,
    /// The `Range` header.
    pub range: Option<String>,
    /// What is fetched, for error messages.
    pub what: &'a str,
}

/// Sends a GET request, once more after a timeout. Returns responses of any status.
///
/// # Errors
/// [`Error::Unreachable`] without a response, [`Error::Timeout`].
pub async fn fetch(url: &str, options: &FetchOptions<'_>) -> Result<Response> {
    retry_once_after_timeout(|| fetch_once(url, options)).await
}

async fn fetch_once(url: &str, options: &FetchOptions<'_>) -> Result<Response> {
    let init = RequestInit::new();
    init.set_cache(options.cache);
    let abort = AbortController::new().map_err(|_| Error::Unreachable { what: options.what.into() })?;
    init.set_signal(Some(&abort.signal()));
    let request = new_request(url, &init)?;
    if let Some(range) = &options.range {
        let set = request.headers().set("Range", range);
        set.map_err(|_| Error::unusable(format!("{range:?} is not a range")))?;
    }
    let response = timeout(IDLE_TIMEOUT_SECS, send(&request, options.what)).await;
    response.unwrap_or_else(|| {
        abort.abort();
        Err(Error::Timeout { what: options.what.into() })
    })
}

async fn retry_once_after_timeout<T, F: Future<Output = Result<T>>>(attempt: impl Fn() -> F) -> Result<T> {
    match attempt().await {
        Err(Error::Timeout { .. }) => attempt().await,
        result => result,
    }
}

fn new_request(url: &str, init: &RequestInit) -> Result<Request> {
    Request::new_with_str_and_init(url, init).map_err(|_| not_a_url(url))
}

fn not_a_url(url: &str) -> Error {
    Error::unusable(format!("{url:?} is not a URL"))
}

async fn send(request: &Request, what: &str) -> Result<Response> {
    let response = JsFuture::from(global_fetch(request)).await;
    response.and_then(|response| response.dyn_into()).map_err(|_| Error::Unreachable { what: what.into() })
}

/// Posts a form; returns the status and the text of the response. Dropping the future aborts the request.
///
/// # Errors
/// [`Error::Unreachable`] without a complete response, [`Error::Timeout`].
pub async fn post_form(url: &str, form: &FormData, what: &str) -> Result<(u16, String)> {
    let unreachable = |_| Error::Unreachable { what: what.into() };
    let abort = AbortOnDrop(AbortController::new().map_err(unreachable)?);
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_body(form);
    init.set_signal(Some(&abort.0.signal()));
    let request = new_request(url, &init)?;
    let timed_out = || Error::Timeout { what: what.into() };
    let response = timeout(INFERENCE_TIMEOUT_SECS, send(&request, what)).await.ok_or_else(timed_out)??;
    Ok((response.status(), text(&response, what).await?))
}

/// Aborts a request when it is dropped. Aborting a completed request has no effect.
struct AbortOnDrop(AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Sends a GET request and checks the response; `what` names what is fetched in errors.
///
/// # Errors
/// As [`fetch`]; [`Error::Refused`] for any status but success, [`Error::UnexpectedPage`] for HTML.
#[cfg(feature = "page")]
pub async fn get(url: &str, cache: RequestCache, what: &str) -> Result<Response> {
    retry_once_after_timeout(|| get_once(url, cache, what)).await
}

async fn get_once(url: &str, cache: RequestCache, what: &str) -> Result<Response> {
    checked(fetch_once(url, &FetchOptions { cache, range: None, what }).await?, what)
}

/// Refuses HTML: the page never fetches any, so it comes from a login page or a network's sign-in page.
fn checked(response: Response, what: &str) -> Result<Response> {
    if !response.ok() {
        return Err(Error::Refused { what: what.into(), status: response.status() });
    }
    if is_html(&response) {
        return Err(Error::UnexpectedPage { what: what.into() });
    }
    Ok(response)
}

/// Whether the response is an HTML page.
pub fn is_html(response: &Response) -> bool {
    header(response, "Content-Type").is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/html"))
}

/// A header of the response, `None` if it is missing or hidden.
pub fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name).ok().flatten()
}

/// Fetches text, always revalidated with the server.
///
/// # Errors
/// As [`get`].
pub async fn get_text(url: &str, what: &str) -> Result<String> {
    retry_once_after_timeout(|| get_text_once(url, what)).await
}

async fn get_text_once(url: &str, what: &str) -> Result<String> {
    text(&get_once(url, RequestCache::NoCache, what).await?, what).await
}

/// Decodes a body as the browser does: UTF-8, without a byte order mark.
async fn text(response: &Response, what: &str) -> Result<String> {
    let content = bytes(response, what).await?;
    Ok(String::from_utf8_lossy(&content).trim_start_matches('\u{feff}').to_string())
}

/// Reads the whole body of a response.
///
/// # Errors
/// [`Error::Unreachable`] when the connection breaks, [`Error::Timeout`] when no byte arrives for a while.
pub async fn bytes(response: &Response, what: &str) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    let Some(mut chunks) = Chunks::of(response) else { return Ok(content) }; // a response without a body
    while let Some(chunk) = next_chunk(&mut chunks, what).await? {
        let start = content.len();
        content.resize(start + chunk.length() as usize, 0);
        chunk.copy_to(&mut content[start..]);
    }
    Ok(content)
}

/// Reads the next chunk of a body; `None` at its end.
///
/// # Errors
/// As [`bytes`].
pub async fn next_chunk(chunks: &mut Chunks, what: &str) -> Result<Option<Uint8Array>> {
    match timeout(IDLE_TIMEOUT_SECS, chunks.next()).await {
        Some(chunk) => chunk.map_err(|_| Error::Unreachable { what: what.into() }),
        None => {
            chunks.cancel();
            Err(Error::Timeout { what: what.into() })
        }
    }
}

/// Fetches an HTML page, bypassing every cache.
///
/// # Errors
/// As [`fetch`].
#[cfg(feature = "page")]
pub async fn get_page(url: &str) -> Result<String> {
    let options = FetchOptions { cache: RequestCache::NoStore, range: None, what: "the page" };
    text(&fetch(url, &options).await?, options.what).await
}

/// Fetches JSON, always revalidated with the server.
///
/// # Errors
/// As [`get`]; [`Error::UnusableModel`] for JSON that is not a `T`.
#[cfg(feature = "page")]
pub async fn get_json<T: DeserializeOwned>(url: &str, what: &str) -> Result<T> {
    let text = get_text(url, what).await?;
    serde_json::from_str(&text).map_err(|err| Error::unusable(format!("{what}: {err}")))
}

/// Resolves a URL relative to another.
///
/// # Errors
/// [`Error::UnusableModel`] if the result is not a URL.
pub fn resolve(url: &str, base: &str) -> Result<String> {
    let resolved = web_sys::Url::new_with_base(url, base);
    resolved.map(|url| url.href()).map_err(|_| not_a_url(url))
}
