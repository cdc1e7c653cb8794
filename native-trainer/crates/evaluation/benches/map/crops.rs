//! Where to crop: accuracy on whole photos, on their middle, around the maximum of a map, and on the best of a sweep.

use super::methods::middle_of_maximum;
use super::subject::Subject;
use anyhow::{Context, Result};
use candle_core::Tensor;
use dermake_synth::MarkedPhoto;
use shared_model::preprocess::{self, CropBox, DecodedImage, Reading};
use shared_model::zero_shot::Classifier;

/// Side of a crop, in shares of the photo's shorter one.
const CROP: f64 = 0.6;
/// Middles of the crops of a sweep, in both directions.
const SWEEP: [f64; 3] = [0.3, 0.5, 0.7];

/// Prints the share of photos whose first label is right.
pub fn print(subject: &Subject, photos: &[MarkedPhoto], about: &str) -> Result<()> {
    let ways = [
        "whole photo",
        "middle crop",
        "crop around the first label's map",
        "crop like a close-up",
        "crop or whole, like a close-up",
        "crop, surest label",
        "crop or whole, surest label",
    ];
    let mut n_right = [0usize; 7];
    for photo in photos {
        let label = subject.label_of(photo)?;
        let config = &subject.config.preprocess;
        let image = preprocess::decode(&photo.jpeg, Reading::Reference)?;
        let whole = preprocess::preprocess_decoded(&image, config)?.unsqueeze(0)?;
        let (feature, trace) = subject.tower.image_features_with_trace(&whole)?;
        let first = first_label(subject, &feature)?;
        let map = subject.tower.similarity_map(&trace, &subject.classifier.contrast(first)?)?;
        let around = |place| -> Result<Tensor> {
            let crop = cropped(&image, place, config.image_size as u32, config.interpolation)?;
            let pixel_values = preprocess::preprocess_decoded(&crop, config)?.unsqueeze(0)?;
            Ok(subject.tower.image_features(&pixel_values)?)
        };
        let places = SWEEP.iter().flat_map(|&row| SWEEP.map(|column| (row, column)));
        let crops = places.map(around).collect::<Result<Vec<Tensor>>>()?;
        let with_whole: Vec<Tensor> = crops.iter().cloned().chain([feature]).collect();
        let answers = [
            first,
            first_label(subject, &around((0.5, 0.5))?)?,
            first_label(subject, &around(middle_of_maximum(&map))?)?,
            first_label(subject, most_like(&subject.close_up, &crops)?)?,
            first_label(subject, most_like(&subject.close_up, &with_whole)?)?,
            first_label(subject, most_like(&subject.classifier, &crops)?)?,
            first_label(subject, most_like(&subject.classifier, &with_whole)?)?,
        ];
        n_right.iter_mut().zip(answers).for_each(|(n_right, answer)| *n_right += usize::from(answer == label));
    }
    for (way, n_right) in ways.into_iter().zip(n_right) {
        let share = n_right as f64 / photos.len().max(1) as f64;
        println!("{about}  top-1: {way:<34}  {n_right:>4}  {:>4}  {share:.3}", photos.len());
    }
    Ok(())
}

/// Returns the feature with the largest cosine to any of the classifier's labels.
fn most_like<'a>(classifier: &Classifier, features: &'a [Tensor]) -> Result<&'a Tensor> {
    let largest = |feature: &Tensor| -> Result<f32> {
        let cosines: Vec<f32> = classifier.cosines(feature)?.flatten_all()?.to_vec1()?;
        Ok(cosines.into_iter().fold(f32::NEG_INFINITY, f32::max))
    };
    let largest = features.iter().map(largest).collect::<Result<Vec<f32>>>()?;
    let best = (0..features.len()).max_by(|&a, &b| largest[a].total_cmp(&largest[b]));
    Ok(&features[best.context("a sweep without crops")?])
}

fn first_label(subject: &Subject, feature: &Tensor) -> Result<usize> {
    let cosines: Vec<f32> = subject.classifier.cosines(feature)?.flatten_all()?.to_vec1()?;
    Ok(cosines.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(at, _)| at))
}

/// A square of the photo, about `(row, column)` of its middle square, moved into the photo.
fn cropped(
    image: &DecodedImage,
    (row, column): (f64, f64),
    side: u32,
    interpolation: shared_model::config::Interpolation,
) -> Result<DecodedImage> {
    let (width, height) = (image.width(), image.height());
    let short = f64::from(width.min(height));
    let crop = (CROP * short).round() as u32;
    let start = |share: f64, edge: u32| {
        let middle = (f64::from(edge) - short) / 2.0 + share * short;
        (middle - f64::from(crop) / 2.0).round().clamp(0.0, f64::from(edge - crop)) as u32
    };
    let crop = CropBox { left: start(column, width), top: start(row, height), width: crop, height: crop };
    Ok(preprocess::resample(image, crop, side, side, interpolation)?)
}
