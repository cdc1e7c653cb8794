//! The findings of the photo: how much it is like sentences with each of them, and which are typical of a label.

mod typical_label;

use super::switch::Switch;
use crate::app::App;
use crate::language::Language;
use crate::state::{ConceptList, Event, findings_to_show};
use crate::{sentences, texts};
use leptos::prelude::*;
use shared_model::concepts::{Finding, Presence};
use typical_label::TypicalLabel;

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
    let typical = app.watch(|state| state.typical());
    let list = |list: ConceptList| {
        let concepts = concepts.clone();
        let title = move || sentences::list_title(&app.texts(), list);
        let rows = move || {
            let shown = typical.with(|typical| findings_to_show(list, &concepts, typical.as_ref(), is_all.get()));
            shown.into_iter().map(|finding| row(app, finding)).collect_view()
        };
        view! {
            <h3>{title}</h3>
            <ol aria-label=title>{rows}</ol>
        }
    };
    view! {
        <div data-testid="concepts">
            <TypicalLabel app typical/>
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

fn row(app: App, Finding { concept, score, typical }: Finding) -> impl IntoView {
    let is_typical = typical == Some(true);
    let percent = 100.0 * score;
    let mark = is_typical.then(|| {
        view! { " "<span class="typical" prop:textContent=app.say(texts::findings_typical)></span> }
    });
    view! {
        <li data-concept=concept data-score=score.to_string() data-typical=is_typical.to_string()>
            <span class="label"><span lang=Language::English.code()>{concept.clone()}</span>{mark}</span>
            <span class="percent">{format!("{percent:.0}")}</span>
            <span class="bar" aria-hidden="true"><span style:width=format!("{percent:.2}%")></span></span>
        </li>
    }
}
