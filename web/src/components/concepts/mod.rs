//! The findings of the photo: how much it is like sentences with each of them.

use super::switch::Switch;
use crate::app::App;
use crate::language::Language;
use crate::state::{ConceptList, Event};
use crate::{sentences, texts};
use leptos::prelude::*;
use shared_model::concepts::Presence;

/// Number of findings of a list to show before the visitor expands it.
const N_SHOWN: usize = 6;

/// The switch for findings, and their scores.
#[component]
pub fn Concepts(app: App) -> impl IntoView {
    let is_offered = app.watch(|state| state.offers_concepts());
    let is_on = app.watch(|state| state.wants_concepts);
    let concepts = app.watch(|state| state.concepts().map(<[Presence]>::to_vec));
    view! {
        <Switch
            app
            name="concepts"
            is_offered
            is_on
            to_event=Event::ConceptsWanted
            label=texts::findings
            hint=texts::findings_hint
        />
        {move || concepts.get().map(|concepts| view! { <Profile app concepts/> })}
    }
}

#[component]
fn Profile(app: App, concepts: Vec<Presence>) -> impl IntoView {
    let is_all = RwSignal::new(false);
    let list = |list: ConceptList| {
        let of_list: Vec<Presence> =
            concepts.iter().filter(|found| ConceptList::of(&found.concept) == Some(list)).cloned().collect();
        let title = move || sentences::list_title(&app.texts(), list);
        let n_shown = move || if is_all.get() { usize::MAX } else { N_SHOWN };
        view! {
            <h3>{title}</h3>
            <ol aria-label=title>
                {move || of_list.iter().take(n_shown()).map(row).collect_view()}
            </ol>
        }
    };
    view! {
        <div data-testid="concepts">
            {ConceptList::ALL.map(list).collect_view()}
            <button
                type="button"
                class="button plain"
                data-testid="all-concepts"
                aria-pressed=move || is_all.get().to_string()
                on:click=move |_| is_all.update(|is_all| *is_all = !*is_all)
                prop:textContent=move || match is_all.get() {
                    true => texts::findings_fewer(&app.texts()),
                    false => texts::findings_all(&app.texts()),
                }
            ></button>
            <p class="hint">{app.say(texts::findings_meaning)}</p>
        </div>
    }
}

fn row(found: &Presence) -> impl IntoView + use<> {
    let percent = 100.0 * found.score;
    view! {
        <li data-concept=found.concept.clone() data-score=found.score.to_string()>
            <span class="label" lang=Language::English.code()>{found.concept.clone()}</span>
            <span class="percent">{format!("{percent:.0}")}</span>
            <span class="bar" aria-hidden="true"><span style:width=format!("{percent:.2}%")></span></span>
        </li>
    }
}
