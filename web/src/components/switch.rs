//! A switch with a hint, shown while it is offered.

use crate::app::App;
use crate::state::Event;
use crate::texts::Text;
use leptos::prelude::*;

/// `name` is that of its elements: `{name}-switch` for tests, `{name}-hint` in the document.
#[component]
pub fn Switch(
    app: App,
    name: &'static str,
    is_offered: Memo<bool>,
    is_on: Memo<bool>,
    /// The event of a press: whether the switch is on now.
    to_event: fn(bool) -> Event,
    label: Text,
    hint: Text,
) -> impl IntoView {
    let hint_id = format!("{name}-hint");
    view! {
        <Show when=move || is_offered.get()>
            <label class="switch">
                <input
                    type="checkbox"
                    role="switch"
                    data-testid=format!("{name}-switch")
                    aria-describedby=hint_id.clone()
                    prop:checked=is_on
                    on:change=move |event| app.send(to_event(event_target_checked(&event)))
                />
                {app.say(label)}
            </label>
            <p class="hint" id=hint_id.clone()>{app.say(hint)}</p>
        </Show>
    }
}
