//! Two kept photos side by side, with their answers and findings.

use crate::app::{App, kept_photo_url};
use crate::components::label::Label;
use crate::journal::{Entry, FindingChange};
use crate::language::Language;
use crate::{sentences, texts};
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::Url;

/// Labels to compare.
const N_SHOWN: usize = 5;
/// Findings to compare, those that changed most.
const N_FINDINGS_SHOWN: usize = 6;

#[component]
pub fn Comparison(app: App) -> impl IntoView {
    let compared = app.watch(|state| {
        let (before, after) = state.journal.compared()?;
        Some((before.clone(), after.clone()))
    });
    move || {
        let texts = app.texts();
        compared.get().map(|(before, after)| {
            let heading = |entry: &Entry| {
                let remark = sentences::remark(&texts, entry.verdict());
                let remark = remark.map(|remark| format!(", {remark}")).unwrap_or_default();
                format!("{} ({}{remark})", entry.date(), entry.model)
            };
            let row = |(label, old, new): (&str, f32, Option<f32>)| {
                let percent = |probability| sentences::percent(&texts, probability);
                let (old, new) = (percent(old), new.map_or_else(|| texts::comparison_missing(&texts), percent));
                view! {
                    <tr><th scope="row" dir="auto"><Label app label/></th><td>{old}</td><td>{new}</td></tr>
                }
            };
            let rows: Vec<_> = before.changes_to(&after).take(N_SHOWN).map(row).collect();
            let is_other = !before.is_comparable_to(&after);
            view! {
                <div class="comparison" data-testid="comparison" role="group" aria-label=app.say(texts::comparison)>
                    <div class="pair"><KeptPhoto entry=before.clone()/><KeptPhoto entry=after.clone()/></div>
                    <div class="table" role="region" aria-label=app.say(texts::comparison) tabindex="0">
                        <table>
                            <thead>
                                <tr>
                                    <th scope="col">{app.say(texts::comparison_label)}</th>
                                    <th scope="col">{heading(&before)}</th>
                                    <th scope="col">{heading(&after)}</th>
                                </tr>
                            </thead>
                            <tbody>{rows}</tbody>
                        </table>
                    </div>
                    <Findings app before=before.clone() after=after.clone()/>
                    <Show when=move || is_other>
                        <p class="hint">{app.say(texts::comparison_other)}</p>
                    </Show>
                    <p class="hint">{app.say(texts::comparison_hint)}</p>
                </div>
            }
        })
    }
}

/// The findings that changed most, or when findings are compared.
#[component]
fn Findings(app: App, before: Entry, after: Entry) -> impl IntoView {
    let row = |change: &FindingChange<'_>| {
        view! {
            <tr>
                <th scope="row" lang=Language::English.code()>{change.finding.to_string()}</th>
                <td>{change.before}</td>
                <td>{change.after}</td>
                <td>{change.difference()}</td>
            </tr>
        }
    };
    let changes = before.finding_changes(&after);
    match changes {
        Some(changes) => view! {
            <div class="table" role="region" aria-label=app.say(texts::comparison_findings) tabindex="0">
                <table data-testid="compared-findings">
                    <caption>{app.say(texts::comparison_findings)}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{app.say(texts::comparison_finding)}</th>
                            <th scope="col">{before.date().to_string()}</th>
                            <th scope="col">{after.date().to_string()}</th>
                            <th scope="col">{app.say(texts::comparison_change)}</th>
                        </tr>
                    </thead>
                    <tbody>{changes.iter().take(N_FINDINGS_SHOWN).map(row).collect_view()}</tbody>
                </table>
            </div>
        }
        .into_any(),
        None => view! {
            <p class="hint" data-testid="no-findings">{app.say(texts::comparison_no_findings)}</p>
        }
        .into_any(),
    }
}

/// The photo of an entry, read from the device.
#[component]
pub fn KeptPhoto(entry: Entry) -> impl IntoView {
    let url = RwSignal::new(None::<String>);
    let id = entry.id.clone();
    spawn_local(async move {
        let found = kept_photo_url(&id).await;
        if url.try_set(found.clone()).is_some() {
            revoke(found); // the photo is not shown any more
        }
    });
    on_cleanup(move || revoke(url.try_get_untracked().flatten()));
    let alt = format!("{}, {}", entry.text.spot, entry.date());
    move || url.get().map(|url| view! { <img src=url alt=alt.clone() loading="lazy" decoding="async"/> })
}

fn revoke(url: Option<String>) {
    if let Some(url) = url {
        // Revoking fails only for URLs that were not created here.
        let _ = Url::revoke_object_url(&url);
    }
}
