//! Where the photo is like a text: the square that the model saw, darker where it is less like it.

use crate::app::{App, focus};
use crate::state::{Event, MAX_WORDS_CHARS, ShownMap};
use crate::{sentences, texts};
use leptos::ev::SubmitEvent;
use leptos::html::{Input, Select};
use leptos::prelude::*;

/// How dark a place is that is not like the text, out of 1. Brightness is seen by all eyes; colors are not.
const DARKEST: f32 = 0.75;
/// Ids of the controls, and of the map, which comes below them when one of them is pressed.
const CONTROLS_ID: &str = "map-controls";
const FIGURE_ID: &str = "map-figure";
/// Steps of the legend.
const N_STEPS: usize = 5;

/// The controls and the map, once there is an answer.
#[component]
pub fn PhotoMap(app: App) -> impl IntoView {
    let is_offered = app.watch(|state| state.offers_map());
    let map = app.watch(|state| state.map().cloned());
    let sentence = move || {
        let sentence = |shown: ShownMap| sentences::most_like(&app.texts(), &shown.text, shown.map.place());
        map.get().map(sentence).unwrap_or_default()
    };
    view! {
        <Show when=move || is_offered.get()>
            <h3 class="controls-title">{app.say(texts::map)}</h3>
            <Controls app/>
        </Show>
        // Always there, so that screen readers announce what comes into it.
        <p role="status" data-testid="map-sentence" prop:textContent=sentence></p>
        {move || map.get().map(|shown| view! { <Figure app shown/> })}
    }
}

#[component]
fn Controls(app: App) -> impl IntoView {
    let labels = app.watch(|state| state.ranked_labels());
    let (select, input) = (NodeRef::<Select>::new(), NodeRef::<Input>::new());
    let option = move |label: String| {
        let value = label.clone();
        view! { <option value=value>{move || sentences::with_translation(&app.texts(), &label)}</option> }
    };
    let show_label = move |_| {
        if let Some(select) = select.get_untracked() {
            app.send(Event::MapWanted(select.value()));
        }
    };
    let show_own = move |event: SubmitEvent| {
        event.prevent_default();
        if let Some(input) = input.get_untracked() {
            app.send(Event::MapWanted(input.value()));
        }
    };
    view! {
        <div class="map-controls" id=CONTROLS_ID>
            <label class="field" for="map-label">{app.say(texts::map_label)}</label>
            <select id="map-label" data-testid="map-label" node_ref=select>
                {move || labels.get().into_iter().map(option).collect_view()}
            </select>
            <button type="button" class="button plain" data-testid="map-label-show" on:click=show_label>
                {app.say(texts::map_label_show)}
            </button>
        </div>
        <form class="map-controls" on:submit=show_own>
            <label class="field" for="map-own">{app.say(texts::map_own)}</label>
            <input
                id="map-own"
                class="text"
                type="text"
                dir="auto"
                autocomplete="off"
                maxlength=MAX_WORDS_CHARS.to_string()
                aria-describedby="map-own-hint"
                data-testid="map-own"
                node_ref=input
            />
            <p class="hint" id="map-own-hint">{app.say(texts::map_own_hint)}</p>
            <button type="submit" class="button plain" data-testid="map-own-show">{app.say(texts::map_own_show)}</button>
        </form>
    }
}

#[component]
fn Figure(app: App, shown: ShownMap) -> impl IntoView {
    let ShownMap { text, map } = shown;
    let strengths = map.strengths();
    let columns = map.columns.max(1);
    let shade = |(at, strength): (usize, f32)| {
        let (x, y) = (at % columns, at / columns);
        let opacity = format!("{:.3}", DARKEST * (1.0 - strength));
        view! { <rect x=x.to_string() y=y.to_string() width="1" height="1" fill="#000" fill-opacity=opacity></rect> }
    };
    let frame = |(row, column): (usize, usize)| {
        view! {
            <rect class="most" x=column.to_string() y=row.to_string() width="1" height="1" fill="none"></rect>
        }
    };
    let maximum = map.maximum();
    let can_frame = app.watch(|state| state.frame_of_map().is_some());
    let at = maximum.map(|(row, column)| format!("{row} {column}"));
    focus::show_near(FIGURE_ID, CONTROLS_ID);
    view! {
        <figure class="map-figure" id=FIGURE_ID data-testid="map" data-text=text data-rows=map.rows.to_string() data-maximum=at>
            <div class="map-picture">
                <img src=move || app.pictures.view.url() alt="" draggable="false"/>
                <svg
                    aria-hidden="true"
                    viewBox=format!("0 0 {} {}", map.columns, map.rows)
                    preserveAspectRatio="none"
                    shape-rendering="crispEdges"
                >
                    {strengths.into_iter().enumerate().map(shade).collect_view()}
                    {maximum.map(frame)}
                </svg>
            </div>
            <Legend app/>
            <figcaption>{app.say(texts::map_meaning)}</figcaption>
            <div class="buttons">
                <Show when=move || can_frame.get()>
                    <button
                        type="button"
                        class="button"
                        data-testid="frame-map"
                        on:click=move |_| app.send(Event::MapFramed)
                    >
                        {app.say(texts::map_frame)}
                    </button>
                </Show>
                <button
                    type="button"
                    class="button plain"
                    data-testid="hide-map"
                    on:click=move |_| app.send(Event::MapClosed)
                >
                    {app.say(texts::map_hide)}
                </button>
            </div>
        </figure>
    }
}

/// From dark to bright, with its ends in words.
#[component]
fn Legend(app: App) -> impl IntoView {
    let step = |at: usize| {
        let opacity = DARKEST * (1.0 - at as f32 / (N_STEPS - 1) as f32);
        view! { <span style:opacity=format!("{opacity:.3}")></span> }
    };
    view! {
        <p class="map-legend">
            {app.say(texts::map_less)}
            <span class="steps" aria-hidden="true">{(0..N_STEPS).map(step).collect_view()}</span>
            {app.say(texts::map_more)}
        </p>
    }
}
