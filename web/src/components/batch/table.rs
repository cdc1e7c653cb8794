//! The table of many photos: it fills while the model answers, and is sorted, filtered and saved.

use super::search::{KeepFeatures, Order, Search, TABLE, similarity_cell};
use crate::app::{App, focus};
use crate::components::label::Label;
use crate::components::model_status::ModelStatus;
use crate::components::notice::Notice;
use crate::components::photo_input::PHOTO_ID;
use crate::document::save_file;
use crate::language::Catalog;
use crate::sentences;
use crate::state::{Batch, Event, Outcome, Row, Sort, TablePage, TableView};
use crate::texts::{self, Text};
use crate::verdict::Verdict;
use leptos::prelude::*;

#[component]
pub fn PhotoTable(app: App) -> impl IntoView {
    let summary =
        app.watch(move |state| state.open_batch().map(|batch| summary_of(&app.texts(), batch)).unwrap_or_default());
    let is_uncalibrated =
        app.watch(|state| state.open_batch().is_some_and(|batch| batch.n_with(Verdict::NotCalibrated) > 0));
    view! {
        <section class="card" aria-labelledby="table-title">
            <h2 id="table-title">{app.say(texts::table)}</h2>
            <ModelStatus app/>
            <Notice app/>
            <p class="hint" data-testid="table-summary" prop:textContent=summary></p>
            <Show when=move || is_uncalibrated.get()>
                <p class="hint" data-testid="table-verdict">{app.say(texts::not_calibrated)}</p>
            </Show>
            <Search app/>
            <Tools app/>
            <Order app/>
            <Rows app/>
            <KeepFeatures app/>
        </section>
    }
}

fn summary_of(catalog: &Catalog, batch: &Batch) -> String {
    let done = texts::table_done(catalog, batch.n_files(), batch.n_done());
    let kept = match batch.n_kept() {
        0 => None,
        n_kept => Some(texts::table_kept(catalog, n_kept)),
    };
    let unfit = match batch.n_with(Verdict::NoneOfThese) {
        0 => None,
        n_unfit => Some(texts::table_unfit(catalog, n_unfit)),
    };
    let refused = match batch.n_refused() {
        0 => None,
        n_refused => Some(texts::table_refused(catalog, n_refused)),
    };
    [Some(done), kept, unfit, refused].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The filter, and the buttons that save and close the table.
#[component]
fn Tools(app: App) -> impl IntoView {
    let filter = app.watch(|state| state.open_batch().map(|batch| batch.view.filter.clone()).unwrap_or_default());
    let on_input = move |event| set_view(app, |view| view.filtered_by(event_target_value(&event)));
    let save = move |name: &'static str, media_type: &'static str, content: fn(&Batch) -> String| {
        move |_| {
            if let Some(content) = app.read(|state| state.open_batch().map(content)) {
                save_file(name, media_type, &content);
            }
        }
    };
    view! {
        <label class="field" for="table-filter">{app.say(texts::table_filter)}</label>
        <input
            id="table-filter"
            type="search"
            class="text"
            data-testid="table-filter"
            spellcheck="false"
            prop:value=filter
            on:input=on_input
        />
        <div class="buttons">
            <button
                type="button"
                class="button plain"
                data-testid="save-csv"
                on:click=save("dermake.csv", "text/csv", Batch::to_csv)
            >
                {app.say(texts::table_save_csv)}
            </button>
            <button
                type="button"
                class="button plain"
                data-testid="save-json"
                on:click=save("dermake.json", "application/json", |batch| {
                    batch.to_json(&String::from(js_sys::Date::new_0().to_iso_string()))
                })
            >
                {app.say(texts::table_save_json)}
            </button>
            <button
                type="button"
                class="button plain"
                data-testid="close-table"
                on:click=move |_| app.send(Event::BatchRemoved)
            >
                {app.say(texts::table_close)}
            </button>
        </div>
    }
}

#[component]
fn Rows(app: App) -> impl IntoView {
    let view = app.watch(|state| state.open_batch().map(|batch| batch.view.clone()).unwrap_or_default());
    let page = app.watch(move |state| {
        let texts = app.texts();
        state.open_batch().map(|batch| batch.shown(|row| sentences::row_remark(&texts, row)))
    });
    let header = move |title: Text, sort: Sort| {
        let direction = move || match view.with(|view| (view.sort == sort, view.is_descending)) {
            (false, _) => "none",
            (true, false) => "ascending",
            (true, true) => "descending",
        };
        view! {
            <th scope="col" class:first-label=sort == Sort::Label aria-sort=direction>
                <button type="button" class="sort" on:click=move |_| set_view(app, |view| view.sorted_by(sort))>
                    {app.say(title)}
                </button>
            </th>
        }
    };
    let is_offered = app.watch(|state| state.offers_search());
    let is_searched = app.watch(|state| state.open_batch().is_some_and(Batch::is_searched));
    // While the table is searched, similarities are beside the names, where a phone shows them without scrolling.
    let searched = move || is_searched.get().then(|| header(texts::table_similarity, Sort::Similarity));
    let not_searched = move || {
        let is_shown = is_offered.get() && !is_searched.get();
        is_shown.then(|| view! { <th scope="col">{app.say(texts::table_similarity)}</th> })
    };
    let row = move |(index, row): (usize, Row)| {
        let similarity = is_offered.get().then(|| similarity_cell(app, index, &row).into_any());
        table_row(app, index, row, similarity, is_searched.get())
    };
    view! {
        <div class="table" id=TABLE role="region" aria-label=app.say(texts::table_answers) tabindex="0">
            <table data-testid="table">
                <thead>
                    <tr>
                        {header(texts::table_file, Sort::File)}
                        {searched}
                        {header(texts::table_label, Sort::Label)}
                        {header(texts::table_percent, Sort::Probability)}
                        {not_searched}
                    </tr>
                </thead>
                <tbody>{move || page.get().map(|page| page.rows.into_iter().map(row).collect_view())}</tbody>
            </table>
        </div>
        {move || page.get().filter(|page| page.n_pages > 1).map(|page| view! { <Pages app page/> })}
    }
}

fn table_row(app: App, index: usize, row: Row, similarity: Option<AnyView>, is_searched: bool) -> impl IntoView {
    let (searched, not_searched) = if is_searched { (similarity, None) } else { (None, similarity) };
    let answer = match &row.outcome {
        None => view! { <td class="hint" colspan="2">{app.say(texts::table_not_yet)}</td> }.into_any(),
        Some(Outcome::Refused(error)) => {
            let error = error.clone();
            view! { <td class="problem" colspan="2">{move || sentences::error(&app.texts(), &error)}</td> }
                .into_any()
        }
        Some(Outcome::Answered(_)) => {
            let (label, probability) = row.first().unzip();
            let label = label.unwrap_or_default().to_string();
            let percent = move || probability.map(|probability| sentences::percent(&app.texts(), probability));
            let verdict = row.verdict();
            let remark = move || {
                let remark = sentences::remark(&app.texts(), verdict?)?;
                Some(view! { <span class="remark">{remark}</span> })
            };
            view! {
                <td class="first-label"><span dir="auto"><Label app label/></span>" "{remark}</td>
                <td class="percent">{percent}</td>
            }
            .into_any()
        }
    };
    let open = move |_| {
        app.open_file(index);
        focus::go_to_part(PHOTO_ID);
    };
    view! {
        <tr data-testid="table-row">
            <th scope="row">
                <button type="button" class="open" dir="auto" on:click=open>{row.name}</button>
            </th>
            {searched}
            {answer}
            {not_searched}
        </tr>
    }
}

/// The buttons that turn the pages.
#[component]
fn Pages(app: App, page: TablePage) -> impl IntoView {
    let TablePage { n_rows, page, n_pages, .. } = page;
    let button = move |text: Text, test_id: &'static str, to: Option<usize>| {
        view! {
            <button
                type="button"
                class="button plain"
                data-testid=test_id
                disabled=to.is_none()
                on:click=move |_| {
                    if let Some(to) = to {
                        set_view(app, |view| view.on_page(to));
                    }
                }
            >
                {app.say(text)}
            </button>
        }
    };
    view! {
        <div class="buttons" role="group" aria-label=app.say(texts::table_pages)>
            {button(texts::table_previous, "previous-page", page.checked_sub(1))}
            <span class="hint">{move || texts::table_page(&app.texts(), n_rows, page + 1, n_pages)}</span>
            {button(texts::table_next, "next-page", (page + 1 < n_pages).then_some(page + 1))}
        </div>
    }
}

fn set_view(app: App, change: impl Fn(&TableView) -> TableView) {
    if let Some(view) = app.read(|state| state.open_batch().map(|batch| change(&batch.view))) {
        app.send(Event::BatchViewed(view));
    }
}
