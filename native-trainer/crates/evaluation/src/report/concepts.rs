//! Figures of concepts: the AUROC of each, and curves.

use super::bars::{Bar, Bars};
use super::svg::roc::{self, Curve};
use crate::results::{ConceptDetails, ConceptResult};
use maud::{Markup, html};

pub fn figures(details: &ConceptDetails) -> Markup {
    let curves: Vec<Curve<'_>> = details.concepts.iter().map(curve).collect();
    html! {
        div.figures {
            figure.wide {
                figcaption {
                    strong { "AUROC of each concept " }
                    "with its 95 % interval, best first. Lines: 0.5, no better than chance, and "
                    (details.pass_mark) ", the pass mark."
                }
                (bars(details))
            }
            (roc::figure(&curves, "images that show a concept against those that do not"))
        }
    }
}

fn bars(details: &ConceptDetails) -> Markup {
    let mut concepts: Vec<&ConceptResult> = details.concepts.iter().collect();
    let or_last = |concept: &ConceptResult| concept.auroc.unwrap_or(-1.0);
    concepts.sort_by(|a, b| or_last(b).total_cmp(&or_last(a)));
    let bar = |concept: &&ConceptResult| Bar {
        name: concept.name.clone(),
        n: Some(concept.n_positive),
        value: concept.auroc,
        interval: concept.interval,
        more: Vec::new(),
    };
    let marks = [0.5, details.pass_mark];
    let rows = concepts.iter().map(bar).collect();
    Bars { name_title: "Concept", n_title: "Shown in", value_title: "AUROC", more_titles: &[], marks: &marks, rows }
        .table()
}

fn curve(concept: &ConceptResult) -> Curve<'_> {
    Curve { name: &concept.name, auroc: concept.auroc, points: &concept.roc }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::results::Details;

    #[test]
    fn concepts_are_sorted_and_the_undefined_come_last() {
        let Details::Concepts(details) = samples::concepts().details else { panic!("a sample of concepts") };
        let text = bars(&details).into_string();
        let at = |name: &str| text.find(&format!(">{name}<")).unwrap();
        assert!(at("plaque") < at("scale") && at("scale") < at("erosion"), "0.9, 0.6, undefined");
        assert!(text.contains("left:70.0%"), "the pass mark");
    }
}
