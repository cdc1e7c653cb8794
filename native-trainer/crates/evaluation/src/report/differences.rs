//! Differences between models, and whether they are more than luck.

use super::format;
use crate::compare::Difference;
use maud::{Markup, html};

/// The corrected p-value below which a difference counts.
const LEVEL: f64 = 0.05;

pub const HEADINGS: [&str; 7] =
    ["Benchmark", "Metric", "Models", "Difference (95 % interval)", "p", "p corrected", "Better"];

/// The cells of a difference, as many as [`HEADINGS`].
pub fn cells(difference: &Difference) -> [String; 7] {
    let [first, second] = &difference.models;
    [
        difference.title.clone(),
        difference.metric_title.clone(),
        format!("{first} − {second}"),
        signed_with_interval(difference),
        p_value(difference.p_value),
        p_value(difference.p_corrected),
        better(difference).map_or_else(|| "not shown".into(), String::from),
    ]
}

/// The better model, where the difference is more than luck.
fn better(difference: &Difference) -> Option<&str> {
    let is_shown = difference.p_corrected.is_some_and(|p_value| p_value < LEVEL);
    let value = difference.value.filter(|_| is_shown)?;
    let is_rank = difference.metric.contains("rank");
    let [first, second] = &difference.models;
    Some(if (value > 0.0) != is_rank { first } else { second })
}

/// What the table of differences means.
pub fn explanation(differences: &[Difference]) -> String {
    let corrected = match differences.len() {
        1 => String::new(),
        n => format!(", corrected by Holm's method over the {n} comparisons of this table"),
    };
    format!(
        "Paired bootstrap over the rows that all models have, 10,000 resamples; p-values are two-sided{corrected}. A model \
         is called better where the corrected p-value is below {LEVEL}."
    )
}

pub fn section(differences: &[Difference]) -> Markup {
    html! {
        @if !differences.is_empty() {
            section #differences {
                h2 { "Differences" }
                div.scroll tabindex="0" role="region" aria-label="Differences between the models" {
                    table {
                        thead { tr { @for heading in HEADINGS { th scope="col" { (heading) } } } }
                        tbody {
                            @for difference in differences {
                                tr {
                                    @for (at, cell) in cells(difference).into_iter().enumerate() {
                                        @if at == 0 { th scope="row" { (cell) } } @else { td { (cell) } }
                                    }
                                }
                            }
                        }
                    }
                }
                p.caption { (explanation(differences)) }
            }
        }
    }
}

fn signed_with_interval(difference: &Difference) -> String {
    let signed = |value: f64| format!("{value:+.3}");
    match (difference.value, difference.interval) {
        (Some(value), Some([low, high])) => format!("{} ({} to {})", signed(value), signed(low), signed(high)),
        (Some(value), None) => signed(value),
        (None, _) => format::UNDEFINED.into(),
    }
}

/// Four decimals, as the smallest that 10,000 resamples give is 0.0002.
fn p_value(p_value: Option<f64>) -> String {
    p_value.map_or_else(|| format::UNDEFINED.into(), |p_value| format!("{p_value:.4}"))
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn the_better_model_is_named_only_where_the_difference_is_more_than_luck() {
        let shown = samples::difference();
        assert_eq!(better(&shown), Some("sample"));
        assert_eq!(better(&Difference { value: Some(-0.05), ..shown.clone() }), Some("another"));
        assert_eq!(better(&Difference { p_corrected: Some(0.05), ..shown.clone() }), None);
        let ranks = Difference { metric: "mean_rank_image_to_text".into(), ..shown.clone() };
        assert_eq!(better(&ranks), Some("another"), "a higher rank is worse");
        let undefined = Difference { value: None, interval: None, p_value: None, p_corrected: None, ..shown };
        assert_eq!(cells(&undefined)[3..], ["n/a", "n/a", "n/a", "not shown"].map(String::from));
    }
}
