//! The search of the table: its form, the sentence on its order, and the cells of similarities.

use crate::app::{App, focus};
use crate::components::switch::Switch;
use crate::state::{Event, MAX_WORDS_CHARS, Row};
use crate::{sentences, texts};
use leptos::ev::SubmitEvent;
use leptos::html::Input;
use leptos::prelude::*;

/// Id of the frame of the table.
pub const TABLE: &str = "photo-table";

/// The words to search for, if the model runs here.
#[component]
pub fn Search(app: App) -> impl IntoView {
    let is_offered = app.watch(|state| state.offers_search());
    view! { <Show when=move || is_offered.get()><Form app/></Show> }
}

#[component]
fn Form(app: App) -> impl IntoView {
    let words = app.watch(|state| {
        let words = state.open_batch().and_then(|batch| batch.searched_words());
        words.unwrap_or_default().to_string()
    });
    let is_searched = app.watch(|state| state.open_batch().is_some_and(|batch| batch.is_searched()));
    let input = NodeRef::<Input>::new();
    let on_submit = move |event: SubmitEvent| {
        event.prevent_default();
        if let Some(input) = input.get_untracked() {
            app.send(Event::WordsSearched(input.value()));
        }
    };
    // The button goes away; what comes next are the words of another search.
    let on_end = move |_| {
        app.send(Event::SearchEnded);
        focus::move_to("table-search");
    };
    view! {
        <form class="search" on:submit=on_submit>
            <label class="field" for="table-search">{app.say(texts::table_search)}</label>
            <input
                id="table-search"
                class="text"
                type="search"
                dir="auto"
                autocomplete="off"
                maxlength=MAX_WORDS_CHARS.to_string()
                aria-describedby="table-search-hint"
                data-testid="table-search"
                node_ref=input
                prop:value=words
            />
            <p class="hint" id="table-search-hint">{app.say(texts::table_search_hint)}</p>
            <div class="buttons">
                <button type="submit" class="button plain" data-testid="start-search">
                    {app.say(texts::table_search_start)}
                </button>
                <Show when=move || is_searched.get()>
                    <button type="button" class="button plain" data-testid="end-search" on:click=on_end>
                        {app.say(texts::table_search_end)}
                    </button>
                </Show>
            </div>
        </form>
    }
}

/// The switch that keeps features on the device, and how much is kept.
#[component]
pub fn KeepFeatures(app: App) -> impl IntoView {
    let is_offered = app.watch(|state| state.offers_search());
    let is_on = app.watch(|state| state.keeps_features());
    let keeping = app.watch(|state| state.feature_keeping().map(|keeping| (keeping, state.keeps_features())));
    let sentence = move || {
        let (keeping, is_on) = keeping.get()?;
        sentences::feature_keeping(&app.texts(), keeping, is_on)
    };
    view! {
        <Switch
            app
            name="keep-features"
            is_offered
            is_on
            to_event=Event::FeatureKeepingWanted
            label=texts::table_keep
            hint=sentences::keeping_hint
        />
        // Always there, so that screen readers announce what comes into it.
        <p
            class="hint note"
            role="status"
            data-testid="kept-features"
            prop:textContent=move || sentence().unwrap_or_default()
        ></p>
    }
}

/// What the table is ordered by, and the most similar photo.
#[component]
pub fn Order(app: App) -> impl IntoView {
    let sentence = app.watch(move |state| {
        let sentence = state.open_batch().and_then(|batch| sentences::search(&app.texts(), batch));
        sentence.unwrap_or_default()
    });
    // Always there, so that screen readers announce what comes into it.
    view! { <p role="status" dir="auto" data-testid="table-order" prop:textContent=sentence></p> }
}

/// A photo's similarity, and the button that orders the others by similarity to it.
pub fn similarity_cell(app: App, index: usize, row: &Row) -> impl IntoView + use<> {
    let value = row.similarity.map(|similarity| {
        let written = move || sentences::similarity(&app.texts(), similarity);
        view! { <span data-testid="similarity" data-similarity=similarity.to_string()>{written}</span> }
    });
    // The row moves, so the focus goes to the table that begins with it.
    let on_click = move |_| {
        app.send(Event::LikeSearched(index));
        focus::move_to(TABLE);
    };
    let name = row.name.clone();
    let button = row.can_be_searched().then(|| {
        view! {
            <button
                type="button"
                class="open"
                data-testid="like"
                aria-label=move || texts::table_like_file(&app.texts(), &name)
                on:click=on_click
            >
                {app.say(texts::table_like)}
            </button>
        }
    });
    view! { <td class="similarity">{value}{button}</td> }
}
