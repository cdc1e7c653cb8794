//! Curves of a run as a picture, drawn from its `metrics.jsonl`: an SVG, and a PNG beside it.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use dermake_drawing::axes::Frame;
use dermake_drawing::lines::Line;
use dermake_drawing::marks::{Domain, Spacing};
use dermake_drawing::{path, px, standalone, write_figure};
use maud::{Markup, html};

use super::record::Record;
use super::series::{Point, Series, value_range};

/// Size of a panel, in pixels.
const PANEL: [u32; 2] = [480, 300];
const COLUMNS: usize = 2;
/// Left and right of a panel's plot.
const ACROSS: [f64; 2] = [66.0, 462.0];
/// Bottom and top of it.
const UP: [f64; 2] = [248.0, 34.0];
/// Width of a legend without its names, and of a character of a name; generous, as fonts differ.
const LEGEND: [f64; 2] = [42.0, 6.3];
/// Pixels between two lines of a legend, and between a legend and the edges of the plot.
const LEGEND_LINE: f64 = 16.0;
const LEGEND_MARGIN: f64 = 7.0;

/// One diagram of the picture.
#[derive(Debug, Clone)]
pub struct Panel {
    pub title: String,
    /// The names of the scalars to draw; those that the run lacks are left out.
    pub scalars: Vec<String>,
    /// Whether the values are shown by their logarithm; those that have none are then left out.
    pub is_log: bool,
}

/// A curve and its style.
struct Curve<'a> {
    scalar: &'a str,
    line: Line,
    series: Series,
}

/// Draws the panels, two in a row, and writes the picture to `out`, which ends in `.svg`, and as a PNG beside it.
///
/// Returns the path of the PNG. The raw values are drawn faint behind a smoothed line. The scalars of a panel differ by
/// color.
///
/// # Errors
/// A panel of which the run has no value, or a file that cannot be written.
pub fn draw(records: &[Record], panels: &[Panel], out: &Path) -> Result<PathBuf> {
    let picture = picture(records, panels).with_context(|| format!("for {}", out.display()))?;
    write_figure(&picture, out)
}

/// The picture that [`draw`] writes.
///
/// # Errors
/// A panel of which the run has no value.
pub fn picture(records: &[Record], panels: &[Panel]) -> Result<String> {
    ensure!(!panels.is_empty(), "there is no panel to draw");
    let drawn = |panel: &Panel| {
        draw_panel(records, panel).with_context(|| format!("cannot draw the panel {:?}", panel.title))
    };
    let drawn = panels.iter().map(drawn).collect::<Result<Vec<Markup>>>()?;
    let columns = panels.len().min(COLUMNS);
    let [width, height] = PANEL;
    let place =
        |at: usize| format!("translate({} {})", at % columns * width as usize, at / columns * height as usize);
    let content = html! {
        @for (at, panel) in drawn.iter().enumerate() { g transform=(place(at)) { (panel) } }
    };
    let rows = panels.len().div_ceil(columns) as u32;
    let titles: Vec<&str> = panels.iter().map(|panel| panel.title.as_str()).collect();
    let label = format!("Curves of a training run: {}", titles.join(", "));
    Ok(standalone(width * columns as u32, height * rows, &label, &content))
}

fn draw_panel(records: &[Record], panel: &Panel) -> Result<Markup> {
    let curves = curves(records, panel);
    let values = value_range(curves.iter().map(|curve| &curve.series));
    let values = values.with_context(|| format!("the run has no value of {}", panel.scalars.join(", ")))?;
    let y_title = y_title(panel);
    let spacing = if panel.is_log { Spacing::Log } else { Spacing::Linear };
    let frame =
        Frame { x: steps(records).axis("step", ACROSS), y: Domain::over(values, spacing).axis(&y_title, UP) };
    let middle = (ACROSS[0] + ACROSS[1]) / 2.0;
    Ok(html! {
        text.title x=(px(middle)) y="20" text-anchor="middle" { (panel.title) }
        (frame.axes())
        // The raw values of every curve first, so that none of them covers a smoothed line.
        @for curve in curves.iter().filter(|curve| !curve.series.smooth.is_empty()) {
            path class={ (curve.line.class()) " faint" } d=(path(points(&curve.series.raw, &frame))) {}
        }
        @for curve in &curves { (main_line(curve, &frame)) }
        @if curves.len() > 1 { (legend(&curves, &frame)) }
    })
}

/// The domain of all steps of the run, which every panel has, so that they can be read across.
fn steps(records: &[Record]) -> Domain {
    let steps = || records.iter().map(|record| record.step);
    Domain::over((steps().min().unwrap_or(0) as f64, steps().max().unwrap_or(0) as f64), Spacing::Steps)
}

/// The curves of a panel that have a point.
fn curves<'a>(records: &[Record], panel: &'a Panel) -> Vec<Curve<'a>> {
    let curve = |(at, scalar): (usize, &'a String)| Curve {
        scalar,
        line: Line::nth(at),
        series: Series::of(records, scalar, panel.is_log),
    };
    panel.scalars.iter().enumerate().map(curve).filter(|curve| !curve.series.raw.is_empty()).collect()
}

fn y_title(panel: &Panel) -> String {
    match &panel.scalars[..] {
        [scalar] if panel.is_log => format!("{scalar} (log)"),
        [scalar] => scalar.clone(),
        _ if panel.is_log => "log scale".into(),
        _ => String::new(),
    }
}

/// Where points lie on a panel.
fn points(points: &[Point], frame: &Frame<'_>) -> Vec<[f64; 2]> {
    points.iter().map(|&(step, value)| frame.point([step, value])).collect()
}

fn main_line(curve: &Curve<'_>, frame: &Frame<'_>) -> Markup {
    let points = points(curve.series.main_line(), frame);
    html! {
        @if curve.series.smooth.is_empty() {
            // Few values: each is shown.
            g class=(curve.line.color_class()) {
                @for [x, y] in &points { circle.point cx=(px(*x)) cy=(px(*y)) r="2.5" {} }
            }
        }
        path class=(curve.line.class()) d=(path(points.iter().copied())) { title { (curve.scalar) } }
    }
}

/// Names beside a sample of their lines, where the fewest points are.
fn legend(curves: &[Curve<'_>], frame: &Frame<'_>) -> Markup {
    let longest = curves.iter().map(|curve| curve.scalar.chars().count()).max().unwrap_or(0);
    let width = LEGEND[0] + LEGEND[1] * longest as f64;
    let height = LEGEND_LINE * curves.len() as f64 + 6.0;
    let [across, up] = emptiest_place(curves, frame);
    let between = |[from, to]: [f64; 2], share: f64| from + share * (to - from);
    let x = between([ACROSS[0] + LEGEND_MARGIN, ACROSS[1] - LEGEND_MARGIN - width], across);
    let y = between([UP[0] - LEGEND_MARGIN - height, UP[1] + LEGEND_MARGIN], up);
    html! {
        g transform={ "translate(" (px(x)) " " (px(y)) ")" } {
            rect.legend-box width=(px(width)) height=(px(height)) {}
            @for (at, curve) in curves.iter().enumerate() {
                @let middle = LEGEND_LINE * (at as f64 + 0.5) + 3.0;
                path class=(curve.line.class()) d=(path([[8.0, middle], [30.0, middle]])) {}
                text.tick x="36" y=(px(middle + 4.0)) { (curve.scalar) }
            }
        }
    }
}

/// The place at the plot's edge with the fewest points in it, as shares of its width and height.
fn emptiest_place(curves: &[Curve<'_>], frame: &Frame<'_>) -> [f64; 2] {
    // What the legend covers, at most: half the width, and this much of the height.
    let (upper, middle, lower) = (0.6..=1.0, 0.3..=0.7, 0.0..=0.4);
    let places = [
        ([1.0, 1.0], 0.5..=1.0, &upper),
        ([1.0, 0.0], 0.5..=1.0, &lower),
        ([0.0, 1.0], 0.0..=0.5, &upper),
        ([0.0, 0.0], 0.0..=0.5, &lower),
        ([1.0, 0.5], 0.5..=1.0, &middle),
        ([0.0, 0.5], 0.0..=0.5, &middle),
    ];
    let share = |pixel: f64, [from, to]: [f64; 2]| (pixel - from) / (to - from);
    let shown = curves.iter().flat_map(|curve| curve.series.main_line().iter().chain(&curve.series.raw));
    let shown: Vec<[f64; 2]> = shown
        .map(|&(step, value)| frame.point([step, value]))
        .map(|[x, y]| [share(x, ACROSS), share(y, UP)])
        .collect();
    let n_points_in = |across: &RangeInclusive<f64>, up: &RangeInclusive<f64>| {
        shown.iter().filter(|[x, y]| across.contains(x) && up.contains(y)).count()
    };
    let emptiest = places.into_iter().min_by_key(|(_, across, up)| n_points_in(across, up));
    emptiest.map_or([1.0, 1.0], |(place, ..)| place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn panel(scalars: &[&str], is_log: bool) -> Panel {
        Panel { title: scalars.join(" & "), scalars: scalars.iter().map(|name| name.to_string()).collect(), is_log }
    }

    fn run(n_steps: u64, scale: f64) -> Vec<Record> {
        let record = |step| {
            let loss = scale / (1.0 + step as f64 / 50.0) + 0.3 * scale * ((step * 7919 % 101) as f64 / 101.0);
            let mut scalars = vec![("loss".into(), loss), ("lr".into(), 1e-4)];
            if step % 100 == 99 {
                scalars.push(("accuracy <1>".into(), 0.9 - 0.8 / (1.0 + step as f64 / 200.0)));
            }
            Record { step, epoch: 0, wall_secs: step as f64, scalars }
        };
        (0..n_steps).map(record).collect()
    }

    fn drawn(records: &[Record], panels: &[Panel]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("curves.svg");
        draw(records, panels, &out).unwrap();
        let svg = fs::read_to_string(&out).unwrap();
        assert_eq!(fs::read(out.with_extension("png")).unwrap(), dermake_drawing::png(&svg).unwrap());
        // For looking at it: the pictures stay where this says.
        if let Some(kept) = std::env::var_os("DERMAKE_KEEP_CURVES") {
            let name = format!("{}-records-{}-panels.svg", records.len(), panels.len());
            fs::write(Path::new(&kept).join(name), &svg).unwrap();
        }
        svg
    }

    #[test]
    fn picture_has_the_size_texts_and_lines_that_were_asked_for() {
        let panels = [panel(&["loss"], false), panel(&["accuracy <1>"], false), panel(&["loss", "lr"], true)];
        let svg = drawn(&run(3000, 8.0), &panels);
        assert!(svg.contains("viewBox=\"0 0 960 600\" width=\"960\" height=\"600\""), "{}", &svg[..200]);
        for text in ["accuracy &lt;1&gt;", "loss &amp; lr", "step", "0.8", "lr", "log scale"] {
            assert!(svg.contains(&format!(">{text}<")), "{text:?} is not in the picture");
        }
        assert_eq!(svg.matches("faint\"").count(), 3, "the raw loss twice and the rate once");
        assert_eq!(svg.matches("<circle").count(), 30, "few values are shown each");
        assert!(svg.len() < 200_000, "{} bytes", svg.len());
    }

    #[test]
    fn a_panel_has_a_legend_only_where_scalars_must_be_told_apart() {
        let records = run(400, 4.0);
        let svg = drawn(&records, &[panel(&["loss"], true)]);
        assert!(svg.contains("width=\"480\"") && svg.contains(">loss (log)<"));
        assert!(!svg.contains("<rect class=\"legend-box\""));
        let svg = drawn(&records, &[panel(&["loss", "lr", "absent"], true), panel(&["loss"], false)]);
        assert_eq!(svg.matches("<rect class=\"legend-box\"").count(), 1);
        assert!(!svg.contains(">absent<"));
    }

    #[test]
    fn everything_stays_on_the_picture_whatever_the_values() {
        let wild = |step: u64| [f64::NAN, 1e300, -1e300, 3.0, f64::INFINITY, 0.0][step as usize % 6];
        let record = |step| Record { step, epoch: 0, wall_secs: 0.0, scalars: vec![("loss".into(), wild(step))] };
        for n_steps in [4, 6, 1000] {
            let records: Vec<Record> = (0..n_steps).map(record).collect();
            for is_log in [false, true] {
                let svg = drawn(&records, &[panel(&["loss"], is_log)]);
                assert!(!svg.contains("NaN") && !svg.contains("inf"));
                let lines = svg.split(" d=\"M").skip(1).map(|rest| rest.split('"').next().unwrap());
                for point in lines.flat_map(|line| line.split('L')).filter(|point| !point.contains(['H', 'V'])) {
                    let (x, y) = point.split_once(' ').unwrap();
                    let within = |text: &str, size: u32| (0.0..=f64::from(size)).contains(&text.parse().unwrap());
                    assert!(within(x, PANEL[0]) && within(y, PANEL[1]), "{point}");
                }
            }
        }
    }

    #[test]
    fn a_panel_without_values_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("curves.svg");
        let error = draw(&run(9, 1.0), &[panel(&["loss"], false), panel(&["los"], false)], &out).unwrap_err();
        assert!(format!("{error:#}").contains("the run has no value of los"), "{error:#}");
        assert!(draw(&[], &[], &out).is_err() && !out.exists());
    }
}
