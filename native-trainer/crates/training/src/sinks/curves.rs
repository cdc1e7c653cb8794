//! Curves of one or several runs as an SVG picture, drawn from their `metrics.jsonl`.
//!
//! The text is left to the viewer's fonts, so that no font has to be found or shipped.

use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;

use super::axis::{Axis, Scale};
use super::record::Record;
use super::series::{Point, Series, value_range};

/// Size of a panel on the page, in pixels.
const PANEL: (u32, u32) = (480, 300);
/// Plotters places everything on whole units, which would make steps of a curve; so a pixel is this many units.
const UNITS: u32 = 4;
const COLUMNS: usize = 2;

/// Colors that color-blind readers can distinguish (Okabe and Ito), the dark ones first.
const COLORS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(90, 90, 90),
];
const TEXT: RGBColor = RGBColor(36, 41, 47);
const GRID: RGBColor = RGBColor(225, 228, 232);

/// One diagram of the picture.
#[derive(Debug, Clone)]
pub struct Panel {
    pub title: String,
    /// The names of the scalars to draw. A run that lacks one is drawn without it.
    pub scalars: Vec<String>,
    /// Whether the values are shown by their logarithm; those that have none are then left out.
    pub is_log: bool,
}

/// A curve and its style.
struct Line {
    label: String,
    color: RGBColor,
    /// Length of the dashes in units; 0 for an unbroken line.
    dash: u32,
    series: Series,
}

/// Draws the panels, two in a row, with the curves of every run, and writes the picture to `out`.
///
/// The raw values are drawn faint behind a smoothed line. Several runs differ by color, and their scalars within a
/// panel by dashes; the scalars of a single run differ by color.
///
/// # Errors
/// A panel for which no run has a value, or a file that cannot be written.
pub fn draw(runs: &[(String, Vec<Record>)], panels: &[Panel], out: &Path) -> Result<()> {
    ensure!(!panels.is_empty(), "there is no panel to draw: {}", out.display());
    let columns = panels.len().min(COLUMNS);
    let rows = panels.len().div_ceil(columns);
    let size = (PANEL.0 * columns as u32, PANEL.1 * rows as u32);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (size.0 * UNITS, size.1 * UNITS)).into_drawing_area();
        root.fill(&WHITE)?;
        for (panel, area) in panels.iter().zip(root.split_evenly((rows, columns))) {
            draw_panel(runs, panel, &area).with_context(|| format!("cannot draw the panel {:?}", panel.title))?;
        }
        root.present()?;
    }
    fs::write(out, in_pixels(&svg, size)).with_context(|| format!("cannot write {}", out.display()))
}

/// The picture with its size given in pixels; the units stay as those of its view box.
fn in_pixels(svg: &str, (width, height): (u32, u32)) -> String {
    let in_units = format!("width=\"{}\" height=\"{}\"", width * UNITS, height * UNITS);
    svg.replacen(&in_units, &format!("width=\"{width}\" height=\"{height}\""), 1)
}

/// The axis of all steps of all runs, which every panel has, so that they can be read across.
fn steps(runs: &[(String, Vec<Record>)]) -> Axis {
    let steps = || runs.iter().flat_map(|(_, records)| records).map(|record| record.step);
    Axis::over((steps().min().unwrap_or(0) as f64, steps().max().unwrap_or(0) as f64), Scale::Steps)
}

/// The lines of a panel, runs first; those without a point are left out.
fn lines(runs: &[(String, Vec<Record>)], panel: &Panel) -> Vec<Line> {
    let mut lines = Vec::new();
    for (run_index, (run, records)) in runs.iter().enumerate() {
        for (scalar_index, scalar) in panel.scalars.iter().enumerate() {
            let series = Series::of(records, scalar, panel.is_log);
            if series.raw.is_empty() {
                continue;
            }
            let (label, color, dash) = match (runs.len(), panel.scalars.len()) {
                (1, _) => (scalar.clone(), scalar_index, 0),
                (_, 1) => (run.clone(), run_index, 0),
                _ => (format!("{run}: {scalar}"), run_index, scalar_index as u32 * 4 * UNITS),
            };
            lines.push(Line { label, color: COLORS[color % COLORS.len()], dash, series });
        }
    }
    lines
}

fn draw_panel(
    runs: &[(String, Vec<Record>)],
    panel: &Panel,
    area: &DrawingArea<SVGBackend<'_>, Shift>,
) -> Result<()> {
    let lines = lines(runs, panel);
    let values = value_range(lines.iter().map(|line| &line.series));
    let values = values.with_context(|| format!("no run has a value of {}", panel.scalars.join(", ")))?;
    let x = steps(runs);
    let y = Axis::over(values, if panel.is_log { Scale::Log } else { Scale::Linear });

    let mut chart = ChartBuilder::on(area)
        .margin(10 * UNITS)
        .margin_right(18 * UNITS)
        .caption(&panel.title, text(15))
        .x_label_area_size(38 * UNITS)
        .y_label_area_size(52 * UNITS)
        .build_cartesian_2d(x, y)?;
    draw_axes(&mut chart, panel, x, y)?;
    draw_lines(&mut chart, &lines, y)?;
    if lines.len() > 1 {
        chart
            .configure_series_labels()
            .position(emptiest_place(&lines, x, y))
            .legend_area_size(26 * UNITS)
            .margin(7 * UNITS)
            .label_font(text(11))
            .background_style(WHITE.mix(0.85))
            .border_style(GRID.stroke_width(UNITS))
            .draw()?;
    }
    Ok(())
}

fn text(pixels: u32) -> TextStyle<'static> {
    ("sans-serif", pixels * UNITS).into_font().color(&TEXT)
}

type Chart<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<Axis, Axis>>;

fn draw_axes<'a>(chart: &mut Chart<'a>, panel: &Panel, x: Axis, y: Axis) -> Result<()> {
    let y_name = match &panel.scalars[..] {
        [scalar] if panel.is_log => format!("{scalar} (log)"),
        [scalar] => scalar.clone(),
        _ if panel.is_log => "log scale".into(),
        _ => String::new(),
    };
    chart
        .configure_mesh()
        .max_light_lines(0)
        .bold_line_style(GRID.stroke_width(UNITS))
        .axis_style(TEXT.mix(0.5).stroke_width(UNITS))
        .set_all_tick_mark_size(4 * UNITS)
        .label_style(text(11))
        .axis_desc_style(text(12))
        .x_label_formatter(&|step| x.label(*step))
        .y_label_formatter(&|value| y.label(*value))
        .x_desc("step")
        .y_desc(y_name)
        .draw()?;
    Ok(())
}

/// The raw values of every line first, so that none of them covers a smoothed line.
fn draw_lines<'a>(chart: &mut Chart<'a>, lines: &[Line], y: Axis) -> Result<()> {
    let on_chart = |points: &[Point]| points.iter().map(|(x, value)| (*x, y.clamp(*value))).collect::<Vec<_>>();
    for line in lines.iter().filter(|line| !line.series.smooth.is_empty()) {
        let faint = line.color.mix(0.22).stroke_width(UNITS);
        chart.draw_series(LineSeries::new(on_chart(&line.series.raw), faint))?;
    }
    for line in lines {
        let style = line.color.stroke_width(2 * UNITS - UNITS / 4);
        let points = on_chart(line.series.main_line());
        let dash = line.dash;
        if line.series.smooth.is_empty() {
            // Few values: each is shown.
            let dots = points.iter().map(|point| Circle::new(*point, 2 * UNITS + UNITS / 2, line.color.filled()));
            chart.draw_series(dots)?;
        }
        let drawn = match dash {
            0 => chart.draw_series(LineSeries::new(points, style))?,
            dash => chart.draw_series(DashedLineSeries::new(points, dash, dash * 3 / 4, style))?,
        };
        drawn.label(&line.label).legend(move |(x, y)| {
            let ends = [(x, y), (x + 22 * UNITS as i32, y)];
            match dash {
                0 => PathElement::new(ends, style).into_dyn(),
                dash => DashedPathElement::new(ends, dash, dash * 3 / 4, style).into_dyn(),
            }
        });
    }
    Ok(())
}

/// The place at the chart's edge with the fewest points in it, for the legend.
fn emptiest_place(lines: &[Line], x: Axis, y: Axis) -> SeriesLabelPosition {
    use SeriesLabelPosition::{LowerLeft, LowerRight, MiddleLeft, MiddleRight, UpperLeft, UpperRight};
    // What the legend covers, at most: half the width, and this much of the height.
    let (upper, middle, lower) = (0.6..=1.0, 0.3..=0.7, 0.0..=0.4);
    let places = [
        (UpperRight, 0.5..=1.0, &upper),
        (LowerRight, 0.5..=1.0, &lower),
        (UpperLeft, 0.0..=0.5, &upper),
        (LowerLeft, 0.0..=0.5, &lower),
        (MiddleRight, 0.5..=1.0, &middle),
        (MiddleLeft, 0.0..=0.5, &middle),
    ];
    let n_points_in = |across: &RangeInclusive<f64>, up: &RangeInclusive<f64>| {
        let points = lines.iter().flat_map(|line| line.series.main_line().iter().chain(&line.series.raw));
        points.filter(|point| across.contains(&x.share(point.0)) && up.contains(&y.share(y.clamp(point.1)))).count()
    };
    let emptiest = places.into_iter().min_by_key(|(_, across, up)| n_points_in(across, up));
    emptiest.map_or(UpperRight, |(place, ..)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(scalars: &[&str], is_log: bool) -> Panel {
        Panel { title: scalars.join(" & "), scalars: scalars.iter().map(|name| name.to_string()).collect(), is_log }
    }

    fn run(name: &str, n_steps: u64, scale: f64) -> (String, Vec<Record>) {
        let record = |step| {
            let loss = scale / (1.0 + step as f64 / 50.0) + 0.3 * scale * ((step * 7919 % 101) as f64 / 101.0);
            let mut scalars = vec![("loss".into(), loss), ("lr".into(), 1e-4)];
            if step % 100 == 99 {
                scalars.push(("accuracy".into(), 0.9 - 0.8 / (1.0 + step as f64 / 200.0)));
            }
            Record { step, epoch: 0, wall_secs: step as f64, scalars }
        };
        (name.into(), (0..n_steps).map(record).collect())
    }

    fn drawn(runs: &[(String, Vec<Record>)], panels: &[Panel]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("curves.svg");
        draw(runs, panels, &out).unwrap();
        let svg = fs::read_to_string(out).unwrap();
        // For looking at it: the pictures stay where this says.
        if let Some(kept) = std::env::var_os("DERMAKE_KEEP_CURVES") {
            let name = format!("{}-runs-{}-panels.svg", runs.len(), panels.len());
            fs::write(Path::new(&kept).join(name), &svg).unwrap();
        }
        svg
    }

    #[test]
    fn picture_has_the_size_texts_and_lines_that_were_asked_for() {
        let panels = [panel(&["loss"], false), panel(&["accuracy"], false), panel(&["loss", "lr"], true)];
        let svg = drawn(&[run("released", 3000, 8.0), run("paper <1>", 2500, 7.0)], &panels);
        assert!(svg.contains("width=\"960\" height=\"600\" viewBox=\"0 0 3840 2400\""), "{}", &svg[..200]);
        for text in ["released", "paper &lt;1&gt;", "released: lr", "loss &amp; lr", "step", "0.8", "accuracy"] {
            assert!(svg.contains(&format!("\n{text}\n")), "{text:?} is not in the picture");
        }
        let n_raw = svg.matches("opacity=\"0.22\"").count();
        assert_eq!(n_raw, 6, "the raw loss twice and the rate once, of two runs");
        assert!(svg.len() < 400_000, "{} bytes", svg.len());
    }

    #[test]
    fn a_single_run_has_a_legend_only_where_scalars_must_be_told_apart() {
        let runs = [run("only", 400, 4.0)];
        let svg = drawn(&runs, &[panel(&["loss"], true)]);
        assert!(svg.contains("width=\"480\"") && !svg.contains("\nonly\n") && svg.contains("\nloss (log)\n"));
        assert_eq!(svg.matches("\nlr\n").count(), 0);
        assert_eq!(
            drawn(&runs, &[panel(&["loss", "lr"], true), panel(&["loss"], false)]).matches("\nlr\n").count(),
            1
        );
    }

    #[test]
    fn everything_stays_on_the_picture_whatever_the_values() {
        let wild = |step: u64| [f64::NAN, 1e300, -1e300, 3.0, f64::INFINITY, 0.0][step as usize % 6];
        let record = |step| Record { step, epoch: 0, wall_secs: 0.0, scalars: vec![("loss".into(), wild(step))] };
        for n_steps in [4, 6, 1000] {
            let runs = [("wild".into(), (0..n_steps).map(record).collect())];
            for is_log in [false, true] {
                let svg = drawn(&runs, &[panel(&["loss"], is_log)]);
                assert!(!svg.contains("NaN") && !svg.contains("inf"));
                let points =
                    svg.split("points=\"").skip(1).flat_map(|rest| rest.split('"').next().unwrap().split(' '));
                for point in points.filter(|point| !point.is_empty()) {
                    let (x, y) = point.split_once(',').unwrap();
                    let within =
                        |text: &str, size: u32| (0..=(size * UNITS) as i64).contains(&text.parse().unwrap());
                    assert!(within(x, PANEL.0) && within(y, PANEL.1), "{point}");
                }
            }
        }
    }

    #[test]
    fn a_panel_without_values_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("curves.svg");
        let error =
            draw(&[run("a", 9, 1.0)], &[panel(&["loss"], false), panel(&["los"], false)], &out).unwrap_err();
        assert!(format!("{error:#}").contains("no run has a value of los"), "{error:#}");
        assert!(draw(&[], &[], &out).is_err() && !out.exists());
    }
}
