//! A map of image features in two dimensions: their principal components, or t-SNE that begins there.
//!
//! At most [`MAX_POINTS`] images are drawn at random for it, so that time and memory are bounded whatever the benchmark's
//! size: distances of all pairs are 4 `MAX_POINTS`² bytes, 36 MB. The same features give the same map.

mod components;
mod files;
mod neighbors;
mod tsne;

pub use files::write;

use super::groups::RowGroups;
use anyhow::Result;
use candle_core::Tensor;
use components::Components;
use ndarray::{Array2, Axis};
use rand::SeedableRng;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use std::path::PathBuf;
use std::str::FromStr;
use tsne::tsne;

/// Images of a map at most.
pub const MAX_POINTS: usize = 3000;
/// Fewer images than this make no map.
const MIN_POINTS: usize = 3;
/// Fewer images than this have no neighborhoods for t-SNE.
const MIN_NEIGHBORHOODS: usize = 10;
/// Seed of the drawing of images.
const SEED: u64 = 0;

/// How features become points of a plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapMethod {
    /// The first two principal components.
    Pca,
    /// t-distributed stochastic neighbor embedding (van der Maaten and Hinton 2008) with a Barnes-Hut tree.
    Tsne,
}

impl MapMethod {
    pub const ALL: [Self; 2] = [Self::Tsne, Self::Pca];

    /// How people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tsne => "tsne",
            Self::Pca => "pca",
        }
    }
}

impl FromStr for MapMethod {
    type Err = String;

    /// Reads a method as people write it, in any case; the error is what was expected.
    fn from_str(text: &str) -> Result<Self, String> {
        let is_of = |method: &Self| text.trim().eq_ignore_ascii_case(method.name());
        Self::ALL.into_iter().find(is_of).ok_or_else(|| Self::ALL.map(Self::name).join(" or "))
    }
}

/// A map of a benchmark's images.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbeddingMap {
    pub method: MapMethod,
    /// One for each image of the map.
    pub points: Vec<MapPoint>,
    /// Names of the labels.
    pub class_names: Vec<String>,
    /// Names of the groups by skin tone, where the table has it.
    pub tone_names: Vec<String>,
    /// Share of the features' variance that two principal components have; `None` for t-SNE.
    pub variance_share: Option<f64>,
    /// Images of the benchmark, of which the map may have fewer.
    pub n_images: usize,
}

/// An image of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct MapPoint {
    pub at: [f64; 2],
    /// Row of the table, from 1.
    pub row: usize,
    pub file: PathBuf,
    /// Place of its label among the class names.
    pub label: usize,
    /// Place of its group among the skin tones.
    pub tone: Option<usize>,
}

/// What a map is made of: the images of a benchmark, in one order.
pub struct MapInput<'a> {
    /// `[n, E]`, rows of unit length
    pub features: &'a Tensor,
    /// Rows of the table, from 0.
    pub rows: &'a [usize],
    pub files: &'a [PathBuf],
    pub labels: &'a [usize],
    pub class_names: &'a [String],
    pub tones: Option<RowGroups>,
}

impl EmbeddingMap {
    /// The points in pixels from the first to the last of each axis, with one scale for both.
    pub fn placed(&self, across: [f64; 2], up: [f64; 2]) -> Vec<[f64; 2]> {
        let range = |axis: usize| {
            let values = self.points.iter().map(|point| point.at[axis]);
            values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| [low.min(value), high.max(value)])
        };
        let ranges = [range(0), range(1)];
        let widest = ranges.iter().map(|[low, high]| high - low).fold(f64::MIN_POSITIVE, f64::max);
        let pixel = |axis: usize, value: f64, [from, to]: [f64; 2]| {
            let middle = (ranges[axis][0] + ranges[axis][1]) / 2.0;
            (from + to) / 2.0 + (value - middle) / widest * (to - from)
        };
        self.points.iter().map(|point| [pixel(0, point.at[0], across), pixel(1, point.at[1], up)]).collect()
    }

    /// Makes the map; `None` with fewer than three images. Too few images for t-SNE, or images whose features are all the
    /// same, get their principal components.
    ///
    /// # Errors
    /// [`Interrupted`](dermake_process::interrupt::Interrupted) on Ctrl-C; when features cannot be read, or no thread can be
    /// started.
    pub fn of(input: &MapInput<'_>, method: MapMethod) -> Result<Option<Self>> {
        let n_images = input.rows.len();
        let drawn = drawn(n_images);
        if drawn.len() < MIN_POINTS {
            return Ok(None);
        }
        let values: Vec<f32> = input.features.flatten_all()?.to_vec1()?;
        let features = Array2::from_shape_vec(input.features.dims2()?, values)?.select(Axis(0), &drawn);
        let Components { points, variance_share } = Components::of(&features);
        // Where all points are one, t-SNE divides by zero.
        let has_neighborhoods = drawn.len() >= MIN_NEIGHBORHOODS && variance_share.is_some();
        let method = if has_neighborhoods { method } else { MapMethod::Pca };
        let (points, variance_share) = match method {
            MapMethod::Pca => (points, variance_share),
            MapMethod::Tsne => (tsne(&features, &points)?, None),
        };
        let point = |(&place, at): (&usize, [f64; 2])| MapPoint {
            at,
            row: input.rows[place] + 1,
            file: input.files[place].clone(),
            label: input.labels[place],
            tone: input.tones.as_ref().map(|tones| tones.of_rows[place]),
        };
        Ok(Some(Self {
            method,
            points: drawn.iter().zip(points).map(point).collect(),
            class_names: input.class_names.to_vec(),
            tone_names: input.tones.as_ref().map(|tones| tones.names.clone()).unwrap_or_default(),
            variance_share,
            n_images,
        }))
    }
}

/// Places of the images of a map, ascending: all, or as many as a map has, drawn at random.
fn drawn(n_images: usize) -> Vec<usize> {
    if n_images <= MAX_POINTS {
        return (0..n_images).collect();
    }
    let mut drawn = index::sample(&mut ChaCha8Rng::seed_from_u64(SEED), n_images, MAX_POINTS).into_vec();
    drawn.sort_unstable();
    drawn
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use candle_core::Device;

    /// `n` unit features around as many directions as there are classes, the label of each being its place modulo the
    /// classes.
    fn features(n: usize, n_classes: usize) -> Tensor {
        const E: usize = 16;
        let value = |at: usize, column: usize| {
            let noise = ((at * 31 + column * 17) as f32 * 12.9898).sin() * 0.15;
            noise + if column == at % n_classes { 1.0 } else { 0.0 }
        };
        let rows = (0..n).flat_map(|at| {
            let row: Vec<f32> = (0..E).map(|column| value(at, column)).collect();
            let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
            row.into_iter().map(move |x| x / length)
        });
        Tensor::from_vec(rows.collect(), (n, E), &Device::Cpu).unwrap()
    }

    pub fn map(n: usize, method: MapMethod) -> Option<EmbeddingMap> {
        let names = ["acne", "nevus", "wart"].map(String::from);
        let (rows, labels): (Vec<usize>, Vec<usize>) = (0..n).map(|at| (at + 5, at % 3)).unzip();
        let files: Vec<PathBuf> = (0..n).map(|at| format!("{at}.jpg").into()).collect();
        let tones =
            RowGroups { names: vec!["1".into(), "6".into()], of_rows: (0..n).map(|at| at / 2 % 2).collect() };
        let input = MapInput {
            features: &features(n, 3),
            rows: &rows,
            files: &files,
            labels: &labels,
            class_names: &names,
            tones: Some(tones),
        };
        EmbeddingMap::of(&input, method).unwrap()
    }

    /// Share of points whose nearest other point has the same label.
    fn agreement(map: &EmbeddingMap) -> f64 {
        let distance = |a: &MapPoint, b: &MapPoint| (a.at[0] - b.at[0]).powi(2) + (a.at[1] - b.at[1]).powi(2);
        let agrees = |(place, point): (usize, &MapPoint)| {
            let others = map.points.iter().enumerate().filter(|(other, _)| *other != place);
            let (_, nearest) = others.min_by(|a, b| distance(point, a.1).total_cmp(&distance(point, b.1))).unwrap();
            nearest.label == point.label
        };
        map.points.iter().enumerate().filter(|&one| agrees(one)).count() as f64 / map.points.len() as f64
    }

    #[test]
    fn what_is_apart_in_the_features_is_apart_on_the_map_and_the_map_repeats() {
        for method in [MapMethod::Pca, MapMethod::Tsne] {
            let found = map(150, method).unwrap();
            assert_eq!((found.method, found.points.len(), found.n_images), (method, 150, 150));
            assert!(agreement(&found) > 0.95, "{method:?}: {}", agreement(&found));
            assert_eq!(found.variance_share.is_some(), method == MapMethod::Pca);
            assert_eq!(map(150, method), Some(found), "{method:?}");
        }
    }

    #[test]
    fn images_with_the_same_features_are_one_point() {
        const N: usize = 12;
        let input = MapInput {
            features: &Tensor::from_vec(vec![0.25f32; N * 16], (N, 16), &Device::Cpu).unwrap(),
            rows: &(0..N).collect::<Vec<_>>(),
            files: &vec![PathBuf::from("a.jpg"); N],
            labels: &[0; N],
            class_names: &["acne".to_owned()],
            tones: None,
        };
        let found = EmbeddingMap::of(&input, MapMethod::Tsne).unwrap().unwrap();
        assert_eq!((found.method, found.variance_share), (MapMethod::Pca, None));
        assert!(found.points.iter().all(|point| point.at == [0.0; 2]), "{:?}", found.points);
    }

    #[test]
    fn few_images_have_components_or_no_map_and_many_are_drawn() {
        assert_eq!(map(9, MapMethod::Tsne).unwrap().method, MapMethod::Pca);
        assert_eq!(map(2, MapMethod::Pca), None);
        let many = map(MAX_POINTS + 500, MapMethod::Pca).unwrap();
        assert_eq!((many.points.len(), many.n_images), (MAX_POINTS, MAX_POINTS + 500));
        assert!(many.points.is_sorted_by_key(|point| point.row) && many.points.last().unwrap().row > MAX_POINTS);
        let MapPoint { row, file, label, tone, .. } = &many.points[100];
        assert_eq!(
            (file, *label, *tone),
            (&format!("{}.jpg", row - 6).into(), (row - 6) % 3, Some((row - 6) / 2 % 2))
        );
    }
}
