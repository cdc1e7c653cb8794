//! The question before photos are deleted. The button that keeps them has the focus; Escape keeps them, too.

use crate::app::{App, focus};
use crate::texts::Text;
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

/// What the question says.
#[derive(Clone, Copy)]
pub struct Wording {
    pub question: Text,
    pub delete: Text,
    pub keep: Text,
}

/// Asks whether to delete. `name` says what, in the ids of tests; `id` is that of the question's elements.
#[component]
pub fn Question(
    app: App,
    name: &'static str,
    #[prop(into)] id: String,
    #[prop(into)] title: Signal<String>,
    wording: Wording,
    on_delete: Callback<()>,
    on_keep: Callback<()>,
) -> impl IntoView {
    let (question_id, keep_id) = (format!("{id}-question"), format!("{id}-keep"));
    let on_key = move |event: KeyboardEvent| {
        if event.key() == "Escape" {
            on_keep.run(());
        }
    };
    focus::move_to(keep_id.clone());
    view! {
        <div class="warning" role="alertdialog" aria-label=title aria-describedby=question_id on:keydown=on_key>
            <p id=question_id.clone()>{app.say(wording.question)}</p>
            <div class="buttons">
                <button type="button" class="button" data-testid="confirm-delete" on:click=move |_| on_delete.run(())>
                    {app.say(wording.delete)}
                </button>
                <button
                    type="button"
                    id=keep_id
                    class="button plain"
                    data-testid=format!("keep-{name}")
                    on:click=move |_| on_keep.run(())
                >
                    {app.say(wording.keep)}
                </button>
            </div>
        </div>
    }
}
