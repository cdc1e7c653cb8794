//! The result, to take along: printed, saved as a file, or shared.

use crate::app::{App, can_share, save};
use crate::report::Report;
use crate::{sentences, texts};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// The buttons, and what a print has beside the answers.
#[component]
pub fn TakeAlong(app: App) -> impl IntoView {
    let report = app.report();
    view! {
        <Show when=move || report.get().is_some()>
            <Buttons app report/>
        </Show>
        {move || report.get().map(|report| view! { <PrintedRows app report/> })}
    }
}

#[component]
fn Buttons(app: App, report: Memo<Option<Report>>) -> impl IntoView {
    let has_failed = RwSignal::new(false);
    // A browser that does not print, such as one inside another program, ignores the call.
    let print = move |_| drop(window().print());
    let save_report = move |_| {
        if let Some(report) = report.get_untracked() {
            save(&report);
        }
    };
    let share = move |_| {
        let Some(report) = report.get_untracked() else { return };
        has_failed.set(false);
        spawn_local(async move {
            has_failed.set(!app.share(report).await);
        });
    };
    view! {
        <div class="buttons" role="group" aria-label=app.say(texts::take_along)>
            <button type="button" class="button plain" data-testid="print" on:click=print>
                {app.say(texts::take_print)}
            </button>
            <button type="button" class="button plain" data-testid="save" on:click=save_report>
                {app.say(texts::take_save)}
            </button>
            <Show when=can_share>
                <button type="button" class="button plain" data-testid="share" on:click=share>
                    {app.say(texts::take_share)}
                </button>
            </Show>
        </div>
        <p class="hint note" role="status">
            {move || has_failed.get().then(|| texts::take_not_shared(&app.texts()))}
        </p>
    }
}

#[component]
fn PrintedRows(app: App, report: Report) -> impl IntoView {
    let row = |(name, value): (String, String)| view! { <dt>{name}</dt><dd dir="auto">{value}</dd> };
    let rows = move || sentences::printed_rows(&app.texts(), &report).into_iter().map(row).collect_view();
    view! { <dl class="in-print" data-testid="printed-rows">{rows}</dl> }
}
