//! The main metric by skin tone, sex and age.

use super::bars::{Bar, Bars};
use super::format;
use crate::groups::UNKNOWN;
use crate::results::{BenchmarkResult, Breakdown, Group};
use maud::{Markup, html};

pub fn breakdowns(benchmark: &BenchmarkResult) -> Markup {
    html! {
        @if !benchmark.breakdowns.is_empty() {
            h3 { "By group" }
            div.figures {
                @for breakdown in &benchmark.breakdowns { (figure(benchmark, breakdown)) }
            }
        }
    }
}

fn figure(benchmark: &BenchmarkResult, breakdown: &Breakdown) -> Markup {
    let bar = |group: &Group| Bar {
        name: group.name.clone(),
        n: Some(group.n),
        value: group.value,
        interval: group.interval,
        more: Vec::new(),
    };
    let bars = Bars {
        name_title: "Group",
        n_title: "Images",
        value_title: "Value",
        more_titles: &[],
        marks: &[0.5],
        rows: breakdown.groups.iter().map(bar).collect(),
    };
    html! {
        figure.half {
            figcaption {
                strong { "By " (column_phrase(&breakdown.column)) ": " }
                (metric_title(benchmark, &breakdown.metric)) ". " (gap(breakdown))
            }
            (bars.table())
        }
    }
}

/// The gap in words.
pub fn gap(breakdown: &Breakdown) -> String {
    let of = |group: &Group| group.value.filter(|value| group.name != UNKNOWN && value.is_finite());
    let groups = || breakdown.groups.iter().filter(|group| of(group).is_some());
    let best = groups().max_by(|a, b| of(a).unwrap_or(0.0).total_cmp(&of(b).unwrap_or(0.0)));
    let worst = groups().min_by(|a, b| of(a).unwrap_or(0.0).total_cmp(&of(b).unwrap_or(0.0)));
    let (Some(gap), Some(best), Some(worst)) = (breakdown.gap, best, worst) else {
        return "Fewer than two groups have a figure, so there is no gap.".into();
    };
    let name = |group: &Group| format!("{} ({})", group.name, format::share(group.value));
    let overlap = match (best.interval, worst.interval) {
        (Some(best), Some(worst)) if worst[1] >= best[0] => "; their intervals overlap",
        (Some(_), Some(_)) => "; their intervals do not overlap",
        _ => "",
    };
    format!("Gap {}: best {}, worst {}{overlap}.", format::share(Some(gap)), name(best), name(worst))
}

/// A metric's name for people.
pub fn metric_title(benchmark: &BenchmarkResult, key: &str) -> String {
    let metric = benchmark.metrics.iter().find(|metric| metric.key == key);
    metric.map_or_else(|| key.replace('_', " "), |metric| metric.title.clone())
}

/// A column's name within a sentence.
pub fn column_phrase(column: &str) -> &str {
    match column {
        "fitzpatrick" => "Fitzpatrick skin type",
        "monk" => "Monk skin tone",
        "ita" => "individual typology angle",
        "skin_tone" => "skin tone",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str, value: Option<f64>, interval: Option<[f64; 2]>) -> Group {
        Group { name: name.into(), n: 10, value, interval }
    }

    fn breakdown(groups: Vec<Group>, gap: Option<f64>) -> Breakdown {
        Breakdown { column: "sex".into(), metric: "top1_accuracy".into(), groups, gap }
    }

    #[test]
    fn the_gap_names_the_known_groups() {
        let groups = vec![
            group("female", Some(0.8), Some([0.7, 0.9])),
            group("male", Some(0.6), Some([0.5, 0.69])),
            group("unknown", Some(0.1), None),
            group("other", None, None),
        ];
        assert_eq!(
            gap(&breakdown(groups, Some(0.2))),
            "Gap 0.200: best female (0.800), worst male (0.600); their intervals do not overlap."
        );
    }

    #[test]
    fn one_group_has_no_gap() {
        let text = gap(&breakdown(vec![group("female", Some(0.8), None)], None));
        assert!(text.starts_with("Fewer than two"), "{text}");
    }
}
