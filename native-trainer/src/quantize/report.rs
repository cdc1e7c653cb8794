//! `report.json`, and the table that is printed.

use super::photos::Photos;
use dermake_process::print::shown;
use dermake_quantize::{Change, Comparison, expected_cosine};
use serde::Serialize;
use shared_model::manifest::ManifestFile;
use shared_model::quantize::{TensorReport, WeightFormat};

/// `report.json`.
#[derive(Serialize)]
pub struct Report {
    dense_bytes: usize,
    files: Vec<ManifestFile>,
    tensors: Vec<TensorReport>,
    calibration: Calibration,
    /// The layer whose outputs differ most.
    #[serde(skip_serializing_if = "Option::is_none")]
    worst_layer: Option<Layer>,
    /// Between the dense and the quantized model's image features: first of the samples, then of the calibration.
    cosines: Vec<ImageCosine>,
    least_image_cosine: f32,
    least_text_cosine: f32,
    mean_text_cosine: f32,
    /// Share of the answers, one for each photo and label set, whose first label is the same.
    top1_agreement: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    largest_change: Option<Change>,
}

/// What the model was calibrated on.
#[derive(Serialize)]
struct Calibration {
    photos: usize,
    drawn: bool,
}

#[derive(Serialize)]
struct Layer {
    name: String,
    output_error: f64,
}

#[derive(Serialize)]
struct ImageCosine {
    image: String,
    cosine: f32,
}

impl Report {
    pub fn new(
        tensors: Vec<TensorReport>,
        dense_bytes: usize,
        files: Vec<ManifestFile>,
        photos: &Photos,
        comparison: Comparison,
    ) -> Self {
        let errors = tensors.iter().filter_map(|tensor| Some((tensor, tensor.output_error?)));
        let worst = errors.max_by(|a, b| a.1.total_cmp(&b.1));
        let worst_layer = worst.map(|(tensor, output_error)| Layer { name: tensor.name.clone(), output_error });
        let cosines = photos.names.iter().zip(&comparison.image_cosines);
        let n_photos = photos.n_calibration();
        Self {
            dense_bytes,
            files,
            worst_layer,
            tensors,
            calibration: Calibration { photos: n_photos, drawn: photos.is_drawn },
            cosines: cosines.map(|(image, &cosine)| ImageCosine { image: image.clone(), cosine }).collect(),
            least_image_cosine: comparison.least_image_cosine(),
            least_text_cosine: comparison.least_text_cosine,
            mean_text_cosine: comparison.mean_text_cosine,
            top1_agreement: comparison.top1_agreement,
            largest_change: comparison.largest_change,
        }
    }

    /// Warns if features are farther from the dense ones than the format explains.
    pub fn warn(&self, format: WeightFormat) {
        let expected = expected_cosine(format);
        for (what, least) in [("image", self.least_image_cosine), ("text", self.least_text_cosine)] {
            if least.is_nan() || least < expected {
                tracing::warn!(
                    "the quantized model's {what} features differ from the dense model's: least cosine {least:.5}, \
                     expected at least {expected}; calibrate on photos like yours (--calibrate) or choose int8, and \
                     compare both models with `dermake eval`"
                );
            }
        }
    }

    pub fn to_table(&self) -> String {
        let mib = |bytes: f64| bytes / (1024.0 * 1024.0);
        let mut text = String::from(
            "tensor                                             format     bytes   rel. error   output error\n",
        );
        for TensorReport { name, format, bytes, relative_error, output_error } in &self.tensors {
            let output = output_error.map_or(String::new(), |error| format!("       {error:.6}"));
            text.push_str(&format!("{name:<50} {format:<6} {bytes:>9}   {relative_error:.6}{output}\n"));
        }
        text.push('\n');
        let mut total = 0.0;
        for ManifestFile { file, bytes, sha256, .. } in &self.files {
            total += *bytes as f64;
            text.push_str(&format!("{file:<26} {:>8.2} MiB  sha256 {sha256}\n", mib(*bytes as f64)));
        }
        let dense = self.dense_bytes as f64;
        text.push_str(&format!("{:<26} {:>8.2} MiB  of {:.2} dense (f32)\n\n", "all", mib(total), mib(dense)));
        text.push_str(&self.comparison());
        text
    }

    fn comparison(&self) -> String {
        let mut text = String::from("compared with the dense model\n");
        let mut line = |what: &str, value: &str, of: &str| text.push_str(&format!("{what:<34} {value:>9}  {of}\n"));
        for ImageCosine { image, cosine } in self.cosines.iter().take(self.n_samples()) {
            line("cosine to the dense model", &format!("{cosine:.6}"), &shown(image).to_string());
        }
        let photos = format!("of {} photos", self.cosines.len());
        line("least cosine of image features", &format!("{:.6}", self.least_image_cosine), &photos);
        line("least cosine of text features", &format!("{:.6}", self.least_text_cosine), "");
        line("same first label", &format!("{:.4}", self.top1_agreement), "of all photos and label sets");
        if let Some(Change { image, label_set, label, dense, quantized }) = &self.largest_change {
            let name = self.cosines.get(*image).map_or("", |cosine| cosine.image.as_str());
            let of = format!("from {dense:.4}, {label} of {label_set}, {}", shown(name));
            line("largest change of a probability", &format!("{:+.4}", quantized - dense), &of);
        }
        if let Some(Layer { name, output_error }) = &self.worst_layer {
            line("worst layer, error of its outputs", &format!("{output_error:.4}"), name);
        }
        let drawn = if self.calibration.drawn { "drawn photos" } else { "photos" };
        line("calibrated on", &self.calibration.photos.to_string(), drawn);
        text
    }

    fn n_samples(&self) -> usize {
        self.cosines.len() - self.calibration.photos
    }
}
