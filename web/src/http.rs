//! Fetching, alike in the page and in its worker. No request waits forever.

use crate::chunks::Chunks;
use crate::error::{Error, Result};
use crate::time::within;
use js_sys::Uint8Array;
#[cfg(feature = "page")]
use serde::de::DeserializeOwned;
use std::future::Future;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, FormData, Request, RequestCache, RequestInit, Response};

/// A request is given up after so many seconds without a byte.
pub const SILENCE_SECS: u32 = 15;

/// And one that has a model compute: longer than a server lets it take.
const ANSWER_SECS: u32 = 120;

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

/// Asks for an address, once more if nothing comes; any answer is one.
///
/// # Errors
/// [`Error::Unreachable`] without an answer, [`Error::Silent`] when none came in time.
pub async fn ask(url: &str, asked: &Asked<'_>) -> Result<Response> {
    once_more_if_silent(|| ask_once(url, asked)).await
}

async fn ask_once(url: &str, asked: &Asked<'_>) -> Result<Response> {
    let options = RequestInit::new();
    options.set_cache(asked.cache);
    let abort = AbortController::new().map_err(|_| Error::Unreachable { what: asked.what.into() })?;
    options.set_signal(Some(&abort.signal()));
    let request = Request::new_with_str_and_init(url, &options)
        .map_err(|_| Error::unusable(format!("{url:?} is no address")))?;
    if let Some(range) = &asked.range {
        let set = request.headers().set("Range", range);
        set.map_err(|_| Error::unusable(format!("{range:?} is no range")))?;
    }
    let answer = within(SILENCE_SECS, send(&request, asked.what)).await;
    answer.unwrap_or_else(|| {
        abort.abort();
        Err(Error::Silent { what: asked.what.into() })
    })
}

async fn once_more_if_silent<T, F: Future<Output = Result<T>>>(attempt: impl Fn() -> F) -> Result<T> {
    match attempt().await {
        Err(Error::Silent { .. }) => attempt().await,
        result => result,
    }
}

async fn send(request: &Request, what: &str) -> Result<Response> {
    let answer = JsFuture::from(global_fetch(request)).await;
    answer.and_then(|answer| answer.dyn_into()).map_err(|_| Error::Unreachable { what: what.into() })
}

/// Sends a form; answers the status and the text. Given up, it ends the request, so that nobody works on it any more.
///
/// # Errors
/// [`Error::Unreachable`] without a whole answer, [`Error::Silent`] when none came in time.
pub async fn post_form(url: &str, form: &FormData, what: &str) -> Result<(u16, String)> {
    let broken = |_| Error::Unreachable { what: what.into() };
    let request_end = RequestEnd(AbortController::new().map_err(broken)?);
    let options = RequestInit::new();
    options.set_method("POST");
    options.set_body(form);
    options.set_signal(Some(&request_end.0.signal()));
    let request = Request::new_with_str_and_init(url, &options)
        .map_err(|_| Error::unusable(format!("{url:?} is no address")))?;
    let silent = || Error::Silent { what: what.into() };
    let response = within(ANSWER_SECS, send(&request, what)).await.ok_or_else(silent)??;
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
/// As [`ask`]; [`Error::Refused`] for any status but success, [`Error::OtherPage`] for HTML.
#[cfg(feature = "page")]
pub async fn get(url: &str, cache: RequestCache, what: &str) -> Result<Response> {
    once_more_if_silent(|| get_once(url, cache, what)).await
}

async fn get_once(url: &str, cache: RequestCache, what: &str) -> Result<Response> {
    checked(ask_once(url, &Asked { cache, range: None, what }).await?, what)
}

/// Nothing that is fetched here is HTML: that comes from a login or a network that wants one.
///
/// # Errors
/// [`Error::Refused`] for any status but success, [`Error::OtherPage`] for HTML.
fn checked(response: Response, what: &str) -> Result<Response> {
    if !response.ok() {
        return Err(Error::Refused { what: what.into(), status: response.status() });
    }
    if is_html(&response) {
        return Err(Error::OtherPage { what: what.into() });
    }
    Ok(response)
}

/// Whether an answer is a page for people.
pub fn is_html(response: &Response) -> bool {
    header(response, "Content-Type").is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/html"))
}

/// A header of an answer, if it has that one and shows it.
pub fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name).ok().flatten()
}

/// The text at an address, asked for anew each time.
///
/// # Errors
/// As [`get`].
pub async fn get_text(url: &str, what: &str) -> Result<String> {
    once_more_if_silent(|| get_text_once(url, what)).await
}

async fn get_text_once(url: &str, what: &str) -> Result<String> {
    text(&get_once(url, RequestCache::NoCache, what).await?, what).await
}

/// As the browser reads text: UTF-8, without a byte order mark.
async fn text(response: &Response, what: &str) -> Result<String> {
    let content = bytes(response, what).await?;
    Ok(String::from_utf8_lossy(&content).trim_start_matches('\u{feff}').to_string())
}

/// The whole body of an answer.
///
/// # Errors
/// [`Error::Unreachable`] when the connection breaks, [`Error::Silent`] when it brings nothing for a while.
pub async fn bytes(response: &Response, what: &str) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    let Some(mut chunks) = Chunks::of(response) else { return Ok(content) }; // an answer without a body
    while let Some(chunk) = next_chunk(&mut chunks, what).await? {
        let start = content.len();
        content.resize(start + chunk.length() as usize, 0);
        chunk.copy_to(&mut content[start..]);
    }
    Ok(content)
}

/// The next piece of a body; `None` at its end.
///
/// # Errors
/// As [`bytes`].
pub async fn next_chunk(chunks: &mut Chunks, what: &str) -> Result<Option<Uint8Array>> {
    match within(SILENCE_SECS, chunks.next()).await {
        Some(chunk) => chunk.map_err(|_| Error::Unreachable { what: what.into() }),
        None => {
            chunks.cancel();
            Err(Error::Silent { what: what.into() })
        }
    }
}

/// The HTML of the page at an address, asked for anew each time.
///
/// # Errors
/// As [`ask`].
#[cfg(feature = "page")]
pub async fn get_page(url: &str) -> Result<String> {
    let asked = Asked { cache: RequestCache::NoStore, range: None, what: "the page" };
    text(&ask(url, &asked).await?, asked.what).await
}

/// The JSON at an address, asked for anew each time.
///
/// # Errors
/// As [`get`]; [`Error::UnusableModel`] for what is not `T`.
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
