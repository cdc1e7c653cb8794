//! The source samples and weights of each output sample along one axis.
//!
//! Pillow's `precompute_coeffs`, after
//! [`Resample.c`](https://github.com/python-pillow/Pillow/blob/main/src/libImaging/Resample.c): same filters, same
//! order of the f64 operations, so that the weights agree to the last bit.

use crate::config::Interpolation;
use std::ops::Range;

/// One axis of a resampling: the samples `source` become `size` samples, of which `window` are computed.
///
/// Samples outside `source` have no influence, as if the image had been cropped first. `window` allows the center crop
/// of a very long image to be computed without the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Axis {
    pub source: Range<u32>,
    pub size: u64,
    pub window: Range<u64>,
}

/// Weights of an axis, for every output sample of its window.
#[derive(Debug)]
pub(super) struct Taps<W> {
    spans: Vec<Span>,
    weights: Vec<W>,
}

/// The source samples of one output sample.
#[derive(Clone, Debug)]
struct Span {
    /// Index of the first source sample in the image.
    start: usize,
    /// The range of its weights.
    weights: Range<usize>,
}

impl Axis {
    /// Creates an axis that brings all of `source` to `size`.
    pub fn whole(source: Range<u32>, size: u32) -> Self {
        Self { source, size: size.into(), window: 0..size.into() }
    }

    /// Returns the number of computed samples.
    pub fn window_len(&self) -> usize {
        (self.window.end - self.window.start) as usize
    }

    /// Returns whether source and output are the same samples.
    pub fn is_identity(&self) -> bool {
        self.size == self.source.len() as u64
    }

    /// Returns for each output sample the source index of Pillow's nearest-neighbor resize.
    pub fn nearest(&self) -> Vec<u32> {
        let scale = self.source.len() as f64 / self.size as f64;
        // Pillow adds the step repeatedly; a product would round differently where a pixel center meets an edge.
        let mut center = scale * 0.5;
        for _ in 0..self.window.start {
            center += scale;
        }
        let last = self.source.end - 1;
        self.window
            .clone()
            .map(|_| {
                let index = self.source.start.saturating_add(center as u32).min(last);
                center += scale;
                index
            })
            .collect()
    }

    /// Returns the weights of `interpolation`, each converted by `convert`.
    pub fn taps<W>(&self, interpolation: Interpolation, convert: impl Fn(f64) -> W) -> Taps<W> {
        let len = self.source.len();
        let scale = len as f64 / self.size as f64;
        // Antialiasing: shrinking widens the filter, so that every source sample counts.
        let filter_scale = scale.max(1.0);
        let support = support(interpolation) * filter_scale;
        let step = 1.0 / filter_scale;
        let mut taps = Taps { spans: Vec::with_capacity(self.window_len()), weights: Vec::new() };
        let mut raw = Vec::new();
        for output in self.window.clone() {
            let center = (output as f64 + 0.5) * scale;
            let start = (center - support + 0.5).max(0.0) as usize;
            let end = ((center + support + 0.5) as usize).min(len);
            raw.clear();
            raw.extend((start..end).map(|i| filter(interpolation, (i as f64 - center + 0.5) * step)));
            let sum: f64 = raw.iter().sum();
            let first_weight = taps.weights.len();
            taps.weights.extend(raw.iter().map(|&w| convert(if sum == 0.0 { w } else { w / sum })));
            let start = self.source.start as usize + start;
            taps.spans.push(Span { start, weights: first_weight..taps.weights.len() });
        }
        taps
    }
}

impl<W> Taps<W> {
    /// Returns the number of output samples.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Returns for each output sample its first source index and its weights.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &[W])> {
        self.spans.iter().map(|span| (span.start, &self.weights[span.weights.clone()]))
    }

    /// Returns the range of source samples that the output needs.
    pub fn reach(&self) -> Range<usize> {
        let start = self.spans.first().map_or(0, |span| span.start);
        let end = self.spans.last().map_or(start, |span| span.start + span.weights.len());
        start..end
    }
}

/// Radius of the filter, in output samples.
fn support(interpolation: Interpolation) -> f64 {
    match interpolation {
        Interpolation::Bicubic => 2.0,
        Interpolation::Bilinear => 1.0,
    }
}

fn filter(interpolation: Interpolation, x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    match interpolation {
        Interpolation::Bicubic if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
        Interpolation::Bicubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
        Interpolation::Bilinear if x < 1.0 => 1.0 - x,
        Interpolation::Bicubic | Interpolation::Bilinear => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(axis: &Axis, interpolation: Interpolation) -> Vec<f64> {
        axis.taps(interpolation, |weight| weight).iter().map(|(_, weights)| weights.iter().sum()).collect()
    }

    #[test]
    fn weights_of_every_output_sum_to_one() {
        for (len, size) in [(1, 7), (2, 5), (7, 7), (100, 3), (3, 100), (1000, 999)] {
            for interpolation in [Interpolation::Bicubic, Interpolation::Bilinear] {
                for sum in sums(&Axis::whole(5..5 + len, size), interpolation) {
                    assert!((sum - 1.0).abs() < 1e-12, "{len} to {size}: {sum}");
                }
            }
        }
    }

    #[test]
    fn taps_stay_within_the_source() {
        for (len, size) in [(1, 7), (2, 5), (100, 3), (3, 100)] {
            assert_eq!(
                Axis::whole(5..5 + len, size).taps(Interpolation::Bicubic, |_| ()).reach(),
                5..5 + len as usize
            );
        }
    }

    #[test]
    fn the_same_size_keeps_every_sample() {
        for (output, (start, weights)) in
            Axis::whole(0..9, 9).taps(Interpolation::Bicubic, |w| w).iter().enumerate()
        {
            for (i, &weight) in weights.iter().enumerate() {
                assert_eq!(weight, if start + i == output { 1.0 } else { 0.0 });
            }
        }
    }

    #[test]
    fn a_window_has_the_taps_of_the_whole() {
        let whole = Axis::whole(0..50, 31);
        let window = Axis { window: 11..20, ..whole.clone() };
        let (all, some) = (whole.taps(Interpolation::Bicubic, |w| w), window.taps(Interpolation::Bicubic, |w| w));
        assert!(all.iter().skip(11).take(9).eq(some.iter()));
        assert_eq!(whole.nearest()[11..20], window.nearest());
    }

    // from PIL import Image; import numpy as np
    // np.asarray(Image.fromarray(np.arange(14, dtype=np.int32)[None]).resize((5, 1), Image.NEAREST))
    #[test]
    fn nearest_drifts_like_pillow() {
        assert_eq!(Axis::whole(0..14, 5).nearest(), [1, 4, 6, 9, 12]);
        assert_eq!(Axis::whole(30..44, 5).nearest(), [31, 34, 36, 39, 42]);
    }
}
