//! The figure of the body. A press on a region chooses its site in the form's list, which is the control for the keyboard
//! and for screen readers; numbers show where kept spots are, as the sentence below the figure says in words.

use crate::app::App;
use crate::journal::{FIGURE_SIZE, FigureView, Region};
use crate::sentences;
use crate::texts::{self, Text};
use leptos::prelude::*;

/// The figure and its sentence. Without `chosen` it only shows where kept spots are.
#[component]
pub fn BodyFigure(app: App, #[prop(optional)] chosen: Option<RwSignal<String>>) -> impl IntoView {
    let kept = app.watch(|state| state.journal.spots_by_site());
    let hint = chosen.map(|_| view! { <p class="hint">{app.say(texts::figure_hint)}</p> });
    let view = move |view| view! { <Seen app view chosen kept/> };
    view! {
        <div class="body-figure" class:choosable=chosen.is_some() aria-hidden="true" data-testid="body-figure">
            {hint}
            <div class="views">{FigureView::ALL.map(view).collect_view()}</div>
        </div>
        {move || sentences::kept_spots(&app.texts(), &kept.get()).map(|sentence| view! {
            <p class="hint" data-testid="kept-spots">{sentence}</p>
        })}
    }
}

/// The figure from one side, with the sides of the body in words.
#[component]
fn Seen(
    app: App,
    view: FigureView,
    chosen: Option<RwSignal<String>>,
    kept: Memo<Vec<(String, usize)>>,
) -> impl IntoView {
    // Who faces the visitor has the right hand on the left of the picture.
    let (code, [name, left, right]): (_, [Text; 3]) = match view {
        FigureView::Front => ("front", [texts::figure_front, texts::figure_right, texts::figure_left]),
        FigureView::Back => ("back", [texts::figure_back, texts::figure_left, texts::figure_right]),
    };
    let (width, height) = FIGURE_SIZE;
    let mirror = format!("matrix(-1 0 0 1 {width} 0)");
    let region = |Region { site, outline, is_mirrored, .. }| {
        let choose = move |_| {
            if let Some(chosen) = chosen {
                chosen.set(site.into());
            }
        };
        let is_chosen = move || chosen.is_some_and(|chosen| chosen.with(|chosen| chosen == site));
        let is_kept = move || kept.with(|kept| kept.iter().any(|(kept, _)| kept == site));
        view! {
            <path
                d=outline
                transform=is_mirrored.then(|| mirror.clone())
                class:chosen=is_chosen
                class:kept=is_kept
                data-site=site
                on:click=choose
            >
                <title>{move || sentences::body_site(&app.texts(), site)}</title>
            </path>
        }
    };
    let number = move |(site, n_spots): (String, usize)| {
        view.number_at(&site).map(|(x, y)| {
            view! {
                <g data-number=site>
                    <circle cx=x.to_string() cy=y.to_string() r="9"></circle>
                    <text x=x.to_string() y=y.to_string()>{n_spots}</text>
                </g>
            }
        })
    };
    view! {
        <div data-view=code>
            <p class="hint sides">
                <span class="name">{app.say(name)}</span>
                <span>{app.say(left)}</span>
                <span>{app.say(right)}</span>
            </p>
            <svg viewBox=format!("0 0 {width} {height}")>
                {view.regions().into_iter().map(region).collect_view()}
                {move || kept.get().into_iter().filter_map(number).collect_view()}
            </svg>
        </div>
    }
}
