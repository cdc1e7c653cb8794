//! Timers, alike in the page and in its worker.

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

/// Ends a timer when it is dropped; one that is over does not mind.
struct Timer(f64);

impl Drop for Timer {
    fn drop(&mut self) {
        clear_timeout(self.0);
    }
}

/// Resolves after so many milliseconds, and lets messages in until then.
pub async fn pause(millis: u32) {
    let mut timer = None;
    let over = js_sys::Promise::new(&mut |resolve, _| timer = Some(Timer(set_timeout(&resolve, millis))));
    // A timer does not fail.
    let _ = JsFuture::from(over).await;
}

/// What `work` resolves to; `None` if it takes more than so many seconds.
///
/// Each second is waited for by itself: time in which the machine slept, or this thread computed, is not counted.
pub async fn within<T>(secs: u32, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    for _ in 0..secs {
        match select(work.as_mut(), pin!(pause(1_000))).await {
            Either::Left((done, _)) => return Some(done),
            Either::Right(_) => {}
        }
    }
    None
}
