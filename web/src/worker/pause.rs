//! Lets time pass, and messages in.

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::WorkerGlobalScope;

/// Resolves after so many milliseconds; at once where there is no timer.
pub async fn pause(millis: u32) {
    let timer = js_sys::Promise::new(&mut |resolve, _| {
        let scope = js_sys::global().dyn_into::<WorkerGlobalScope>();
        let millis = i32::try_from(millis).unwrap_or(i32::MAX);
        let set = scope.map(|scope| scope.set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, millis));
        if !matches!(set, Ok(Ok(_))) {
            // Without a timer there is nothing to wait for.
            let _ = resolve.call0(&JsValue::UNDEFINED);
        }
    });
    // A timer does not fail.
    let _ = JsFuture::from(timer).await;
}
