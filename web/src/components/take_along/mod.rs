//! The result, to take along: printed, saved as a file, or shared.

use crate::app::{App, can_share, save};
use crate::report::Report;
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
        {move || report.get().map(|report| view! { <PrintedRows report/> })}
    }
}

#[component]
fn Buttons(app: App, report: Memo<Option<Report>>) -> impl IntoView {
    let problem = RwSignal::new("");
    // A browser that does not print, such as one inside another program, ignores the call.
    let print = move |_| drop(window().print());
    let save_report = move |_| {
        if let Some(report) = report.get_untracked() {
            save(&report);
        }
    };
    let share = move |_| {
        let Some(report) = report.get_untracked() else { return };
        problem.set("");
        spawn_local(async move {
            if !app.share(report).await {
                problem.set("This could not be shared. Save it as a file, or print it.");
            }
        });
    };
    view! {
        <div class="buttons" role="group" aria-label="Take the answers along">
            <button type="button" class="button plain" data-testid="print" on:click=print>"Print or save as PDF"</button>
            <button type="button" class="button plain" data-testid="save" on:click=save_report>"Save as a file"</button>
            <Show when=can_share>
                <button type="button" class="button plain" data-testid="share" on:click=share>"Share"</button>
            </Show>
        </div>
        <p class="hint note" role="status">{problem}</p>
    }
}

#[component]
fn PrintedRows(report: Report) -> impl IntoView {
    let row = |(name, value): (&'static str, String)| view! { <dt>{name}</dt><dd dir="auto">{value}</dd> };
    view! { <dl class="in-print" data-testid="printed-rows">{report.printed_rows().into_iter().map(row).collect_view()}</dl> }
}
