//! ROC curves of classes or concepts.

use crate::report::format;
use dermake_drawing::axes::{Axis, Frame};
use dermake_drawing::lines::{Line, legend};
use dermake_drawing::{drawing, path};
use maud::{Markup, html};

/// Most curves that one can follow in one drawing.
const MAX_CURVES: usize = 14;
/// Of more, the best and the worst are drawn, so many of each.
const N_EXTREME: usize = 5;
/// Most names that are listed as having no curve.
const MAX_NAMED: usize = 12;
const WIDTH: u32 = 360;
const HEIGHT: u32 = 356;

pub struct Curve<'a> {
    pub name: &'a str,
    pub auroc: Option<f64>,
    /// `[false positive rate, true positive rate]`.
    pub points: &'a [[f64; 2]],
}

/// Curves with a legend by AUROC; `contrast` names what is compared.
pub fn figure(curves: &[Curve<'_>], contrast: &str) -> Markup {
    let mut defined: Vec<&Curve<'_>> = curves.iter().filter(|curve| curve.auroc.is_some()).collect();
    defined.sort_by(|a, b| b.auroc.unwrap_or(0.0).total_cmp(&a.auroc.unwrap_or(0.0)));
    let is_all = defined.len() <= MAX_CURVES;
    let (best, worst) = if is_all {
        (defined.as_slice(), [].as_slice())
    } else {
        (&defined[..N_EXTREME], &defined[defined.len() - N_EXTREME..])
    };
    let line = if is_all { Line::nth } else { Line::solid };
    let drawn: Vec<(&Curve<'_>, Line)> = best
        .iter()
        .enumerate()
        .map(|(at, curve)| (*curve, line(at)))
        .chain(worst.iter().enumerate().map(|(at, curve)| (*curve, Line::dashed(at))))
        .collect();
    html! {
        figure.with-legend {
            figcaption {
                strong { "ROC curves, " }
                (contrast)
                @if !is_all { ": the " (N_EXTREME) " best and the " (N_EXTREME) " worst of " (defined.len()) }
                ", with the area under the curve."

                (without_curve(curves))
            }
            (curves_drawing(&drawn, contrast))
            div {
                @if !is_all { p.legend-title { "Best" } }
                (legend(&entries(best), line))
                @if !is_all { p.legend-title { "Worst" } (legend(&entries(worst), Line::dashed)) }
            }
        }
    }
}

fn entries(curves: &[&Curve<'_>]) -> Vec<(String, String)> {
    curves.iter().map(|curve| (curve.name.to_string(), format::share(curve.auroc))).collect()
}

fn curves_drawing(curves: &[(&Curve<'_>, Line)], contrast: &str) -> Markup {
    let frame = Frame {
        x: Axis::unit("False positive rate", [44.0, f64::from(WIDTH) - 8.0]),
        y: Axis::unit("True positive rate", [f64::from(HEIGHT) - 40.0, 8.0]),
    };
    let content = html! {
        (frame.axes())
        path.chance d=(path([frame.point([0.0, 0.0]), frame.point([1.0, 1.0])])) {}
        // The best ones lie on top.
        @for (curve, line) in curves.iter().rev() {
            path class=(line.class()) d=(path(curve.points.iter().map(|point| frame.point(*point)))) {
                title { (curve.name) " " (format::share(curve.auroc)) }
            }
        }
    };
    drawing(WIDTH, HEIGHT, &format!("ROC curves, {contrast}; the legend has the areas under them"), &content)
}

fn without_curve(curves: &[Curve<'_>]) -> Markup {
    let names: Vec<&str> = curves.iter().filter(|curve| curve.auroc.is_none()).map(|curve| curve.name).collect();
    html! {
        @if !names.is_empty() { " Undefined (n/a) for " (format::listed(&names, MAX_NAMED)) "." }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(aurocs: &[Option<f64>]) -> String {
        let names: Vec<String> = (0..aurocs.len()).map(|at| format!("class {at}.")).collect();
        let points = [[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]];
        let curve = |at: usize| Curve { name: &names[at], auroc: aurocs[at], points: &points };
        let curves: Vec<Curve<'_>> = (0..aurocs.len()).map(curve).collect();
        figure(&curves, "each against all others").into_string()
    }

    #[test]
    fn of_many_the_extremes_are_drawn() {
        let aurocs: Vec<Option<f64>> = (0..20).map(|at| Some(f64::from(at) / 20.0)).collect();
        let text = text(&aurocs);
        assert_eq!(text.matches("<title>").count(), 10);
        assert!(text.contains("class 0.") && text.contains("class 19.") && !text.contains("class 10."));
    }

    #[test]
    fn a_class_without_images_has_no_curve() {
        let text = text(&[Some(0.9), None]);
        assert_eq!(text.matches("<title>").count(), 1);
        assert!(text.contains("Undefined (n/a) for class 1.."), "{text}");
    }
}
