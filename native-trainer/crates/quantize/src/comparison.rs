//! How the answers of a quantized model differ from the dense model's.

use anyhow::Result;
use candle_core::{Device, Tensor};
use serde::Serialize;
use shared_model::quantize::WeightFormat;
use shared_model::zero_shot::{Classifier, softmax};
use shared_model::{TextTower, VisionTower};

/// Images or texts that are encoded at a time.
const BATCH: usize = 16;

/// Features of the same images and texts, by one model.
pub struct Features {
    /// `[B, E]` f32 on the CPU, rows of unit length
    pub images: Tensor,
    /// `[T, E]`, as these
    pub texts: Tensor,
}

impl Features {
    /// Encodes images `[B, 3, S, S]` and token rows.
    ///
    /// # Errors
    /// Those of the towers.
    pub fn of(
        vision: &VisionTower,
        text: &TextTower,
        pixel_values: &Tensor,
        input_ids: &[Vec<u32>],
    ) -> Result<Self> {
        let n_images = pixel_values.dim(0)?;
        let images = (0..n_images).step_by(BATCH).map(|first| -> Result<Tensor> {
            let batch = pixel_values.narrow(0, first, BATCH.min(n_images - first))?;
            Ok(vision.image_features(&batch)?.to_device(&Device::Cpu)?)
        });
        let texts = input_ids
            .chunks(BATCH)
            .map(|rows| -> Result<Tensor> { Ok(text.text_features(rows)?.to_device(&Device::Cpu)?) });
        Ok(Self {
            images: Tensor::cat(&images.collect::<Result<Vec<_>>>()?, 0)?,
            texts: Tensor::cat(&texts.collect::<Result<Vec<_>>>()?, 0)?,
        })
    }
}

/// How a quantized model's features and answers differ from the dense model's.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// Cosines of image features, in the order of the images.
    pub image_cosines: Vec<f32>,
    /// The least cosine of text features.
    pub least_text_cosine: f32,
    /// Their mean.
    pub mean_text_cosine: f32,
    /// Share of the images' answers, one for each label set, whose first label is the same.
    pub top1_agreement: f64,
    /// The probability that changed most.
    pub largest_change: Option<Change>,
}

/// A probability of both models.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Index of the image.
    pub image: usize,
    /// Key of the label set.
    pub label_set: String,
    pub label: String,
    pub dense: f32,
    pub quantized: f32,
}

impl Comparison {
    /// Compares two models' features, and their answers by the classifiers of label sets.
    ///
    /// # Errors
    /// When features or classifiers are of different widths.
    pub fn of(dense: &Features, quantized: &Features, classifiers: &[(String, Classifier)]) -> Result<Self> {
        let image_cosines = cosines(&dense.images, &quantized.images)?;
        let text_cosines = cosines(&dense.texts, &quantized.texts)?;
        let (mut n_same, mut n_answers, mut largest_change) = (0, 0, None::<Change>);
        for (label_set, classifier) in classifiers {
            let [dense, quantized] = [dense, quantized].map(|features| probabilities(classifier, &features.images));
            for (image, (dense, quantized)) in dense?.iter().zip(&quantized?).enumerate() {
                n_answers += 1;
                n_same += usize::from(first(dense) == first(quantized));
                for ((label, &dense), &quantized) in classifier.class_names.iter().zip(dense).zip(quantized) {
                    let is_larger =
                        |largest: &Change| (dense - quantized).abs() > (largest.dense - largest.quantized).abs();
                    if largest_change.as_ref().is_none_or(is_larger) {
                        let (label_set, label) = (label_set.clone(), label.clone());
                        largest_change = Some(Change { image, label_set, label, dense, quantized });
                    }
                }
            }
        }
        Ok(Self {
            least_text_cosine: least(&text_cosines),
            mean_text_cosine: text_cosines.iter().sum::<f32>() / text_cosines.len() as f32,
            image_cosines,
            top1_agreement: n_same as f64 / n_answers as f64,
            largest_change,
        })
    }

    /// The least cosine of image features.
    pub fn least_image_cosine(&self) -> f32 {
        least(&self.image_cosines)
    }
}

/// The least cosine that features of a quantized model should have.
pub fn expected_cosine(format: WeightFormat) -> f32 {
    match format {
        WeightFormat::Int8 | WeightFormat::Q8_0 => 0.999,
        WeightFormat::Int4 => 0.99,
        WeightFormat::Q4_0 => 0.98,
    }
}

/// The cosines of rows of unit length.
fn cosines(a: &Tensor, b: &Tensor) -> Result<Vec<f32>> {
    Ok((a * b)?.sum(1)?.to_vec1()?)
}

fn least(cosines: &[f32]) -> f32 {
    cosines.iter().copied().fold(f32::INFINITY, f32::min)
}

fn probabilities(classifier: &Classifier, image_features: &Tensor) -> Result<Vec<Vec<f32>>> {
    let logits: Vec<Vec<f32>> = classifier.logits(image_features)?.to_vec2()?;
    Ok(logits.iter().map(|logits| softmax(logits)).collect())
}

/// The index of the largest value.
fn first(values: &[f32]) -> Option<usize> {
    (0..values.len()).max_by(|&a, &b| values[a].total_cmp(&values[b]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_change_are_counted_and_the_largest_change_is_named() {
        let rows =
            |rows: &[[f32; 2]]| Tensor::from_slice(rows.as_flattened(), (rows.len(), 2), &Device::Cpu).unwrap();
        let texts = rows(&[[1.0, 0.0]]);
        let dense = Features { images: rows(&[[1.0, 0.0], [0.6, 0.8]]), texts: texts.clone() };
        let quantized = Features { images: rows(&[[1.0, 0.0], [0.8, 0.6]]), texts };
        let names = ["a", "b"].map(String::from);
        let classifier = Classifier::from_weights(&names, rows(&[[1.0, 0.0], [0.0, 1.0]])).unwrap();
        let found = Comparison::of(&dense, &quantized, &[("set".into(), classifier)]).unwrap();
        assert_eq!((found.image_cosines[0], found.top1_agreement), (1.0, 0.5));
        assert!((found.least_image_cosine() - 0.96).abs() < 1e-6 && found.least_text_cosine == 1.0);
        let change = found.largest_change.unwrap();
        assert_eq!((change.image, change.label_set.as_str()), (1, "set"));
        assert!((change.dense - change.quantized).abs() > 0.99, "{change:?}");
    }
}
