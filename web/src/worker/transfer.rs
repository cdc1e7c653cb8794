//! Fetches one file: the bytes that the browser has stored, and the rest from the server, with retries.

use super::partial_file::PartialFile;
use super::protocol::Stage;
use super::resume::{LockWait, OutagePauses, RangeResponse, RetryBudget};
use super::store::{OpenResult, WeightStore};
use crate::chunks::Chunks;
use crate::error::{Error, Result};
use crate::http::{self, FetchOptions};
use crate::time::sleep;
use web_sys::{RequestCache, Response};

/// Fetches a file and compares it with the manifest. Stored bytes are not downloaded.
///
/// A file that was joined from several sources and has a wrong hash is fetched once more from its start.
///
/// # Errors
/// [`Error::Unreachable`], [`Error::Timeout`], [`Error::UnexpectedPage`] and [`Error::Refused`]: the bytes so far stay
/// stored. [`Error::Damaged`]: nothing stays stored.
pub async fn fetch_file(partial: &mut PartialFile<'_, '_>, url: &str, store: &WeightStore) -> Result<()> {
    read_stored(partial, store).await;
    loop {
        let fetched = fetch_rest(partial, url).await.and_then(|()| partial.check());
        match fetched {
            Err(Error::Damaged { .. }) if partial.is_joined() && partial.start_over() => {}
            Err(err @ Error::Damaged { .. }) => {
                partial.discard();
                return Err(err);
            }
            other => return other,
        }
    }
}

/// Reads the bytes that the browser has stored.
async fn read_stored(partial: &mut PartialFile<'_, '_>, store: &WeightStore) {
    let sha256 = &partial.file.sha256;
    let mut wait = LockWait::default();
    loop {
        match store.open_file(sha256).await {
            OpenResult::Opened(stored) => {
                partial.begin_with(stored);
                break;
            }
            // Locked by another tab that fetches it or is being closed.
            OpenResult::InUse { n_bytes } if wait.continues(n_bytes) => {
                partial.counter.set_in_file(n_bytes);
                sleep(LockWait::STEP_MILLIS).await;
            }
            OpenResult::InUse { .. } | OpenResult::Unavailable => {
                partial.discard();
                break;
            }
        }
    }
    if partial.part().n_bytes == 0
        && let Some(entry) = store.cache_entry(sha256).await
    {
        read_cache_entry(partial, &entry, store).await;
    }
}

/// Reads a file from Cache Storage. The entry is removed if it is damaged or now stored as a file.
async fn read_cache_entry(partial: &mut PartialFile<'_, '_>, entry: &Response, store: &WeightStore) {
    partial.counter.set_stage(Stage::ReadStored);
    let is_valid = receive(partial, entry).await.is_ok() && partial.check().is_ok();
    if !is_valid {
        partial.discard();
    }
    if !is_valid || partial.is_stored() {
        store.remove_cache_entry(&partial.file.sha256).await;
    }
}

/// Downloads the rest; sends another request when a connection breaks after delivering bytes, and waits for a while if
/// there is no connection then.
async fn fetch_rest(partial: &mut PartialFile<'_, '_>, url: &str) -> Result<()> {
    let mut budget = RetryBudget::default();
    let mut pauses = OutagePauses::default();
    while !partial.part().is_whole() {
        partial.counter.set_stage(Stage::Download);
        let response = match request_rest(partial, url).await {
            Ok(response) => response,
            Err(err @ Error::Unreachable { .. }) => match pauses.next_millis() {
                Some(millis) => {
                    sleep(millis).await;
                    continue;
                }
                None => return Err(err),
            },
            Err(err) => return Err(err),
        };
        let n_bytes_before = partial.part().n_bytes;
        let err = match receive(partial, &response).await {
            Ok(()) => incomplete(partial),
            Err(err @ (Error::Unreachable { .. } | Error::Timeout { .. })) => err,
            Err(err) => return Err(err),
        };
        let n_delivered = partial.part().n_bytes - n_bytes_before;
        pauses.note_delivered(n_delivered);
        let has_timed_out = matches!(err, Error::Timeout { .. });
        if !partial.part().is_whole() && !budget.allows_retry(n_delivered, has_timed_out) {
            return Err(err);
        }
    }
    Ok(())
}

/// Requests the rest. The body of the response continues where the file now ends, which may be at its start again.
async fn request_rest(partial: &mut PartialFile<'_, '_>, url: &str) -> Result<Response> {
    let part = partial.part();
    partial.mark_joined();
    // The file is stored here; a second copy in the browser's HTTP cache would only take space.
    let options = FetchOptions { cache: RequestCache::NoStore, range: part.range(), what: &partial.file.file };
    let response = http::fetch(url, &options).await?;
    if response.ok() && http::is_html(&response) {
        return Err(Error::UnexpectedPage { what: partial.file.file.clone() });
    }
    match part.classify(response.status(), http::header(&response, "Content-Range").as_deref()) {
        RangeResponse::Rest => Ok(response),
        RangeResponse::Whole if part.n_bytes == 0 || partial.start_over() => Ok(response),
        RangeResponse::Whole => Err(incomplete(partial)),
        RangeResponse::OtherFile => Err(partial.check().err().unwrap_or_else(|| incomplete(partial))),
        RangeResponse::Refused => {
            Err(Error::Refused { what: partial.file.file.clone(), status: response.status() })
        }
    }
}

async fn receive(partial: &mut PartialFile<'_, '_>, response: &Response) -> Result<()> {
    let mut chunks = Chunks::of(response).ok_or_else(|| incomplete(partial))?;
    let what = what(partial);
    while let Some(chunk) = http::next_chunk(&mut chunks, &what).await? {
        if let Err(err) = partial.push(&chunk) {
            chunks.cancel();
            return Err(err);
        }
    }
    Ok(())
}

fn incomplete(partial: &PartialFile<'_, '_>) -> Error {
    Error::Unreachable { what: what(partial) }
}

fn what(partial: &PartialFile<'_, '_>) -> String {
    format!("all of {}", partial.file.file)
}
