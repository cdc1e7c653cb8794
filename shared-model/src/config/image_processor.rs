//! The image processors of transformers: `preprocessor_config.json` to [`PreprocessConfig`].

use super::section::{Inert, Section};
use super::{Interpolation, PreprocessConfig, ResizeMode};
use crate::foreign::json_text;
use crate::{Error, Result};
use serde_json::Value;

impl PreprocessConfig {
    /// Reads transformers' `preprocessor_config.json`, or the image processor in a `processor_config.json`.
    ///
    /// Fields that are absent take the defaults of the image processor that the file names, or those of `unnamed`
    /// when it names none.
    ///
    /// # Errors
    /// [`Error::ConfigJson`] for bad JSON; [`Error::Config`] naming the first field that cannot be honored.
    pub fn from_preprocessor_json(json: &[u8], unnamed: &Self) -> Result<Self> {
        let json = json_text(json, "the JSON of an image processor")?;
        let root: Value = serde_json::from_str(json).map_err(Error::ConfigJson)?;
        let root = Section::new("", &root)?;
        match root.get("image_processor") {
            Some(inner) => image_processor(&Section::new("image_processor", inner)?, unnamed),
            None => image_processor(&root, unnamed),
        }
    }
}

/// Reads the fields of transformers' CLIP or SigLIP image processor.
fn image_processor(section: &Section, unnamed: &PreprocessConfig) -> Result<PreprocessConfig> {
    let defaults = named_processor(section)?.unwrap_or_else(|| unnamed.clone());
    for field in ["do_resize", "do_rescale"] {
        if !section.boolean(field, true)? {
            return Err(section.error(field, false, "true"));
        }
    }
    if let Some(factor) = section.typed::<f64>("rescale_factor", "a number")?
        && (factor * 255.0 - 1.0).abs() > 1e-6
    {
        return Err(section.error("rescale_factor", factor, "1/255"));
    }
    let (image_size, resize_mode) = resize(section, &defaults)?;
    let [mean, std] = match section.boolean("do_normalize", true)? {
        true => [
            section.typed("image_mean", "three numbers")?.unwrap_or(defaults.mean),
            section.typed("image_std", "three numbers")?.unwrap_or(defaults.std),
        ],
        false => [[0.0; 3], [1.0; 3]],
    };
    let interpolation = match section.typed::<u64>("resample", "2 (bilinear) or 3 (bicubic)")? {
        None => defaults.interpolation,
        Some(2) => Interpolation::Bilinear,
        Some(3) => Interpolation::Bicubic,
        Some(other) => return Err(section.error("resample", other, "2 (bilinear) or 3 (bicubic)")),
    };
    section.refuse_others(&TRANSFORMERS_FIELDS)?;
    let config = PreprocessConfig { image_size, resize_mode, mean, std, interpolation, ..defaults };
    config.with_finite_scale(section, "image_mean", "image_std")
}

/// The defaults of the image processor that the section names.
fn named_processor(section: &Section) -> Result<Option<PreprocessConfig>> {
    for field in ["image_processor_type", "feature_extractor_type", "processor_class"] {
        let Some(name) = section.typed::<String>(field, "a name")? else { continue };
        return match name.to_ascii_lowercase() {
            name if name.starts_with("clip") => Ok(Some(PreprocessConfig::transformers_clip(224))),
            // The second generation's own processor keeps the aspect ratio and pads patches.
            name if name.starts_with("siglip") && !name.starts_with("siglip2") => {
                Ok(Some(PreprocessConfig::transformers_siglip(224)))
            }
            _ => Err(section.error(field, &name, "CLIPImageProcessor or SiglipImageProcessor")),
        };
    }
    Ok(None)
}

/// The side of the square and the way to it, of `size`, `do_center_crop` and `crop_size`.
fn resize(section: &Section, defaults: &PreprocessConfig) -> Result<(usize, ResizeMode)> {
    let (edge, resize_mode) = match section.get("size") {
        None => (defaults.image_size, defaults.resize_mode),
        Some(Value::Object(_)) => {
            let size = section.section("size")?;
            let shortest = size.get("shortest_edge").is_some();
            size.refuse_others(&[("shortest_edge", any), ("height", any), ("width", any)])?;
            match shortest {
                true => (size.required_size("shortest_edge")?, ResizeMode::Shortest),
                false => (equal_sides(&size)?, ResizeMode::Squash),
            }
        }
        Some(_) => (section.required_size("size")?, ResizeMode::Shortest),
    };
    let crops = section.boolean("do_center_crop", defaults.resize_mode == ResizeMode::Shortest)?;
    if !crops {
        return match resize_mode {
            ResizeMode::Squash => Ok((edge, resize_mode)),
            _ => Err(section.error("size", edge, "a height and a width, because no center is cropped")),
        };
    }
    let side = match section.get("crop_size") {
        None => defaults.image_size,
        Some(Value::Object(_)) => equal_sides(&section.section("crop_size")?)?,
        Some(_) => section.required_size("crop_size")?,
    };
    if side != edge {
        return Err(section.error("crop_size", side, &format!("the size, {edge}")));
    }
    Ok((side, resize_mode))
}

fn equal_sides(size: &Section) -> Result<usize> {
    let (height, width) = (size.required_size("height")?, size.required_size("width")?);
    if height != width {
        return Err(size.error("width", width, &format!("the height, {height}: images are square")));
    }
    Ok(width)
}

fn any(_: &Value) -> bool {
    true
}

const TRANSFORMERS_FIELDS: [Inert; 23] = [
    ("size", any),
    ("crop_size", any),
    ("do_resize", any),
    ("do_center_crop", any),
    ("do_rescale", any),
    ("rescale_factor", any),
    ("do_normalize", any),
    // Pixels are always made RGB: of the files that a model takes without it, this changes nothing.
    ("do_convert_rgb", any),
    ("image_mean", any),
    ("image_std", any),
    ("resample", any),
    ("image_processor_type", any),
    ("feature_extractor_type", any),
    ("processor_class", any),
    // What the classes write beside it, without use for a single square.
    ("default_to_square", any),
    ("data_format", |value| value == "channels_first"),
    ("input_data_format", any),
    ("device", any),
    ("disable_grouping", any),
    ("return_tensors", any),
    ("_valid_processor_keys", any),
    ("_processor_class", any),
    ("backend", any),
];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(json: &Value) -> Result<PreprocessConfig> {
        PreprocessConfig::from_preprocessor_json(
            json.to_string().as_bytes(),
            &PreprocessConfig::transformers_clip(32),
        )
    }

    #[test]
    fn sizes_are_numbers_or_edges() {
        let clip = PreprocessConfig::transformers_clip(64);
        for size in [json!(64), json!({"shortest_edge": 64})] {
            for crop_size in [json!(64), json!({"height": 64, "width": 64})] {
                assert_eq!(read(&json!({"size": size, "crop_size": crop_size})).unwrap(), clip);
            }
        }
        let siglip =
            json!({"image_processor_type": "SiglipImageProcessorFast", "size": {"height": 64, "width": 64}});
        assert_eq!(read(&siglip).unwrap(), PreprocessConfig::transformers_siglip(64));
        assert_eq!(read(&json!({})).unwrap(), PreprocessConfig::transformers_clip(32));
        let nested = json!({"processor_class": "CLIPProcessor", "image_processor": {"size": 64, "crop_size": 64}});
        assert_eq!(read(&nested).unwrap(), clip);
    }

    #[test]
    fn an_old_feature_extractor_is_read() {
        let json = json!({
            "crop_size": 224, "do_center_crop": true, "do_normalize": true, "do_resize": true,
            "feature_extractor_type": "CLIPFeatureExtractor", "resample": 2, "size": 224,
            "image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.25, 0.25], "do_convert_rgb": null,
        });
        let expected = PreprocessConfig {
            mean: [0.5; 3],
            std: [0.25; 3],
            interpolation: Interpolation::Bilinear,
            ..PreprocessConfig::transformers_clip(224)
        };
        assert_eq!(read(&json).unwrap(), expected);
    }

    #[test]
    fn what_cannot_be_honored_is_named() {
        for (field, value) in [
            ("do_resize", json!(false)),
            ("do_rescale", json!(false)),
            ("rescale_factor", json!(1.0)),
            ("crop_size", json!(31)),
            ("size.width", json!({"height": 32, "width": 16})),
            ("size.longest_edge", json!({"shortest_edge": 32, "longest_edge": 64})),
            ("resample", json!(1)),
            ("image_std", json!([1.0, 0.0, 1.0])),
            ("image_mean", json!([1.0, 0.5])),
            ("image_processor_type", json!("ViTImageProcessor")),
            ("do_pad", json!(true)),
        ] {
            let name = field.split('.').next().unwrap();
            match read(&json!({ name: value })) {
                Err(Error::Config { field: found, .. }) => assert_eq!(found, field),
                other => panic!("{field}: {other:?}"),
            }
        }
        for json in [
            json!([]),
            json!({"do_center_crop": false, "size": 32}),
            json!({"image_processor_type": "SiglipImageProcessor", "size": 32}),
        ] {
            assert!(matches!(read(&json), Err(Error::Config { .. })), "{json}");
        }
    }
}
