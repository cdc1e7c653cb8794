//! The photos that a model is calibrated on and compared on.

use crate::inputs::{Photo, gather};
use anyhow::{Context, Result, bail};
use candle_core::Tensor;
use dermake_process::print::shown;
use dermake_quantize::{calibration_photos, n_calibration_photos, pixel_values};
use shared_model::config::ClipConfig;
use shared_model::demo;
use std::path::{Path, PathBuf};

/// The argument that means no calibration.
const NONE: &str = "none";

/// Returns whether an argument means no calibration: the word, or its spelling in another case if no photos are called that.
fn is_none(argument: &Path) -> bool {
    argument == Path::new(NONE) || (argument.as_os_str().eq_ignore_ascii_case(NONE) && !argument.exists())
}

/// A photo's name and bytes.
pub type Named = (String, Vec<u8>);

/// Photos as the vision tower takes them: samples first, then those of the calibration.
pub struct Photos {
    pub names: Vec<String>,
    pixel_values: Tensor,
    n_samples: usize,
    /// Whether those of the calibration were drawn.
    pub is_drawn: bool,
    /// Photos to calibrate on that could not be read.
    pub n_failed: usize,
}

impl Photos {
    /// Reads the photos of the calibration and prepares all.
    ///
    /// # Errors
    /// When no photo of the calibration can be read, or a sample is no photo.
    pub fn of(samples: Vec<Named>, calibrate: &[PathBuf], config: &ClipConfig) -> Result<Self> {
        let n_samples = samples.len();
        let mut prepared = Prepared::default();
        for (name, bytes) in samples {
            let values = pixel_values(&[bytes], &config.preprocess);
            let values = values.with_context(|| format!("cannot compare on {}", shown(&name)))?;
            prepared.add(name, values);
        }
        let n_photos = n_calibration_photos(config);
        match calibrate {
            [] => {
                for (number, photo) in calibration_photos(n_photos, config)?.into_iter().enumerate() {
                    prepared
                        .add(format!("drawn photo {}", number + 1), pixel_values(&[photo], &config.preprocess)?);
                }
            }
            [path] if is_none(path) => {}
            paths if paths.iter().any(|path| is_none(path) && !path.exists()) => {
                bail!("--calibrate {NONE} means no photos, and photos are named, too; leave one out")
            }
            paths => prepared.add_readable(gather(paths), n_photos, config)?,
        }
        let Prepared { names, pixel_values, n_failed } = prepared;
        let pixel_values = Tensor::cat(&pixel_values, 0)?;
        Ok(Self { names, pixel_values, n_samples, is_drawn: calibrate.is_empty(), n_failed })
    }

    /// All photos, `[B, 3, S, S]`.
    pub fn pixel_values(&self) -> &Tensor {
        &self.pixel_values
    }

    /// Number of photos of the calibration.
    pub fn n_calibration(&self) -> usize {
        self.names.len() - self.n_samples
    }

    /// The photos of the calibration, where there is one.
    pub fn calibration(&self) -> Result<Option<Tensor>> {
        match self.n_calibration() {
            0 => Ok(None),
            n => Ok(Some(self.pixel_values.narrow(0, self.n_samples, n)?)),
        }
    }
}

#[derive(Default)]
struct Prepared {
    names: Vec<String>,
    pixel_values: Vec<Tensor>,
    n_failed: usize,
}

impl Prepared {
    fn add(&mut self, name: String, pixel_values: Tensor) {
        self.names.push(name);
        self.pixel_values.push(pixel_values);
    }

    /// Adds `n` of the photos, evenly spread; says which cannot be read.
    fn add_readable(&mut self, photos: Vec<Photo>, n: usize, config: &ClipConfig) -> Result<()> {
        let n_before = self.names.len();
        let n_photos = photos.len();
        if n_photos > n {
            tracing::info!("calibrating on {n} of {n_photos} photos");
        }
        let n = n.min(n_photos);
        for at in 0..n {
            let photo = &photos[at * n_photos / n];
            let values = photo.read().and_then(|bytes| pixel_values(&[bytes], &config.preprocess));
            match values {
                Ok(values) => self.add(photo.name.clone(), values),
                Err(err) => {
                    tracing::error!("not calibrated on a photo: {err:#}: {}", shown(&photo.name));
                    self.n_failed += 1;
                }
            }
        }
        if self.names.len() == n_before {
            bail!("expected at least one photo to calibrate on, found none that can be read");
        }
        Ok(())
    }
}

/// Names and bytes of the photos to compare on, so that one that is missing is known before the work begins.
pub fn samples(samples: &[PathBuf]) -> Result<Vec<Named>> {
    if samples.is_empty() {
        return Ok(demo::SAMPLES.map(|(name, bytes)| (name.to_string(), bytes.to_vec())).to_vec());
    }
    let read = |photo: Photo| {
        let bytes = photo.read().with_context(|| format!("cannot compare on {}", shown(&photo.name)))?;
        Ok((photo.name, bytes))
    };
    gather(samples).into_iter().map(read).collect()
}
