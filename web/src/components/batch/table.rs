//! The table of many photos: it fills while the model answers, and is sorted, filtered and saved.

use crate::app::App;
use crate::components::model_status::ModelStatus;
use crate::components::notice::Notice;
use crate::document::save_file;
use crate::state::{Batch, Event, Outcome, Row, Sort, TablePage, TableView, percent};
use crate::verdict::Verdict;
use leptos::prelude::*;

#[component]
pub fn PhotoTable(app: App) -> impl IntoView {
    let summary = app.watch(|state| state.open_batch().map(summary_of));
    let is_uncalibrated =
        app.watch(|state| state.open_batch().is_some_and(|batch| batch.n_with(Verdict::NotCalibrated) > 0));
    view! {
        <section class="card" aria-labelledby="table-title">
            <h2 id="table-title">"Photos"</h2>
            <ModelStatus app/>
            <Notice app/>
            <p class="hint" data-testid="table-summary">{summary}</p>
            <Show when=move || is_uncalibrated.get()>
                <p class="hint" data-testid="table-verdict">{Verdict::NotCalibrated.sentence()}</p>
            </Show>
            <Tools app/>
            <Rows app/>
        </section>
    }
}

fn summary_of(batch: &Batch) -> String {
    let refused = match batch.n_refused() {
        0 => String::new(),
        n_refused => format!(" {n_refused} could not be answered; the table says why."),
    };
    let unfit = match batch.n_with(Verdict::NoneOfThese) {
        0 => String::new(),
        n_unfit => format!(" {n_unfit} fit none of the labels."),
    };
    format!("{} of {} photos are done.{unfit}{refused}", batch.n_done(), batch.n_files())
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
        <label class="field" for="table-filter">"Show files, labels or problems with"</label>
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
                "Save as CSV"
            </button>
            <button
                type="button"
                class="button plain"
                data-testid="save-json"
                on:click=save("dermake.json", "application/json", |batch| {
                    batch.to_json(&String::from(js_sys::Date::new_0().to_iso_string()))
                })
            >
                "Save as JSON"
            </button>
            <button
                type="button"
                class="button plain"
                data-testid="close-table"
                on:click=move |_| app.send(Event::BatchRemoved)
            >
                "Close the table"
            </button>
        </div>
    }
}

#[component]
fn Rows(app: App) -> impl IntoView {
    let view = app.watch(|state| state.open_batch().map(|batch| batch.view.clone()).unwrap_or_default());
    let page = app.watch(|state| state.open_batch().map(Batch::shown));
    let header = move |title: &'static str, sort: Sort| {
        let direction = move || match view.with(|view| (view.sort == sort, view.is_descending)) {
            (false, _) => "none",
            (true, false) => "ascending",
            (true, true) => "descending",
        };
        view! {
            <th scope="col" aria-sort=direction>
                <button type="button" class="sort" on:click=move |_| set_view(app, |view| view.sorted_by(sort))>
                    {title}
                </button>
            </th>
        }
    };
    let row = move |(index, row): (usize, Row)| table_row(app, index, row);
    view! {
        <div class="table" role="region" aria-label="Answers of the photos" tabindex="0">
            <table data-testid="table">
                <thead>
                    <tr>
                        {header("File", Sort::File)}
                        {header("First label", Sort::Label)}
                        {header("Percent", Sort::Probability)}
                    </tr>
                </thead>
                <tbody>{move || page.get().map(|page| page.rows.into_iter().map(row).collect_view())}</tbody>
            </table>
        </div>
        {move || page.get().filter(|page| page.n_pages > 1).map(|page| view! { <Pages app page/> })}
    }
}

fn table_row(app: App, index: usize, row: Row) -> impl IntoView {
    let answer = match &row.outcome {
        None => view! { <td class="hint" colspan="2">"not yet"</td> }.into_any(),
        Some(Outcome::Refused(error)) => {
            view! { <td class="problem" colspan="2">{error.to_string()}</td> }.into_any()
        }
        Some(Outcome::Answered(_)) => {
            let first = row.first().map(|(label, probability)| (label.to_string(), percent(probability)));
            let (label, percent) = first.unwrap_or_default();
            let remark = row.verdict().and_then(Verdict::remark);
            let remark = remark.map(|remark| view! { <span class="remark">{remark}</span> });
            view! { <td><span dir="auto">{label}</span>{remark}</td><td class="percent">{percent}</td> }.into_any()
        }
    };
    view! {
        <tr data-testid="table-row">
            <th scope="row">
                <button type="button" class="open" dir="auto" on:click=move |_| app.open_file(index)>{row.name}</button>
            </th>
            {answer}
        </tr>
    }
}

/// The buttons that turn the pages.
#[component]
fn Pages(app: App, page: TablePage) -> impl IntoView {
    let TablePage { n_rows, page, n_pages, .. } = page;
    let button = move |text: &'static str, test_id: &'static str, to: Option<usize>| {
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
                {text}
            </button>
        }
    };
    view! {
        <div class="buttons" role="group" aria-label="Pages of the table">
            {button("Previous", "previous-page", page.checked_sub(1))}
            <span class="hint">{format!("Page {} of {n_pages}, {n_rows} rows", page + 1)}</span>
            {button("Next", "next-page", (page + 1 < n_pages).then_some(page + 1))}
        </div>
    }
}

fn set_view(app: App, change: impl Fn(&TableView) -> TableView) {
    if let Some(view) = app.read(|state| state.open_batch().map(|batch| change(&batch.view))) {
        app.send(Event::BatchViewed(view));
    }
}
