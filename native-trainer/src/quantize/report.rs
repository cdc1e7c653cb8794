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

/// The features of one of the towers.
#[derive(Clone, Copy, PartialEq)]
enum Features {
    Image,
    Text,
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
        for (features, least) in
            [(Features::Image, self.least_image_cosine), (Features::Text, self.least_text_cosine)]
        {
            if least.is_nan() || least < expected {
                let what = features.name();
                let advice = advice(features, format, &self.calibration);
                tracing::warn!(
                    "the quantized model's {what} features differ from the dense model's: least cosine {least:.5}, \
                     expected at least {expected}; {advice}compare both models with `dermake eval`"
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

impl Features {
    fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Text => "text",
        }
    }
}

/// What has not been done yet against features that differ, as the beginning of a sentence: calibration, photos of one's
/// own, which the text tower does not see, and more bits.
fn advice(features: Features, format: WeightFormat, calibration: &Calibration) -> String {
    let is_calibrated = calibration.photos > 0;
    let uses_calibration = matches!(format, WeightFormat::Int8 | WeightFormat::Int4);
    let has_four_bits = matches!(format, WeightFormat::Int4 | WeightFormat::Q4_0);
    let is_of_drawn = calibration.drawn && features == Features::Image;
    let steps = [
        (uses_calibration && !is_calibrated, "calibrate (leave out --calibrate none)"),
        (uses_calibration && is_calibrated && is_of_drawn, "calibrate on photos like yours (--calibrate)"),
        (has_four_bits, "choose int8"),
    ];
    let steps: Vec<&str> = steps.into_iter().filter_map(|(is_left, step)| is_left.then_some(step)).collect();
    if steps.is_empty() { String::new() } else { format!("{}, and ", steps.join(" or ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_what_has_not_been_done_yet() {
        use WeightFormat::{Int4, Int8, Q4_0, Q8_0};
        let (none, drawn, own) = ((0, false), (20, true), (20, false));
        for (features, format, (photos, drawn), expected) in [
            (Features::Image, Int8, own, ""),
            (Features::Image, Int8, drawn, "calibrate on photos like yours (--calibrate), and "),
            (Features::Image, Int8, none, "calibrate (leave out --calibrate none), and "),
            (Features::Image, Int4, own, "choose int8, and "),
            (Features::Image, Int4, drawn, "calibrate on photos like yours (--calibrate) or choose int8, and "),
            (Features::Image, Q8_0, drawn, ""),
            (Features::Image, Q4_0, drawn, "choose int8, and "),
            (Features::Text, Int8, drawn, ""),
            (Features::Text, Int8, none, "calibrate (leave out --calibrate none), and "),
            (Features::Text, Int4, drawn, "choose int8, and "),
        ] {
            assert_eq!(
                advice(features, format, &Calibration { photos, drawn }),
                expected,
                "{format:?} {photos} {drawn}"
            );
        }
    }
}
