//! The report of a run: one page with counts and examples. It has no script and loads no other file.

mod examples;
mod flagged;

pub use flagged::FlaggedRows;

use crate::sample::Sample;
use crate::summary::Summary;
use dermake_drawing::page;
use maud::{Markup, html};
use std::collections::BTreeMap;

const STYLE: &str = include_str!("style.css");
/// Names of a list of the report.
const N_NAMES: usize = 25;

/// Returns the page.
pub fn html(summary: &Summary, sample: &Sample, flagged: &FlaggedRows) -> String {
    let body = html! {
        h1 { "Prepared captions" }
        (counts(summary))
        div.columns {
            (names("Conditions", &summary.conditions))
            (names("Concepts", &summary.concepts))
        }
        (flagged::section(flagged, &summary.flags))
        (examples::section(sample))
        (by_hand(summary.images.n_searched > 0))
    };
    page("Prepared captions", STYLE, &body)
}

fn counts(summary: &Summary) -> Markup {
    let n_kept = summary.n_rows - summary.n_left_out();
    let mut rows = vec![
        ("rows of the input".to_owned(), summary.n_rows),
        ("rows of the table".to_owned(), n_kept),
        ("with a condition".to_owned(), summary.n_with_condition),
        ("with concepts".to_owned(), summary.n_with_concepts),
        ("with both".to_owned(), summary.n_with_both),
        ("with a condition that is named but not asserted".to_owned(), summary.n_only_uncertain),
        ("with something negated".to_owned(), summary.n_with_negated),
        ("sub-captions".to_owned(), summary.n_subcaptions),
        ("captions cut behind a sentence".to_owned(), summary.n_truncated),
        ("parts of captions for which no sub-caption was left".to_owned(), summary.n_parts_left_out),
    ];
    let images = &summary.images;
    let seen = [
        ("rows of val.csv", summary.n_validation),
        ("images that were looked at", images.n_images),
        ("rows whose image is not there", images.n_missing),
        ("images that cannot be decoded", images.n_unreadable),
        ("images that are copies in another size or form", images.n_near),
        ("images of the evaluation", images.n_evaluation_images),
        ("images that were searched for faces and text", images.n_searched),
    ];
    rows.extend(seen.into_iter().filter(|(_, n)| *n > 0).map(|(what, n)| (what.to_owned(), n)));
    rows.extend(summary.left_out.iter().map(|(reason, n)| (format!("left out: {}", reason.in_words()), *n)));
    rows.extend(summary.removed.iter().map(|(kind, n)| (format!("removed: {}", kind.in_words()), *n)));
    rows.extend(summary.flags.iter().map(|(flag, n)| (format!("to look at: {}", flag.in_words()), *n)));
    html! {
        section {
            h2 { "Counts" }
            table {
                thead { tr { th { "what" } th.number { "number" } th.number { "share" } } }
                tbody {
                    @for (what, n) in rows {
                        tr {
                            td { (what) }
                            td.number { (n) }
                            td.number { (share(n, summary.n_rows)) }
                        }
                    }
                }
            }
            p.quiet { "Shares are of the rows of the input." }
        }
    }
}

fn share(n: u64, of: u64) -> String {
    if n > of { String::new() } else { format!("{:.1} %", 100.0 * n as f64 / of.max(1) as f64) }
}

fn names(title: &str, counts: &BTreeMap<String, u64>) -> Markup {
    let mut names: Vec<(&String, u64)> = counts.iter().map(|(name, n)| (name, *n)).collect();
    names.sort_by_key(|(name, n)| (u64::MAX - n, *name));
    let most = names.first().map_or(1, |(_, n)| *n);
    html! {
        section {
            h2 { (title) }
            p.quiet { (names.len()) " different ones" @if names.len() > N_NAMES { ", the most frequent first" } }
            table {
                tbody {
                    @for (name, n) in names.iter().take(N_NAMES) {
                        tr {
                            td { (name) }
                            td.number { (n) }
                            td.wide { span.bar style={ "width:" (100 * n / most) "%" } {} }
                        }
                    }
                }
            }
        }
    }
}

fn by_hand(is_searched: bool) -> Markup {
    html! {
        section {
            h2 { "What is left to do by hand" }
            ul {
                li {
                    "Fill in the last three columns of sample.csv for a hundred rows or more, without looking at what was
                    found, and count how often it agrees. This tells what the extraction is worth on your captions."
                }
                li { "Look at the rows that are to look at; they are in the table, and extracted.jsonl names them." }
                li {
                    @if is_searched {
                        "Faces and text inside images were searched for, and some are missed: text at a slant, single
                        digits, pale watermarks. Look at the images."
                    } @else {
                        "Faces, names and other texts inside images were not searched for. Look at the images, those
                        first that --flag-faces-and-text finds."
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aspects::MaskOrder;

    #[test]
    fn the_page_is_whole_for_an_empty_run_and_escapes_captions() {
        let page = html(&Summary::new(MaskOrder::default()), &Sample::default(), &FlaggedRows::default());
        assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"), "{page}");
    }
}
