//! Metrics of a linear probe against the share of its training images.

use crate::report::format::percent;
use crate::results::{Metric, ProbeDetails};
use dermake_drawing::axes::{Axis, Frame, Scale};
use dermake_drawing::lines::Line;
use dermake_drawing::{path, px};
use maud::{Markup, html};

const WIDTH: u32 = 360;
const HEIGHT: u32 = 340;
/// Pixels between the points of two metrics at one share, whose whiskers would else hide each other.
const DODGE: f64 = 5.0;

/// A line for each metric of the first share.
pub fn drawing(details: &ProbeDetails) -> Markup {
    let shares: Vec<f64> = details.shares.iter().map(|share| share.share).collect();
    let domain = [shares.first().copied().unwrap_or(1.0), shares.last().copied().unwrap_or(1.0)];
    let x = Axis {
        title: "Share of the training images",
        scale: Scale::log(domain, [44.0, f64::from(WIDTH) - 8.0]).inset(30.0),
        ticks: shares.iter().map(|&share| (share, percent(share))).collect(),
    };
    let frame = Frame { x, y: Axis::unit("Metric", [f64::from(HEIGHT) - 40.0, 8.0]) };
    let metrics: &[Metric] = details.shares.first().map_or(&[], |share| &share.metrics);
    let middle = (metrics.len() as f64 - 1.0) / 2.0;
    let content = html! {
        (frame.axes())
        @for (at, metric) in metrics.iter().enumerate() {
            (curve(details, &frame, metric, Line::nth(at), DODGE * (at as f64 - middle)))
        }
    };
    let ticks: Vec<String> = shares.iter().map(|&share| percent(share)).collect();
    let label = format!("Metrics at {} of the training images; the table has the values", ticks.join(", "));
    dermake_drawing::drawing(WIDTH, HEIGHT, &label, &content)
}

/// The points of a metric with their intervals, moved aside by some pixels.
fn curve(details: &ProbeDetails, frame: &Frame<'_>, metric: &Metric, line: Line, aside: f64) -> Markup {
    let mut points = Vec::new();
    let mut whiskers = Vec::new();
    for share in &details.shares {
        let Some(metric) = share.metric(&metric.key) else { continue };
        let Some(value) = metric.value else { continue };
        let [x, y] = frame.point([share.share, value]);
        points.push([x + aside, y]);
        if let Some([low, high]) = metric.interval {
            whiskers.push(path([low, high].map(|end| [x + aside, frame.y.scale.at(end)])));
        }
    }
    html! {
        g class=(line.color_class()) {
            path.line d=(path(points.iter().copied())) { title { (metric.title) } }
            @for whisker in &whiskers { path.line.thin d=(whisker) {} }
            @for [x, y] in &points { circle.point cx=(px(*x)) cy=(px(*y)) r="3.5" {} }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::samples;
    use super::*;
    use crate::results::Details;

    #[test]
    fn undefined_values_have_no_point() {
        let Details::LinearProbe(details) = samples::probe().details else { panic!("a sample of a probe") };
        let text = drawing(&details).into_string();
        assert_eq!(text.matches("<circle").count(), 5, "two metrics at three shares, one of them undefined");
        assert!(text.contains(">1 %<") && text.contains(">100 %<"));
    }
}
