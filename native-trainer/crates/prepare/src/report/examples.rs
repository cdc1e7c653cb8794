//! Captions with their terms marked.

use crate::extraction::Extraction;
use crate::sample::{Sample, SampleRow};
use maud::{Markup, html};

/// Examples of the report.
const N_EXAMPLES: usize = 40;

pub fn section(sample: &Sample) -> Markup {
    let rows = sample.rows();
    html! {
        section {
            h2 { "Examples" }
            p {
                mark.condition { "condition" } " " mark.concept { "concept" } " " mark.negated { "negated" } " "
                mark.open { "named but not asserted" }
            }
            ol.examples {
                @for row in rows.iter().take(N_EXAMPLES) {
                    li value=(row.row) { (example(row)) }
                }
            }
            p.quiet { "The numbers are those of the rows. sample.csv has " (rows.len()) " rows to check by hand." }
        }
    }
}

fn example(row: &SampleRow) -> Markup {
    let found = &row.extraction;
    html! {
        div { (marked(&row.caption, found)) }
        div.quiet {
            (found.condition.as_deref().unwrap_or("no condition"))
            @if !found.concepts.is_empty() { "; " (found.concepts.join(", ")) }
            @if !found.negated.is_empty() { "; not " (found.negated.join(", ")) }
        }
    }
}

/// The caption with each span in a mark; where spans overlap, the first counts.
fn marked(caption: &str, found: &Extraction) -> Markup {
    let chars: Vec<char> = caption.chars().collect();
    let mut spans: Vec<([usize; 2], &str)> = Vec::new();
    for (name, places) in &found.spans {
        let class = class(name, found);
        spans.extend(places.iter().filter(|[_, end]| *end <= chars.len()).map(|&span| (span, class)));
    }
    spans.sort_unstable();
    let text = |from: usize, to: usize| chars[from..to].iter().collect::<String>();
    let mut parts = Vec::new();
    let mut at = 0;
    for ([start, end], class) in spans {
        if start >= at {
            parts.push((text(at, start), None));
            parts.push((text(start, end), Some(class)));
            at = end;
        }
    }
    parts.push((text(at, chars.len()), None));
    html! {
        @for (text, class) in &parts {
            @match class {
                Some(class) => { mark class=(class) { (text) } }
                None => { (text) }
            }
        }
    }
}

fn class(name: &str, found: &Extraction) -> &'static str {
    let is_in = |list: &[String]| list.iter().any(|known| known == name);
    if found.condition.as_deref() == Some(name) {
        "condition"
    } else if is_in(&found.concepts) {
        "concept"
    } else if is_in(&found.negated) {
        "negated"
    } else {
        "open"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Lexicon, read};

    #[test]
    fn terms_are_marked_and_captions_escaped() {
        let caption = "Scaly <b>plaque</b> of psoriasis, no crust";
        let page = marked(caption, &read(&Lexicon::new(None), caption)).into_string();
        let expected = "<mark class=\"concept\">Scaly</mark> &lt;b&gt;<mark class=\"concept\">plaque</mark>&lt;/b&gt; of \
                        <mark class=\"condition\">psoriasis</mark>, no <mark class=\"negated\">crust</mark>";
        assert_eq!(page, expected);
    }
}
