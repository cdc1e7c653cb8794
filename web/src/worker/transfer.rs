//! Brings one file: what the browser keeps of it, and the rest from the server, however often the connection breaks.

use super::assembly::Assembly;
use super::keep::{Keep, Opened};
use super::protocol::Stage;
use super::resume::{Answer, Patience, Wait};
use crate::chunks::Chunks;
use crate::error::{Error, Result};
use crate::http::{self, Asked};
use crate::time::pause;
use web_sys::{RequestCache, Response};

/// Brings a whole file that is what the manifest says; what there is of it already is not asked for.
///
/// A file that was put together of several answers and comes out bad is fetched once more from its start.
///
/// # Errors
/// [`Error::Unreachable`], [`Error::Silent`], [`Error::OtherPage`] and [`Error::Refused`], what came being kept; [`Error::Damaged`], nothing being kept.
pub async fn bring(assembly: &mut Assembly<'_, '_>, url: &str, keep: &Keep) -> Result<()> {
    reopen(assembly, keep).await;
    loop {
        let brought = fetch_rest(assembly, url).await.and_then(|()| assembly.check());
        match brought {
            Err(Error::Damaged { .. }) if assembly.is_joined() && assembly.start_over() => {}
            Err(err @ Error::Damaged { .. }) => {
                assembly.discard();
                return Err(err);
            }
            other => return other,
        }
    }
}

/// Begins with what the browser keeps.
async fn reopen(assembly: &mut Assembly<'_, '_>, keep: &Keep) {
    let sha256 = &assembly.file.sha256;
    let mut wait = Wait::default();
    loop {
        match keep.file(sha256).await {
            Opened::Here(kept) => {
                assembly.reopen(kept);
                break;
            }
            // Another tab is at it, or one that is being closed.
            Opened::InUse { n_bytes } if wait.goes_on(n_bytes) => {
                assembly.meter.set_in_file(n_bytes);
                pause(Wait::STEP_MILLIS).await;
            }
            Opened::InUse { .. } | Opened::Nowhere => {
                assembly.discard();
                break;
            }
        }
    }
    if assembly.part().n_bytes == 0
        && let Some(entry) = keep.entry(sha256).await
    {
        reopen_entry(assembly, &entry, keep).await;
    }
}

/// Takes a whole entry. It stays only if it is good and the file is in no better place now.
async fn reopen_entry(assembly: &mut Assembly<'_, '_>, entry: &Response, keep: &Keep) {
    assembly.meter.enter(Stage::Reopen);
    let is_good = receive(assembly, entry).await.is_ok() && assembly.check().is_ok();
    if !is_good {
        assembly.discard();
    }
    if !is_good || assembly.is_kept() {
        keep.remove_entry(&assembly.file.sha256).await;
    }
}

/// Fetches what is not there, asking anew while connections break but bring something.
async fn fetch_rest(assembly: &mut Assembly<'_, '_>, url: &str) -> Result<()> {
    let mut patience = Patience::default();
    while !assembly.part().is_whole() {
        assembly.meter.enter(Stage::Download);
        let response = ask_for_rest(assembly, url).await?;
        let n_bytes_before = assembly.part().n_bytes;
        let broken = match receive(assembly, &response).await {
            Ok(()) => broken_off(assembly),
            Err(err @ (Error::Unreachable { .. } | Error::Silent { .. })) => err,
            Err(err) => return Err(err),
        };
        let n_brought = assembly.part().n_bytes - n_bytes_before;
        let is_silent = matches!(broken, Error::Silent { .. });
        if !assembly.part().is_whole() && !patience.goes_on(n_brought, is_silent) {
            return Err(broken);
        }
    }
    Ok(())
}

/// Asks for what is not there. The body of the answer goes on where the file now ends, which may be its start again.
async fn ask_for_rest(assembly: &mut Assembly<'_, '_>, url: &str) -> Result<Response> {
    let part = assembly.part();
    assembly.join();
    // Kept by our own store: a second copy in the browser's would only take room.
    let asked = Asked { cache: RequestCache::NoStore, range: part.range(), what: &assembly.file.file };
    let response = http::ask(url, &asked).await?;
    if response.ok() && http::is_html(&response) {
        return Err(Error::OtherPage { what: assembly.file.file.clone() });
    }
    match part.judge(response.status(), http::header(&response, "Content-Range").as_deref()) {
        Answer::Rest => Ok(response),
        Answer::Whole if part.n_bytes == 0 || assembly.start_over() => Ok(response),
        Answer::Whole => Err(broken_off(assembly)),
        Answer::OtherFile => Err(assembly.check().err().unwrap_or_else(|| broken_off(assembly))),
        Answer::Refused => Err(Error::Refused { what: assembly.file.file.clone(), status: response.status() }),
    }
}

async fn receive(assembly: &mut Assembly<'_, '_>, response: &Response) -> Result<()> {
    let mut chunks = Chunks::of(response).ok_or_else(|| broken_off(assembly))?;
    let what = what(assembly);
    while let Some(chunk) = http::next_chunk(&mut chunks, &what).await? {
        if let Err(err) = assembly.push(&chunk) {
            chunks.cancel();
            return Err(err);
        }
    }
    Ok(())
}

fn broken_off(assembly: &Assembly<'_, '_>) -> Error {
    Error::Unreachable { what: what(assembly) }
}

fn what(assembly: &Assembly<'_, '_>) -> String {
    format!("all of {}", assembly.file.file)
}
