//! From a run's records to the few points that a curve shows: picked, thinned, smoothed.

use super::record::Record;

/// Most points of a raw line: a panel has no more pixels to show them with.
const MAX_RAW_POINTS: usize = 600;
/// Most points of a smoothed line.
const MAX_SMOOTH_POINTS: usize = 300;
/// A smoothed point is the mean over this share of the line, to either side.
const SMOOTHING_SHARE: f64 = 0.02;
/// Shorter lines, such as an evaluation's, are shown as they are.
const MIN_SMOOTHED: usize = 40;

/// A point of a line: step and value.
pub(super) type Point = (f64, f64);

/// One scalar of one run.
pub(super) struct Series {
    /// The values as measured, thinned so that the extremes stay.
    pub raw: Vec<Point>,
    /// Means of neighbors; empty where the line is too short for it.
    pub smooth: Vec<Point>,
}

impl Series {
    /// The values of a scalar that an f32 can hold; on a logarithmic axis, the positive ones.
    pub(super) fn of(records: &[Record], scalar: &str, is_log: bool) -> Self {
        let shown = |value: &f64| value.abs() <= f64::from(f32::MAX) && (!is_log || *value > 0.0);
        let point = |record: &Record| Some((record.step as f64, record.scalar(scalar).filter(shown)?));
        let points: Vec<Point> = records.iter().filter_map(point).collect();
        let smooth = if points.len() < MIN_SMOOTHED { vec![] } else { smooth(&points) };
        Self { raw: thin(&points), smooth }
    }

    /// The line to read: the smoothed one, or the raw one where it is all there is.
    pub(super) fn main_line(&self) -> &[Point] {
        if self.smooth.is_empty() { &self.raw } else { &self.smooth }
    }
}

/// The mean of the points within a window around each of at most [`MAX_SMOOTH_POINTS`] points. Centered, so that the
/// line does not lag; narrower at the start, where a loss falls steeply, and at the end cut off but not narrower, so
/// that the line does not end on one noisy value.
fn smooth(points: &[Point]) -> Vec<Point> {
    let reach = (points.len() as f64 * SMOOTHING_SHARE).ceil() as usize;
    let last = points.len() - 1;
    let n_points = points.len().min(MAX_SMOOTH_POINTS);
    let mean = |index: usize| {
        let center = index * last / (n_points - 1);
        let reach = reach.min(center);
        let window = &points[center - reach..=(center + reach).min(last)];
        (points[center].0, window.iter().map(|point| point.1).sum::<f64>() / window.len() as f64)
    };
    (0..n_points).map(mean).collect()
}

/// At most [`MAX_RAW_POINTS`] of the points: the lowest and highest of each stretch, in their order.
fn thin(points: &[Point]) -> Vec<Point> {
    if points.len() <= MAX_RAW_POINTS {
        return points.to_vec();
    }
    let stretch = points.len().div_ceil(MAX_RAW_POINTS / 2);
    let mut thinned = Vec::with_capacity(MAX_RAW_POINTS);
    for stretch in points.chunks(stretch) {
        let by_value = |a: &&Point, b: &&Point| a.1.total_cmp(&b.1);
        let (low, high) = (stretch.iter().min_by(by_value), stretch.iter().max_by(by_value));
        let mut extremes: Vec<Point> = low.into_iter().chain(high).copied().collect();
        extremes.sort_by(|a, b| a.0.total_cmp(&b.0));
        extremes.dedup();
        thinned.extend(extremes);
    }
    thinned
}

/// Lowest and highest value for an axis that shows every main line whole and all but the wildest raw values.
/// `None` if there is no point.
pub(super) fn value_range<'a>(series: impl Iterator<Item = &'a Series> + Clone) -> Option<(f64, f64)> {
    let mut raw: Vec<f64> = series.clone().flat_map(|series| &series.raw).map(|point| point.1).collect();
    raw.sort_by(f64::total_cmp);
    let quantile = |share: f64| raw.get((share * (raw.len().max(1) - 1) as f64).round() as usize);
    let bounds = (*quantile(0.01)?, *quantile(0.99)?);
    let main = series.flat_map(Series::main_line).map(|point| point.1);
    Some(main.fold(bounds, |(low, high), value| (low.min(value), high.max(value))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(values: impl IntoIterator<Item = f64>) -> Vec<Record> {
        let record = |(step, value)| Record {
            step: step as u64,
            epoch: 0,
            wall_secs: 0.0,
            scalars: vec![("a".into(), value)],
        };
        values.into_iter().enumerate().map(record).collect()
    }

    #[test]
    fn only_what_can_be_shown_is_picked() {
        let records = records([1.0, f64::NAN, -2.0, f64::INFINITY, 0.0, 3.0]);
        assert_eq!(Series::of(&records, "a", false).raw, [(0.0, 1.0), (2.0, -2.0), (4.0, 0.0), (5.0, 3.0)]);
        assert_eq!(Series::of(&records, "a", true).raw, [(0.0, 1.0), (5.0, 3.0)]);
        assert!(Series::of(&records, "b", false).raw.is_empty());
    }

    #[test]
    fn smoothing_keeps_a_straight_line_and_quiets_noise() {
        let straight = Series::of(&records((0..5000).map(f64::from)), "a", false);
        assert_eq!(straight.smooth.len(), MAX_SMOOTH_POINTS);
        assert_eq!(straight.smooth[0], (0.0, 0.0));
        assert!(straight.smooth[..290].iter().all(|(step, value)| (step - value).abs() < 1e-9));
        assert_eq!(straight.smooth[299].0, 4999.0);
        assert!((straight.smooth[299].1 - 4949.0).abs() < 1e-9, "the mean of the last 101 values");
        let noise = Series::of(&records((0..1000).map(|step| f64::from(step % 2))), "a", false);
        let inner = &noise.smooth[30..270];
        assert!(inner.iter().all(|point| (point.1 - 0.5).abs() < 0.02));
        assert!(Series::of(&records([1.0, 2.0, 3.0]), "a", false).smooth.is_empty());
    }

    #[test]
    fn thinning_bounds_the_points_and_keeps_a_lone_spike() {
        let spiked =
            Series::of(&records((0..77_777).map(|step| if step == 31_415 { 9.0 } else { 1.0 })), "a", false);
        assert!(spiked.raw.len() <= MAX_RAW_POINTS);
        assert!(spiked.raw.contains(&(31_415.0, 9.0)));
        assert!(spiked.raw.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn ranges_hold_the_main_line_and_leave_out_a_lone_spike() {
        let spiked = Series::of(&records((0..5000).map(|step| if step == 2500 { 1e6 } else { 1.0 })), "a", false);
        let (low, high) = value_range([&spiked].into_iter()).unwrap();
        assert!(low == 1.0 && high < 1e5, "{low} {high}");
        assert_eq!(value_range([].into_iter()), None);
    }
}
