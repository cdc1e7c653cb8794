//! Figures of classification: confusions, curves, calibration, classes, mistakes.

use super::bars::{Bar, Bars};
use super::format;
use super::mistakes::{self, Thumbnail};
use super::svg::confusion::{self, MAX_LABELED};
use super::svg::reliability;
use super::svg::roc::{self, Curve};
use crate::results::{ClassResult, ClassificationDetails};
use maud::{Markup, html};

/// Most confusions that are listed where the matrix is too large to read.
const MAX_CONFUSIONS: usize = 20;

pub fn figures(details: &ClassificationDetails, thumbnail: &Thumbnail<'_>) -> Markup {
    let curves: Vec<Curve<'_>> = details.classes.iter().map(curve).collect();
    let is_large = details.classes.len() > MAX_LABELED;
    html! {
        div.figures {
            (confusion::figure(&details.classes, &details.confusion))
            (reliability::figure(details))
            (roc::figure(&curves, "each class against all others"))
            @if is_large { (frequent_confusions(details)) }
        }
        h3 { "Classes" }
        @if is_large {
            details {
                summary { "Recall of the " (details.classes.len()) " classes, best first" }
                (classes(details))
            }
        } @else {
            (classes(details))
        }
        (mistakes::figure(&details.mistakes, thumbnail))
    }
}

fn classes(details: &ClassificationDetails) -> Markup {
    let mut classes: Vec<&ClassResult> = details.classes.iter().collect();
    let or_last = |class: &ClassResult| class.recall.unwrap_or(-1.0);
    classes.sort_by(|a, b| or_last(b).total_cmp(&or_last(a)));
    let bar = |class: &&ClassResult| Bar {
        name: class.name.clone(),
        n: Some(class.n),
        value: class.recall,
        interval: class.recall_interval,
        more: vec![format::share(class.precision), format::share(class.auroc)],
    };
    let bars = Bars {
        name_title: "Class",
        n_title: "Images",
        value_title: "Recall",
        more_titles: &["Precision", "AUROC"],
        marks: &[0.5],
        rows: classes.iter().map(bar).collect(),
    };
    html! {
        div.scroll tabindex="0" role="region" aria-label="Recall by class" { (bars.table()) }
    }
}

fn curve(class: &ClassResult) -> Curve<'_> {
    Curve { name: &class.name, auroc: class.auroc, points: &class.roc }
}

/// A wrong cell of the matrix.
struct Confusion<'a> {
    label: &'a ClassResult,
    prediction: &'a ClassResult,
    n: u64,
}

fn frequent_confusions(details: &ClassificationDetails) -> Markup {
    let mut all = Vec::new();
    for (label, row) in details.classes.iter().zip(&details.confusion) {
        for (prediction, &n) in details.classes.iter().zip(row) {
            if n > 0 && !std::ptr::eq(label, prediction) {
                all.push(Confusion { label, prediction, n });
            }
        }
    }
    all.sort_by_key(|confusion| std::cmp::Reverse(confusion.n));
    all.truncate(MAX_CONFUSIONS);
    html! {
        figure.wide {
            figcaption {
                strong { "The " (all.len()) " most frequent confusions, " }
                "and the share of the label's images that they are."
            }
            div.scroll tabindex="0" role="region" aria-label="Frequent confusions" { (confusion_table(&all)) }
        }
    }
}

fn confusion_table(confusions: &[Confusion<'_>]) -> Markup {
    html! {
        table {
            thead {
                tr {
                    th scope="col" { "Label" }
                    th scope="col" { "Predicted" }
                    th.number scope="col" { "Images" }
                    th.number scope="col" { "Share" }
                }
            }
            tbody {
                @for Confusion { label, prediction, n } in confusions {
                    tr {
                        th scope="row" { (label.name) }
                        td { (prediction.name) }
                        td.number { (format::count(*n)) }
                        td.number { (format::share((label.n > 0).then(|| *n as f64 / label.n as f64))) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::results::Details;

    #[test]
    fn confusions_are_listed_by_their_number() {
        let Details::Classification(mut details) = samples::classification(&["acne", "nevus", "wart"]).details
        else {
            panic!("a sample of classification")
        };
        details.confusion = vec![vec![9, 1, 0], vec![5, 9, 0], vec![0, 2, 9]];
        let text = frequent_confusions(&details).into_string();
        let order: Vec<usize> =
            ["nevus", "wart", "acne"].iter().map(|label| text.find(&format!("row\">{label}")).unwrap()).collect();
        assert!(order.is_sorted() && text.contains("The 3 most"), "5, 2, 1 images: {text}");
    }
}
