//! Figures as text and in the page.

use crate::results::Metric;
use maud::{Markup, html};

/// The text for an undefined figure.
pub const UNDEFINED: &str = "n/a";

/// A metric's value, as its kind is written.
pub fn value(key: &str, value: Option<f64>) -> String {
    match value {
        Some(value) if value.is_finite() => number(key, value),
        _ => UNDEFINED.into(),
    }
}

/// "(0.891–0.921)".
pub fn interval(key: &str, interval: Option<[f64; 2]>) -> Option<String> {
    let [low, high] = interval.filter(|ends| ends.iter().all(|end| end.is_finite()))?;
    Some(format!("({}–{})", number(key, low), number(key, high)))
}

/// "0.906 (0.891–0.921)", or without the interval where there is none.
pub fn with_interval(key: &str, of: Option<f64>, ends: Option<[f64; 2]>) -> String {
    match interval(key, ends) {
        Some(ends) if of.is_some() => format!("{} {ends}", value(key, of)),
        _ => value(key, of),
    }
}

/// A metric's value with its interval in a lighter style, which may wrap to the next line.
pub fn figure_with_interval(metric: &Metric) -> Markup {
    let interval = interval(&metric.key, metric.interval).filter(|_| metric.value.is_some());
    html! {
        (value(&metric.key, metric.value))
        @if let Some(interval) = interval { " " span.interval { (interval) } }
    }
}

/// A share as people write it: "1 %".
pub fn percent(share: f64) -> String {
    format!("{} %", (1000.0 * share).round() / 10.0)
}

/// A share, an AUROC, a probability: three decimals.
pub fn share(of: Option<f64>) -> String {
    value("", of)
}

/// A number of things: "10,015".
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a count in four characters: "12k".
pub fn short_count(n: u64) -> String {
    match n {
        0..10_000 => n.to_string(),
        10_000..1_000_000 => format!("{}k", n / 1000),
        _ => format!("{}M", n / 1_000_000),
    }
}

/// The first `most` of some names: "acne, nevus and 3 more".
pub fn listed(names: &[&str], most: usize) -> String {
    let n_more = names.len().saturating_sub(most);
    let listed = names[..names.len() - n_more].join(", ");
    if n_more > 0 { format!("{listed} and {n_more} more") } else { listed }
}

fn number(key: &str, value: f64) -> String {
    if key == "n_passed" {
        format!("{value:.0}")
    } else if key.starts_with("mean_rank") || key.starts_with("median_rank") {
        format!("{value:.1}")
    } else {
        format!("{value:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_by_their_kind() {
        assert_eq!(with_interval("top1_accuracy", Some(0.9062), Some([0.8911, 0.9209])), "0.906 (0.891–0.921)");
        assert_eq!(with_interval("n_passed", Some(21.0), Some([18.0, 24.0])), "21 (18–24)");
        assert_eq!(with_interval("median_rank_image_to_text", Some(37.0), None), "37.0");
        assert_eq!(value("top1_accuracy", Some(0.0)), "0.000", "zero is a figure");
    }

    #[test]
    fn shares_are_percentages() {
        assert_eq!([0.01, 0.1, 1.0, 0.005].map(percent), ["1 %", "10 %", "100 %", "0.5 %"]);
    }

    #[test]
    fn undefined_is_never_a_number() {
        assert_eq!(with_interval("top1_accuracy", None, Some([0.0, 1.0])), "n/a");
        assert_eq!(value("top1_accuracy", Some(f64::NAN)), "n/a");
    }

    #[test]
    fn many_names_are_cut_short() {
        assert_eq!(listed(&["acne", "nevus"], 2), "acne, nevus");
        assert_eq!(listed(&["acne", "nevus", "psoriasis"], 1), "acne and 2 more");
        assert_eq!(listed(&[], 2), "");
    }

    #[test]
    fn counts_are_grouped_by_thousands() {
        assert_eq!([0, 999, 1000, 10_015, 1_234_567].map(count), ["0", "999", "1,000", "10,015", "1,234,567"]);
        assert_eq!([9_999, 10_015, 1_234_567].map(short_count), ["9999", "10k", "1M"]);
    }
}
