//! The heading of a report: the model, the protocol, and notices.

use crate::results::{Protocol, Results};
use maud::{Markup, html};

/// Characters of the hash that are shown.
const SHORT_SHA: usize = 12;

pub fn header(results: &Results) -> Markup {
    html! {
        header {
            h1 { "Evaluation of " span.model { (results.model.name) } }
            dl.facts {
                dt { "SHA-256" } dd { code title=(results.model.sha256) { (short_sha(results)) } }
                dt { "Program" } dd { "dermake " (results.version) }
                dt { "Protocol" } dd { (protocol(results.protocol)) }
            }
            aside.notice aria-label="Notice" {
                @for notice in notices(results) {
                    p { (notice) }
                }
            }
        }
    }
}

/// The heading of a report.
pub fn notices(results: &Results) -> Vec<&str> {
    let untrained = "This model was never trained: its figures mean nothing.";
    let mut notices = Vec::from_iter(results.model.notice.as_deref());
    notices.extend((!results.model.is_trained).then_some(untrained));
    notices.push("Research software, not a medical device.");
    notices
}

pub fn short_sha(results: &Results) -> &str {
    let sha = &results.model.sha256;
    sha.get(..SHORT_SHA).unwrap_or(sha)
}

pub fn protocol(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::All => "every row of each table",
        Protocol::Released => {
            "as the released script: the first 2,048 rows of each classification table, \
             missing captions as the text “nan”"
        }
    }
}
