//! What the stores of this worker's page are called.

use wasm_bindgen::JsCast;
use web_sys::WorkerGlobalScope;

/// Kind of the weights' store.
pub(super) const WEIGHTS: &str = "dermake-weights";

/// Name of the directory or the cache of this kind of this worker's page.
///
/// Both are the whole origin's, on which other folders may have such pages, too: none may remove another one's files.
pub fn name_of(kind: &str) -> String {
    let location = js_sys::global().dyn_into::<WorkerGlobalScope>().map(|scope| scope.location());
    name_in(kind, &location.map(|location| location.pathname()).unwrap_or_default())
}

/// The name for the worker's script at this path.
fn name_in(kind: &str, script: &str) -> String {
    match script.rsplit_once('/') {
        Some((folder, _)) if !folder.is_empty() => format!("{kind} {}", js_sys::encode_uri_component(folder)),
        _ => kind.into(),
    }
}
