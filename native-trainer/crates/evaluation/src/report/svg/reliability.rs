//! The reliability diagram: how often answers of a confidence are right.

use crate::report::format;
use crate::results::{ClassificationDetails, ReliabilityBin};
use dermake_drawing::axes::{Axis, Frame, Scale};
use dermake_drawing::{drawing, path, px, width_style};
use dermake_models::scale::factor_in_words;
use maud::{Markup, html};

const WIDTH: u32 = 400;
const HEIGHT: u32 = 424;
/// Left and right of both plots.
const ACROSS: [f64; 2] = [44.0, 392.0];
/// Bottom and top of the upper plot.
const ACCURACY: [f64; 2] = [286.0, 8.0];
/// Bottom and top of the lower plot.
const COUNTS: [f64; 2] = [384.0, 316.0];

pub fn figure(details: &ClassificationDetails) -> Markup {
    let bins = &details.reliability;
    let frame = Frame { x: Axis { title: "", ..Axis::unit("", ACROSS) }, y: Axis::unit("Accuracy", ACCURACY) };
    let content = html! { (accuracies(&frame, bins)) (counts(bins)) };
    let error = format::share(details.expected_calibration_error);
    let label = format!("Accuracy against confidence in {} bins; expected calibration error {error}", bins.len());
    html! {
        figure style=(width_style(WIDTH)) {
            figcaption {
                strong { "Reliability. " }
                "Bars: share of right answers by the probability of the likeliest label; dots stand at the bin’s "
                "mean probability, on the diagonal if it is calibrated. Expected calibration error: " (error) "."
                @if let Some(scale) = details.scale {
                    " Probabilities are a softmax of " (factor_in_words(scale)) " times the cosines."
                }
            }
            (drawing(WIDTH, HEIGHT, &label, &content))
        }
    }
}

fn accuracies(frame: &Frame<'_>, bins: &[ReliabilityBin]) -> Markup {
    html! {
        (frame.axes())
        @for bin in bins {
            @if let Some(accuracy) = bin.accuracy {
                (bar(&frame.x.scale, bin, [frame.y.scale.at(accuracy), ACCURACY[0]]))
            }
        }
        path.chance d=(path([frame.point([0.0, 0.0]), frame.point([1.0, 1.0])])) {}
        @for bin in bins {
            @if let (Some(confidence), Some(accuracy)) = (bin.confidence, bin.accuracy) {
                @let [x, y] = frame.point([confidence, accuracy]);
                circle.dot cx=(px(x)) cy=(px(y)) r="3.5" {
                    title {
                        "confidence " (format::share(bin.confidence)) ", accuracy " (format::share(bin.accuracy))
                    }
                }
            }
        }
    }
}

/// Number of answers of each bin.
fn counts(bins: &[ReliabilityBin]) -> Markup {
    let most = bins.iter().map(|bin| bin.n).max().unwrap_or(0).max(1);
    let (x, y) =
        (Scale::linear([0.0, 1.0], ACROSS), Scale::linear([0.0, most as f64], [COUNTS[0], COUNTS[1] + 14.0]));
    html! {
        path.grid d={ "M" (px(ACROSS[0])) " " (px(COUNTS[0])) "H" (px(ACROSS[1])) } {}
        @for bin in bins {
            @let top = y.at(bin.n as f64);
            (bar(&x, bin, [top, COUNTS[0]]))
            text.tick x=(px(x.at((bin.from + bin.to) / 2.0))) y=(px(top - 4.0)) text-anchor="middle" {
                (format::short_count(bin.n as u64))
            }
        }
        text.axis-title x=(px((ACROSS[0] + ACROSS[1]) / 2.0)) y=(px(COUNTS[0] + 20.0)) text-anchor="middle" {
            "Probability of the likeliest label"
        }
        text.axis-title text-anchor="middle"
            transform={ "translate(12 " (px((COUNTS[0] + COUNTS[1]) / 2.0)) ") rotate(-90)" } { "Images" }
    }
}

/// A bin's bar between two heights in pixels.
fn bar(x: &Scale, bin: &ReliabilityBin, [top, bottom]: [f64; 2]) -> Markup {
    let (left, right) = (x.at(bin.from) + 1.0, x.at(bin.to) - 1.0);
    html! {
        rect.bin x=(px(left)) y=(px(top)) width=(px(right - left)) height=(px((bottom - top).max(0.0))) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_bin_has_a_count_and_no_dot() {
        let bin = |from: f64, n: usize, accuracy: Option<f64>| ReliabilityBin {
            from,
            to: from + 0.5,
            n,
            confidence: accuracy,
            accuracy,
        };
        let mut details = ClassificationDetails {
            reliability: vec![bin(0.0, 0, None), bin(0.5, 7, Some(0.75))],
            ..ClassificationDetails::default()
        };
        let text = figure(&details).into_string();
        assert_eq!(text.matches("<circle").count(), 1);
        assert!(text.contains(">0</text>") && text.contains(">7</text>"));
        assert!(text.contains("error: n/a.<"), "others' probabilities have no scale: {text}");
        details.scale = Some(14.2);
        assert!(figure(&details).into_string().contains("a softmax of 14.20 times the cosines."), "{text}");
    }
}
