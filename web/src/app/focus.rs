//! The focus of the keyboard and of screen readers stays near: if the focused element is removed, the part of the page
//! around it gets the focus. Browsers would begin again at the top.

use leptos::prelude::{document, request_animation_frame, window};
use wasm_bindgen::JsCast;
use web_sys::{Element, FocusOptions, HtmlElement, ScrollIntoViewOptions, ScrollLogicalPosition};

/// If the change of the document that follows removes the focused element and gives the focus to nothing else, moves it to
/// the dialog or section that the element was in, or else to the whole content.
pub fn keep_near() {
    let Some(focused) = focused() else { return };
    let around = ["dialog, section", "main"].map(|part| focused.closest(part).ok().flatten());
    request_animation_frame(move || {
        if focused.is_connected() || self::focused().is_some() {
            return;
        }
        if let Some(part) = around.into_iter().flatten().find(|part| part.is_connected()) {
            focus_part(part, true);
        }
    });
}

/// Gives the focus to the part of the page with this id, once the document has been updated.
pub fn move_to_part(id: String) {
    request_animation_frame(move || {
        if let Some(part) = document().get_element_by_id(&id) {
            focus_part(part, false);
        }
    });
}

/// Scrolls to the part of the page with this id, once the document has been updated, and gives it the focus.
pub fn go_to_part(id: &'static str) {
    request_animation_frame(move || {
        if let Some(part) = document().get_element_by_id(id) {
            part.scroll_into_view();
            focus_part(part, true);
        }
    });
}

/// Once the document has been updated, scrolls as little as is needed to see the element with this id, if the one with the
/// id `near` is seen: else the visitor has gone on to another part of the page.
pub fn show_near(id: &'static str, near: &'static str) {
    request_animation_frame(move || {
        let [shown, near] = [id, near].map(|id| document().get_element_by_id(id));
        if let Some(shown) = shown.filter(|_| near.is_some_and(|near| is_seen(&near))) {
            let options = ScrollIntoViewOptions::new();
            options.set_block(ScrollLogicalPosition::Nearest);
            shown.scroll_into_view_with_scroll_into_view_options(&options);
        }
    });
}

/// Whether a part of the element is in the window.
fn is_seen(element: &Element) -> bool {
    let height = window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or_default();
    let place = element.get_bounding_client_rect();
    place.bottom() > 0.0 && place.top() < height
}

/// Whether the focus is in the element with this id, or nowhere.
pub fn is_in(id: &str) -> bool {
    let element = document().get_element_by_id(id);
    focused().is_none_or(|focused| element.is_some_and(|element| element.contains(Some(&focused))))
}

/// Gives the focus to the element with this id, once the document has been updated; to nothing if there is none then.
pub fn move_to(id: impl Into<String>) {
    let id = id.into();
    request_animation_frame(move || {
        let element = document().get_element_by_id(&id);
        if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
            let _ = element.focus(); // as above
        }
    });
}

/// Gives the focus to an element that the keyboard does not reach.
fn focus_part(part: Element, stays_in_place: bool) {
    if let Ok(part) = part.dyn_into::<HtmlElement>() {
        part.set_tab_index(-1);
        let options = FocusOptions::new();
        options.set_prevent_scroll(stays_in_place);
        let _ = part.focus_with_options(&options); // an element without focus is no failure
    }
}

/// The focused element. The body has the focus when nothing else has.
fn focused() -> Option<Element> {
    document().active_element().filter(|element| element.tag_name() != "BODY")
}
