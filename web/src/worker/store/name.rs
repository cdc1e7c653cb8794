//! What the stores of this worker's page are called.

use wasm_bindgen::JsCast;
use web_sys::WorkerGlobalScope;

/// Name of the directory and of the cache of this worker's page.
///
/// Both are the whole origin's, on which other folders may have such pages, too: none may remove another one's weights.
pub(super) fn name() -> String {
    let location = js_sys::global().dyn_into::<WorkerGlobalScope>().map(|scope| scope.location());
    name_in(&location.map(|location| location.pathname()).unwrap_or_default())
}

/// The name for the worker's script at this path.
fn name_in(script: &str) -> String {
    const NAME: &str = "dermake-weights";
    match script.rsplit_once('/') {
        Some((folder, _)) if !folder.is_empty() => format!("{NAME} {}", js_sys::encode_uri_component(folder)),
        _ => NAME.into(),
    }
}
