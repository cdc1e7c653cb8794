//! Timers, for the page and its worker.

use futures_util::future::{Either, select};
use std::future::Future;
use std::pin::pin;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &js_sys::Function, millis: u32) -> f64;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(id: f64);
}

/// A browser timer, cleared when it is dropped. Clearing one that has fired has no effect.
struct Timer(f64);

impl Drop for Timer {
    fn drop(&mut self) {
        clear_timeout(self.0);
    }
}

/// Resolves after `millis` milliseconds. Messages are handled meanwhile.
pub async fn sleep(millis: u32) {
    let mut timer = None;
    let fired = js_sys::Promise::new(&mut |resolve, _| timer = Some(Timer(set_timeout(&resolve, millis))));
    // A timer does not fail.
    let _ = JsFuture::from(fired).await;
}

/// Returns the output of `work`, or `None` if it takes longer than `secs` seconds.
///
/// Counts one second at a time, so that time in which the machine slept or this thread computed is not counted.
pub async fn timeout<T>(secs: u32, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    for _ in 0..secs {
        match select(work.as_mut(), pin!(sleep(1_000))).await {
            Either::Left((output, _)) => return Some(output),
            Either::Right(_) => {}
        }
    }
    None
}
