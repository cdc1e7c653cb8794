//! The heading of a report: the model, the protocol, and notices.

use crate::compare::Comparison;
use crate::results::{Protocol, Results};
use maud::{Markup, html};

/// Characters of the hash that are shown.
const SHORT_SHA: usize = 12;

pub fn header(comparison: &Comparison) -> Markup {
    html! {
        header {
            h1 { "Evaluation of " span.model { (names(comparison)) } }
            dl.facts {
                @for results in &comparison.models {
                    dt { @if comparison.models.len() > 1 { (results.model.name) ", SHA-256" } @else { "SHA-256" } }
                    dd { code title=(results.model.sha256) { (short_sha(results)) } }
                }
                dt { "Program" } dd { "dermake " (comparison.version) }
                @if let Some(results) = comparison.models.first() {
                    dt { "Protocol" } dd { (protocol(results.protocol)) }
                }
            }
            aside.notice aria-label="Notice" {
                @for notice in notices(comparison) {
                    p { (notice) }
                }
            }
        }
    }
}

/// The names of the models.
pub fn names(comparison: &Comparison) -> String {
    comparison.models.iter().map(|results| results.model.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// The notices below the heading of a report.
pub fn notices(comparison: &Comparison) -> Vec<String> {
    let untrained = "This model was never trained: its figures mean nothing.";
    let mut notices = Vec::new();
    for Results { model, .. } in &comparison.models {
        let of = |notice: &str| {
            if comparison.models.len() > 1 { format!("{}: {notice}", model.name) } else { notice.into() }
        };
        notices.extend(model.notice.as_deref().map(of));
        notices.extend((!model.is_trained).then(|| of(untrained)));
    }
    notices.push("Research software, not a medical device.".into());
    notices
}

pub fn short_sha(results: &Results) -> &str {
    let sha = &results.model.sha256;
    sha.get(..SHORT_SHA).unwrap_or(sha)
}

pub fn protocol(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::All => "every row of each table",
        Protocol::DermfmZero => {
            "as DermFM-Zero's code: missing captions as the text “nan”, recall at 5, 10 and 50, \
             linear probes with its preprocessing, features and loss"
        }
        Protocol::Released => {
            "as the released script: the first 2,048 rows of each classification table, \
             missing captions as the text “nan”"
        }
    }
}
