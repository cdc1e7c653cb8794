//! Time and reads of the evaluation.

use super::format;
use dermake_features::Effort;
use maud::{Markup, html};

pub fn section(effort: &Effort) -> Markup {
    let facts = [
        ("Images encoded", format::count(effort.images_encoded)),
        ("Images whose features were cached", format::count(effort.images_at_hand)),
        ("Time for images", secs(effort.image_secs)),
        ("Images encoded per second", rate(effort.images_encoded, effort.image_secs)),
        ("Prompts encoded", format::count(effort.prompts_encoded)),
        ("Time for prompts", secs(effort.prompt_secs)),
    ];
    html! {
        section #effort {
            h2 { "Effort" }
            dl.metrics {
                @for (title, text) in facts { div { dt { (title) } dd { (text) } } }
            }
        }
    }
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
