//! Time and reads of the evaluation.

use super::format;
use crate::compare::Comparison;
use dermake_features::Effort;
use maud::{Markup, html};

/// The effort of all models together; nothing where no model was run.
pub fn section(comparison: &Comparison) -> Markup {
    let sum = |of: fn(&Effort) -> u64| comparison.models.iter().map(|results| of(&results.effort)).sum::<u64>();
    let secs_of = |of: fn(&Effort) -> f64| comparison.models.iter().map(|results| of(&results.effort)).sum::<f64>();
    let (n_encoded, image_secs) = (sum(|effort| effort.images_encoded), secs_of(|effort| effort.image_secs));
    let facts = [
        ("Images encoded", format::count(n_encoded)),
        ("Images whose features were cached", format::count(sum(|effort| effort.images_at_hand))),
        ("Time for images", secs(image_secs)),
        ("Images encoded per second", rate(n_encoded, image_secs)),
        ("Prompts encoded", format::count(sum(|effort| effort.prompts_encoded))),
        ("Time for prompts", secs(secs_of(|effort| effort.prompt_secs))),
    ];
    html! {
        @if !is_none(comparison) {
            section #effort {
                h2 { "Effort" }
                dl.metrics {
                    @for (title, text) in facts { div { dt { (title) } dd { (text) } } }
                }
            }
        }
    }
}

/// Whether no model was run, as of predictions.
pub fn is_none(comparison: &Comparison) -> bool {
    comparison.models.iter().all(|results| results.effort == Effort::default() && !results.benchmarks.is_empty())
}

/// Things per second; undefined where nothing was done.
fn rate(n: u64, secs: f64) -> String {
    if n == 0 || secs <= 0.0 { format::UNDEFINED.into() } else { format!("{:.1}", n as f64 / secs) }
}

fn secs(secs: f64) -> String {
    if secs < 120.0 { format!("{secs:.1} s") } else { format!("{:.1} min", secs / 60.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_of_nothing_is_undefined() {
        assert_eq!((rate(0, 2.0), rate(5, 0.0), rate(5, 2.0)), ("n/a".into(), "n/a".into(), "2.5".into()));
        assert_eq!([12.34, 600.0].map(secs), ["12.3 s", "10.0 min"]);
    }
}
