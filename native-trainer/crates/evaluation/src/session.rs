//! Shared state of one evaluation.

use super::embedding_map::MapMethod;
use super::exclusion::Exclusion;
use super::image_tables::ImageTables;
use super::results::Protocol;
use anyhow::Result;
use candle_core::Tensor;
use dermake_features::{Encoder, ImageFeatures, ImageFile};
use dermake_models::scale::Scale;
use dermake_process::progress;
use shared_model::labels::Templates;
use std::path::Path;

/// An evaluation under way.
pub struct Session<'a> {
    pub encoder: Encoder<'a>,
    pub options: &'a SessionOptions<'a>,
    /// Tables of the scored images, of those that are to be written.
    pub tables: ImageTables,
    /// How maps of the images of classifications are made, if they are.
    pub map: Option<MapMethod>,
    /// The factor between cosines and logits.
    pub scale: Scale,
    /// The sentences that labels are put into.
    pub templates: Templates,
}

/// Options that all benchmarks share.
pub struct SessionOptions<'a> {
    /// The folder of all benchmarks.
    pub data: &'a Path,
    pub protocol: Protocol,
    /// The share of a table's images that may be unreadable.
    pub max_unreadable: f64,
    /// Images without which all metrics are computed a second time.
    pub exclusion: Option<&'a Exclusion>,
}

impl<'a> SessionOptions<'a> {
    /// Options of photos that are not a benchmark's: all are used.
    pub fn of_photos(data: &'a Path, max_unreadable: f64) -> Self {
        Self { data, protocol: Protocol::All, max_unreadable, exclusion: None }
    }
}

impl<'a> Session<'a> {
    /// A session of which only the features are wanted: no files, no maps, the reference's scale and templates.
    pub fn of_features(encoder: Encoder<'a>, options: &'a SessionOptions<'a>) -> Self {
        Self {
            encoder,
            options,
            tables: ImageTables::default(),
            map: None,
            scale: Scale::Reference,
            templates: Templates::skin(),
        }
    }

    pub fn data(&self) -> &Path {
        self.options.data
    }

    pub fn protocol(&self) -> Protocol {
        self.options.protocol
    }

    pub fn exclusion(&self) -> Option<&'a Exclusion> {
        self.options.exclusion
    }

    pub fn max_unreadable(&self) -> f64 {
        self.options.max_unreadable
    }

    /// Features of a benchmark's images, with a bar that names it.
    pub fn images(&mut self, title: &str, files: &[ImageFile]) -> Result<ImageFeatures> {
        let bar = progress::images(files.len());
        bar.set_message(title.to_string());
        let features = self.encoder.images(files, &bar);
        bar.finish_and_clear();
        features
    }

    /// Unit features of texts, with a bar.
    pub fn texts(&mut self, texts: &[String]) -> Result<Tensor> {
        progress::of_prompts(|progress| self.encoder.texts(texts, progress))
    }
}
