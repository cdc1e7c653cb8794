//! The findings of the photo: how much it is like sentences with each of them.

use super::switch::Switch;
use crate::app::App;
use crate::state::{ConceptList, Event};
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
            label="Score findings, too"
            hint="What a dermatologist would describe, such as scale or crust. The first use downloads the text part of \
                  the model."
        />
        {move || concepts.get().map(|concepts| view! { <Profile concepts/> })}
    }
}

#[component]
fn Profile(concepts: Vec<Presence>) -> impl IntoView {
    let is_all = RwSignal::new(false);
    let list = |list: ConceptList| {
        let of_list: Vec<Presence> =
            concepts.iter().filter(|found| ConceptList::of(&found.concept) == Some(list)).cloned().collect();
        let n_shown = move || if is_all.get() { usize::MAX } else { N_SHOWN };
        view! {
            <h3>{list.title()}</h3>
            <ol aria-label=list.title()>
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
            >
                {move || if is_all.get() { "Show fewer findings" } else { "Show all findings" }}
            </button>
            <p class="hint">
                "At 50 the photo is as much like sentences with the finding as like the same sentences without it. The \
                 scores are similarities; they are not the reason for the answers above."
            </p>
        </div>
    }
}

fn row(found: &Presence) -> impl IntoView + use<> {
    let percent = 100.0 * found.score;
    view! {
        <li data-concept=found.concept.clone() data-score=found.score.to_string()>
            <span class="label">{found.concept.clone()}</span>
            <span class="percent">{format!("{percent:.0}")}</span>
            <span class="bar" aria-hidden="true"><span style:width=format!("{percent:.2}%")></span></span>
        </li>
    }
}
