//! Owns the model: a photo's blob and labels in, ranked answers out. No DOM.

use super::download::{self, Fetched};
use super::photo::{Photo, Question};
use super::protocol::{ModelInfo, PhotoId, Progress, Reply, Stage};
use super::serve::{Line, Stop, Turn};
use crate::error::{Error, Result};
use candle_core::Tensor;
use futures_util::FutureExt;
use futures_util::future::{Either, LocalBoxFuture, Shared, select};
use shared_model::ZeroShotModel;
use shared_model::labels::{LabelSet, Templates};
use shared_model::manifest::{FileRole, Manifest};
use shared_model::weights::Placement;
use shared_model::zero_shot::Classifier;
use std::collections::HashMap;
use std::pin::pin;
use std::rc::Rc;

/// The model, and what it need not compute twice.
pub struct Engine {
    manifest: Manifest,
    manifest_url: String,
    templates: Templates,
    model: ZeroShotModel,
    /// Of the last photo, so that other labels are answered at once.
    photo_features: Option<(PhotoId, Tensor)>,
    /// Of each label that the visitor ever typed, so that a list may grow word by word.
    own_labels: HashMap<String, Classifier>,
    /// Begun with the first label of the visitor's own, and continued by whichever request still wants it.
    text_download: Option<Shared<LocalBoxFuture<'static, Result<Fetched>>>>,
}

impl Engine {
    /// Fetches a model's manifest and vision half; answers also whether the browser keeps them.
    ///
    /// # Errors
    /// As [`download::fetch_files`]; [`Error::UnusableModel`] for files that fit no model.
    pub async fn load(manifest_url: String, turn: &Turn) -> Result<(Self, bool)> {
        let manifest = download::fetch_manifest(&manifest_url).await?;
        turn.say(Reply::Opened { model: ModelInfo::from(&manifest) });
        let on_progress = |progress| turn.say(Reply::Progress(progress));
        let fetched = download::fetch_files(&manifest_url, &manifest, &Manifest::FIRST_ROLES, on_progress).await?;
        let (vision, classifiers) = (fetched.file(FileRole::Vision)?, fetched.file(FileRole::Classifiers)?);
        let model = ZeroShotModel::from_quantized(&manifest, vision, classifiers, Placement::default())?;
        let templates = Templates::new(manifest.templates.clone())?;
        let engine = Self {
            manifest,
            manifest_url,
            templates,
            model,
            photo_features: None,
            own_labels: HashMap::new(),
            text_download: None,
        };
        Ok((engine, fetched.is_kept))
    }

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Answers a question, unless a later one comes first.
    ///
    /// # Errors
    /// The image errors; as [`download::fetch_files`] for the visitor's own labels, which need the text half.
    pub async fn classify(&mut self, question: &Question, turn: &Turn) -> Result<Reply, Stop> {
        let started = turn.now_millis();
        let features = self.photo_features(&question.photo, turn).await?;
        let mut millis = turn.now_millis() - started;
        let shipped = self.model.shipped_classifier(&question.labels, &self.templates).cloned();
        if shipped.is_none() {
            self.bring_text(turn).await?;
        }
        let started = turn.now_millis();
        let classifier = match shipped {
            Some(classifier) => classifier,
            None => self.own_classifier(&question.labels.class_names, turn).await?,
        };
        let predictions = classifier.classify(&features, question.top_k).map_err(Error::from)?.remove(0);
        millis += turn.now_millis() - started;
        Ok(Reply::Predictions { predictions, millis })
    }

    async fn photo_features(&mut self, photo: &Photo, turn: &Turn) -> Result<Tensor> {
        if let Some((id, features)) = &self.photo_features
            && *id == photo.id
        {
            return Ok(features.clone());
        }
        let image = photo.open(&turn.line).await?;
        let features = self.model.decoded_image_features(image)?;
        self.photo_features = Some((photo.id, features.clone()));
        Ok(features)
    }

    /// Fetches the text half if it is not there yet. A later request gets on with what this one began.
    async fn bring_text(&mut self, turn: &Turn) -> Result<(), Stop> {
        if self.model.has_text() {
            return Ok(());
        }
        let download = self.text_download.get_or_insert_with(|| {
            let (manifest, url, line) = (self.manifest.clone(), self.manifest_url.clone(), turn.line.clone());
            fetch_text(manifest, url, line).boxed_local().shared()
        });
        let fetched = match select(download.clone(), pin!(turn.superseded())).await {
            Either::Left((fetched, _)) => fetched,
            Either::Right(_) => return Err(Stop::Superseded),
        };
        self.text_download = None;
        let fetched = fetched?;
        let (text, tokenizer) = (fetched.file(FileRole::Text)?, fetched.files(FileRole::Tokenizer));
        self.model.add_text(text, &tokenizer).map_err(Error::from)?;
        Ok(())
    }

    /// One label at a time, so that a later request need not wait for the rest.
    async fn own_classifier(&mut self, class_names: &[String], turn: &Turn) -> Result<Classifier, Stop> {
        let total = class_names.len() as u64;
        for (done, name) in (0..).zip(class_names) {
            if !self.own_labels.contains_key(name) {
                turn.say(Reply::Progress(Progress { stage: Stage::Labels, done, total }));
                turn.give_way().await?;
                let one = LabelSet {
                    key: LabelSet::CUSTOM.into(),
                    title: String::new(),
                    class_names: vec![name.clone()],
                };
                let classifier =
                    self.model.classifier(&one, &self.templates, &mut |_, _| {}).map_err(Error::from)?;
                self.own_labels.insert(name.clone(), classifier);
            }
        }
        let columns: Vec<&Tensor> = class_names.iter().map(|name| self.own_labels[name].weights()).collect();
        let weights = Tensor::cat(&columns, 1).map_err(shared_model::Error::from).map_err(Error::from)?;
        Ok(Classifier::from_weights(class_names, weights).map_err(Error::from)?)
    }
}

/// Its progress goes to whichever request is the last, for that one waits for it.
async fn fetch_text(manifest: Manifest, manifest_url: String, line: Rc<Line>) -> Result<Fetched> {
    let on_progress = |progress| line.say(line.latest_id(), Reply::Progress(progress));
    let fetched = download::fetch_files(&manifest_url, &manifest, &Manifest::TEXT_ROLES, on_progress).await?;
    if fetched.is_kept {
        line.say(0, Reply::TextKept);
    }
    Ok(fetched)
}
