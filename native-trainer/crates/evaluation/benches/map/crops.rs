//! Whether a map says where to crop: accuracy on whole photos, on their middle, and around the maximum of a map.

use super::methods::middle_of_maximum;
use super::subject::Subject;
use anyhow::Result;
use candle_core::Tensor;
use dermake_synth::MarkedPhoto;
use shared_model::preprocess::{self, CropBox, DecodedImage, Reading};

/// Side of a crop, in shares of the photo's shorter one.
const CROP: f64 = 0.6;

/// Prints the share of photos whose first label is right.
pub fn print(subject: &Subject, photos: &[MarkedPhoto], about: &str) -> Result<()> {
    let ways = ["whole photo", "middle crop", "crop around the first label's map"];
    let mut n_right = [0usize; 3];
    for photo in photos {
        let label = subject.label_of(photo)?;
        let config = &subject.config.preprocess;
        let image = preprocess::decode(&photo.jpeg, Reading::Reference)?;
        let whole = preprocess::preprocess_decoded(&image, config)?.unsqueeze(0)?;
        let (feature, trace) = subject.tower.image_features_with_trace(&whole)?;
        let first = first_label(subject, &feature)?;
        let map = subject.tower.similarity_map(&trace, &subject.classifier.contrast(first)?)?;
        let around = |place| -> Result<usize> {
            let crop = cropped(&image, place, config.image_size as u32, config.interpolation)?;
            let pixel_values = preprocess::preprocess_decoded(&crop, config)?.unsqueeze(0)?;
            first_label(subject, &subject.tower.image_features(&pixel_values)?)
        };
        let answers = [first, around((0.5, 0.5))?, around(middle_of_maximum(&map))?];
        n_right.iter_mut().zip(answers).for_each(|(n_right, answer)| *n_right += usize::from(answer == label));
    }
    for (way, n_right) in ways.into_iter().zip(n_right) {
        let share = n_right as f64 / photos.len().max(1) as f64;
        println!("{about}  top-1: {way:<34}  {n_right:>4}  {:>4}  {share:.3}", photos.len());
    }
    Ok(())
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
