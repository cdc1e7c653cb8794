//! A plotting area with two axes.

use crate::px;
use maud::{Markup, html};

/// Maps a range of values to pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    domain: [f64; 2],
    pixels: [f64; 2],
    is_log: bool,
    /// Pixels left free at both ends.
    inset: f64,
}

impl Scale {
    pub fn linear(domain: [f64; 2], pixels: [f64; 2]) -> Self {
        Self { domain, pixels, is_log: false, inset: 0.0 }
    }

    /// Equal factors are equally far apart; the domain is positive.
    pub fn log(domain: [f64; 2], pixels: [f64; 2]) -> Self {
        Self { domain, pixels, is_log: true, inset: 0.0 }
    }

    /// Leaves pixels free at both ends.
    pub fn inset(self, inset: f64) -> Self {
        Self { inset, ..self }
    }

    /// The pixel of a value; values outside the domain are put at its end.
    pub fn at(&self, value: f64) -> f64 {
        let warp = |value: f64| if self.is_log { value.ln() } else { value };
        let [from, to] = self.domain.map(warp);
        let share = if to > from { ((warp(value) - from) / (to - from)).clamp(0.0, 1.0) } else { 0.5 };
        let length = self.pixels[1] - self.pixels[0];
        let inset = self.inset * length.signum();
        self.pixels[0] + inset + share * (length - 2.0 * inset)
    }
}

/// An axis with its grid lines.
pub struct Axis<'a> {
    pub title: &'a str,
    pub scale: Scale,
    /// Values and their labels.
    pub ticks: Vec<(f64, String)>,
}

impl<'a> Axis<'a> {
    /// From 0 to 1 by fifths.
    pub fn unit(title: &'a str, pixels: [f64; 2]) -> Self {
        let tick = |fifth: i32| (f64::from(fifth) / 5.0, format!("{:.1}", f64::from(fifth) / 5.0));
        Self { title, scale: Scale::linear([0.0, 1.0], pixels), ticks: (0..=5).map(tick).collect() }
    }
}

/// Pixels between the plotting area and its numbers.
const TICK_GAP: f64 = 6.0;

/// Two axes around a plotting area.
pub struct Frame<'a> {
    pub x: Axis<'a>,
    pub y: Axis<'a>,
}

impl Frame<'_> {
    pub fn point(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [self.x.scale.at(x), self.y.scale.at(y)]
    }

    pub fn axes(&self) -> Markup {
        let [left, right] = self.x.scale.pixels;
        let [bottom, top] = self.y.scale.pixels;
        html! {
            @for (value, text) in &self.x.ticks {
                @let x = px(self.x.scale.at(*value));
                path.grid d={ "M" (x) " " (px(top)) "V" (px(bottom)) } {}
                text.tick x=(x) y=(px(bottom + TICK_GAP + 10.0)) text-anchor="middle" { (text) }
            }
            @for (value, text) in &self.y.ticks {
                @let y = self.y.scale.at(*value);
                path.grid d={ "M" (px(left)) " " (px(y)) "H" (px(right)) } {}
                text.tick x=(px(left - TICK_GAP)) y=(px(y + 4.0)) text-anchor="end" { (text) }
            }
            text.axis-title text-anchor="middle" x=(px((left + right) / 2.0)) y=(px(bottom + 34.0)) {
                (self.x.title)
            }
            text.axis-title text-anchor="middle"
                transform={ "translate(12 " (px((top + bottom) / 2.0)) ") rotate(-90)" } { (self.y.title) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_by_eye() {
        let scale = Scale::linear([0.0, 1.0], [200.0, 100.0]);
        assert_eq!([0.0, 0.25, 1.0, 7.0].map(|value| scale.at(value)), [200.0, 175.0, 100.0, 100.0]);
        let scale = Scale::log([0.01, 1.0], [0.0, 100.0]);
        assert!((scale.at(0.1) - 50.0).abs() < 1e-9);
        assert_eq!([0.01, 1.0].map(|value| scale.inset(10.0).at(value)), [10.0, 90.0]);
        assert_eq!(Scale::log([1.0, 1.0], [0.0, 100.0]).at(1.0), 50.0, "a single value stands in the middle");
    }
}
