//! The range of an axis: how far it goes, which values are marked, and how they are written.

use super::axes::{Axis, Scale};

/// About as many marks as an axis has.
const MARKS: f64 = 6.0;
/// Part of its length by which an axis goes beyond the values to either side.
const MARGIN: f64 = 0.04;

/// How values lie on an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Spacing {
    /// Whole numbers, shown from the first to the last.
    Steps,
    Linear,
    /// Positive numbers, by their logarithm.
    Log,
}

/// The values from `low` to `high`.
#[derive(Debug, Clone, Copy)]
pub struct Domain {
    low: f64,
    high: f64,
    spacing: Spacing,
}

impl Domain {
    /// Returns a domain in which the values from `low` to `high` can be seen, even if they are all one.
    pub fn over((low, high): (f64, f64), spacing: Spacing) -> Self {
        // Values that differ in their last digits only are one value: there are no round numbers between them.
        let is_point = high - low <= 1e-9 * low.abs().max(high.abs());
        let (low, high) = match spacing {
            Spacing::Steps => (low, high.max(low + 1.0)),
            Spacing::Linear | Spacing::Log if is_point && low == 0.0 => (-0.5, 0.5),
            Spacing::Linear | Spacing::Log if is_point => (low - 0.5 * low.abs(), high + 0.5 * high.abs()),
            Spacing::Linear => (low - MARGIN * (high - low), high + MARGIN * (high - low)),
            Spacing::Log => (low / (high / low).powf(MARGIN), high * (high / low).powf(MARGIN)),
        };
        Self { low, high, spacing }
    }

    /// Returns an axis of this domain with its marks.
    pub fn axis<'a>(&self, title: &'a str, pixels: [f64; 2]) -> Axis<'a> {
        let ends = [self.low, self.high];
        let scale = match self.spacing {
            Spacing::Log => Scale::log(ends, pixels),
            Spacing::Steps | Spacing::Linear => Scale::linear(ends, pixels),
        };
        Axis { title, scale, ticks: self.marks().into_iter().map(|mark| (mark, self.label(mark))).collect() }
    }

    /// The values to mark.
    fn marks(&self) -> Vec<f64> {
        if self.is_even() {
            let gap = self.gap();
            let (first, last) = ((self.low / gap).ceil() as i64, (self.high / gap).floor() as i64);
            return (first..=last).map(|index| index as f64 * gap).collect();
        }
        let (first, last) = (self.low.log10().floor() as i32, self.high.log10().ceil() as i32);
        let (digits, every): (&[f64], usize) = match self.high / self.low {
            ratio if ratio < 200.0 => (&[1.0, 2.0, 5.0], 1),
            ratio => (&[1.0], (ratio.log10() / (MARKS + 1.0)).ceil() as usize),
        };
        let powers = (first..=last).step_by(every).map(|power| 10_f64.powi(power));
        let marks = powers.flat_map(|power| digits.iter().map(move |digit| digit * power));
        marks.filter(|mark| (self.low..=self.high).contains(mark)).collect()
    }

    /// Whether the marks are equally far apart, as they also are on a logarithmic axis too short for powers of ten.
    fn is_even(&self) -> bool {
        self.spacing != Spacing::Log || self.high / self.low < 3.5
    }

    /// The distance of marks that are equally far apart: 1, 2 or 5 times a power of ten.
    fn gap(&self) -> f64 {
        let wanted = (self.high - self.low) / MARKS;
        let power = 10_f64.powf(wanted.log10().floor());
        let gap = [1.0, 2.0, 5.0].into_iter().map(|digit| digit * power).find(|gap| *gap >= wanted);
        let gap = gap.unwrap_or(10.0 * power);
        if self.spacing == Spacing::Steps { gap.max(1.0) } else { gap }
    }

    /// A mark's value as text, with enough digits to differ from its neighbors.
    fn label(&self, mark: f64) -> String {
        if mark == 0.0 {
            return "0".into();
        }
        if self.spacing == Spacing::Steps && self.gap() >= 1000.0 {
            return format!("{:.0}k", mark / 1000.0);
        }
        let (resolution, largest) =
            if self.is_even() { (self.gap(), self.low.abs().max(self.high.abs())) } else { (mark, mark.abs()) };
        // The epsilon keeps the logarithm of 0.001 from being -3.0000000000000004.
        let power = |value: f64| (value.abs().log10() + 1e-9).floor() as i32;
        if self.spacing == Spacing::Steps || (1e-3..1e5).contains(&largest) {
            format!("{mark:.*}", (-power(resolution)).max(0) as usize)
        } else {
            format!("{mark:.*e}", (power(mark) - power(resolution)).max(0) as usize)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64, spacing: Spacing) -> Vec<String> {
        let domain = Domain::over((low, high), spacing);
        domain.marks().into_iter().map(|mark| domain.label(mark)).collect()
    }

    #[test]
    fn marks_are_round_and_written_with_the_digits_they_need() {
        assert_eq!(labels(0.0, 1.0, Spacing::Linear), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(0.0, 1e-4, Spacing::Linear), ["0", "2e-5", "4e-5", "6e-5", "8e-5", "1.0e-4"]);
        assert_eq!(labels(0.0, 50.0, Spacing::Steps), ["0", "10", "20", "30", "40", "50"]);
        assert_eq!(labels(0.0, 50_000.0, Spacing::Steps), ["0", "10k", "20k", "30k", "40k", "50k"]);
        assert_eq!(labels(0.0, 2.0, Spacing::Steps), ["0", "1", "2"]);
    }

    #[test]
    fn a_logarithmic_axis_marks_within_a_decade_too() {
        assert_eq!(labels(0.3, 0.8, Spacing::Log), ["0.3", "0.4", "0.5", "0.6", "0.7", "0.8"]);
        assert_eq!(labels(0.15, 12.0, Spacing::Log), ["0.2", "0.5", "1", "2", "5", "10"]);
        assert_eq!(labels(1e-6, 1.0, Spacing::Log), ["1e-6", "1e-5", "1e-4", "0.001", "0.01", "0.1", "1"]);
    }

    #[test]
    fn every_axis_has_marks_told_apart_and_places_its_ends_within_its_pixels() {
        let ranges = [(0.0, 1.0), (5.0, 5.0), (-3.0, 1e7), (1e-12, 1e-12), (3.0, 3.1), (0.7, 1e9), (0.0, 0.0)];
        let extremes = [(3.0, 3.0 + 4e-16), (0.0, 3e38), (-3e38, 3e38), (-2.0, -2.0), (1e-45, 3e38)];
        for (low, high) in ranges.into_iter().chain(extremes) {
            for spacing in [Spacing::Linear, Spacing::Log, Spacing::Steps] {
                let (low, high) = match spacing {
                    Spacing::Linear => (low, high),
                    Spacing::Log => (f64::max(low, 1e-45), f64::max(high, 1e-45)),
                    Spacing::Steps => (f64::clamp(low, 0.0, 1e15).round(), f64::clamp(high, 0.0, 1e15).round()),
                };
                let domain = Domain::over((low, high), spacing);
                let Axis { scale, ticks, .. } = domain.axis("", [100.0, 1100.0]);
                assert!((2..=9).contains(&ticks.len()), "{domain:?}: {ticks:?}");
                assert!(scale.at(low) >= 100.0 && scale.at(high) <= 1100.0, "{domain:?}");
                assert_eq!((scale.at(domain.low), scale.at(1e300)), (100.0, 1100.0), "{domain:?}");
                let mut texts: Vec<&str> = ticks.iter().map(|(_, text)| text.as_str()).collect();
                texts.dedup();
                assert_eq!(texts.len(), ticks.len(), "{domain:?}: {texts:?}");
            }
        }
    }
}
