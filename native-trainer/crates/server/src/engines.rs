//! The models that answer requests: those of --infer-model, or all hosted ones.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;

use super::error::{Error, HttpError, Result};
use super::infer::{Engine, InferOptions};
use super::limits::Limits;
use super::metrics::Metrics;
use super::model_names::{self, Ambiguous};
use super::models::Models;
use super::weights::{Content, Model};

/// Settings of an engine.
struct Settings {
    options: InferOptions,
    limits: Limits,
    metrics: Arc<Metrics>,
}

/// An engine, and its hosted model, if it has one.
struct Running {
    engine: Arc<Engine>,
    of: Option<Arc<Model>>,
}

/// An engine and its name in answers and metrics, which no other engine has.
pub(super) struct Answering {
    pub(super) engine: Arc<Engine>,
    pub(super) name: String,
}

/// All engines. The first answers requests that name no model.
pub(super) struct Engines {
    settings: Arc<Settings>,
    models: Arc<Models>,
    running: RwLock<Vec<Running>>,
    /// Hosted models that cannot be loaded. Held while loading, so that two requests never load the same model.
    unusable: Mutex<Vec<Arc<Model>>>,
}

impl Engines {
    /// Loads the models that answer; returns `None` if there are none and none can be added.
    ///
    /// # Errors
    /// [`Error::Model`] names one that cannot be loaded; [`Error::SameName`] for two of one name; those of
    /// [`Limits::check`].
    pub(super) fn start(
        options: &InferOptions,
        limits: &Limits,
        models: &Arc<Models>,
        metrics: &Arc<Metrics>,
    ) -> Result<Option<Arc<Self>>> {
        if options.device.is_none() {
            return Ok(None);
        }
        limits.check()?;
        let settings =
            Arc::new(Settings { options: options.clone(), limits: limits.clone(), metrics: metrics.clone() });
        let keys = keys(&options.models)?;
        let named = options.models.iter().zip(&keys).map(|(model, key)| settings.start(model, key, None));
        let hosted = models.known();
        let hosted = hosted.iter().filter(|_| options.models.is_empty()).map(|model| settings.start_hosted(model));
        let running = named.chain(hosted).collect::<Result<Vec<_>>>()?;
        if running.is_empty() && !models.has_model_folders() {
            return Ok(None);
        }
        let (running, unusable) = (RwLock::new(running), Mutex::default());
        Ok(Some(Arc::new(Self { settings, models: models.clone(), running, unusable })))
    }

    /// Those that answer now.
    pub(super) fn all(&self) -> Vec<Answering> {
        self.read(|running| {
            let names: Vec<_> = running.iter().map(|one| one.engine.names()).collect();
            let named = running.iter().zip(model_names::unique(&names));
            named.map(|(one, name)| Answering { engine: one.engine.clone(), name: name.to_owned() }).collect()
        })
    }

    /// Returns every name by which a request can call a model that answers now.
    pub(super) fn accepted_names(&self) -> Vec<String> {
        self.read(|running| {
            let names: Vec<_> = running.iter().map(|one| one.engine.names()).collect();
            model_names::accepted(&names).into_iter().map(str::to_owned).collect()
        })
    }

    /// Returns whether a model fails at everything.
    pub(super) async fn has_failing(&self) -> bool {
        for Answering { engine, .. } in self.all() {
            if engine.is_failing().await {
                return true;
            }
        }
        false
    }

    /// Returns the engine of this name, in any case if that is unique, or the first one without a name. If there is
    /// none, loads models that were added since the last check.
    ///
    /// # Errors
    /// [`HttpError::NoSuchModel`], [`HttpError::AmbiguousModel`], or [`HttpError::NoModel`] where none is named.
    pub(super) async fn find(self: &Arc<Self>, name: Option<&str>) -> Result<Answering, HttpError> {
        let is_wanted = |known: &str| name.is_none_or(|name| known == name);
        if let Some(found) = self.find_running(name, is_wanted)? {
            return Ok(found);
        }
        self.models.on_offer().await?;
        self.follow().await;
        if let Some(found) = self.find_running(name, is_wanted)? {
            return Ok(found);
        }
        let Some(name) = name.filter(|_| self.read(|running| !running.is_empty())) else {
            return Err(HttpError::NoModel);
        };
        let known = || self.read(|running| running.iter().map(|one| one.engine.names()[0].to_owned()).collect());
        let found = self.find_running(Some(name), |known| known.eq_ignore_ascii_case(name))?;
        found.ok_or_else(|| HttpError::NoSuchModel { name: name.to_owned(), known: known() })
    }

    /// Returns the engine with a name that is wanted, or the first one without a name.
    fn find_running(
        &self,
        name: Option<&str>,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<Option<Answering>, HttpError> {
        let mut all = self.all();
        let names: Vec<_> = all.iter().map(|one| one.engine.names()).collect();
        let place = match name {
            None => Ok(Some(0).filter(|_| !all.is_empty())),
            Some(name) => model_names::find(&names, is_wanted)
                .map_err(|Ambiguous { keys }| HttpError::AmbiguousModel { name: name.to_owned(), keys }),
        };
        Ok(place?.map(|place| all.swap_remove(place)))
    }

    /// Returns the engine of a hosted model: its own, or one of `--infer-model` with its name, if no other model has
    /// this name.
    pub(super) fn of(&self, model: &Arc<Model>, hosted: &[Arc<Model>]) -> Option<Arc<Engine>> {
        let is_only = hosted.iter().filter(|other| other.name() == model.name()).count() == 1;
        self.read(|running| {
            let its_own = running.iter().find(|one| one.is_of(model));
            let of_its_name = || {
                let has_name = |one: &&Running| one.engine.names().contains(&model.name());
                let mut named = running.iter().filter(has_name);
                let first = named.next().filter(|one| one.of.is_none() && is_only)?;
                named.next().is_none().then_some(first)
            };
            its_own.or_else(of_its_name).map(|one| one.engine.clone())
        })
    }

    /// Loads hosted models that do not answer yet, and stops those that are no longer hosted; current requests keep
    /// their model. A model that is replaced answers until the new one is loaded. Continues if the caller is dropped.
    pub(super) async fn follow(self: &Arc<Self>) {
        if !self.settings.options.models.is_empty() || self.is_up_to_date(&self.models.known()) {
            return;
        }
        let engines = self.clone();
        let followed = tokio::spawn(async move {
            let mut unusable = engines.unusable.lock().await;
            // Read again: the previous holder of the lock may have loaded more models.
            let known = engines.models.known();
            unusable.retain(|model| contains(&known, model));
            engines.end_gone(&known, &unusable);
            for model in known.iter().filter(|model| model.content() == Content::Whole) {
                engines.load(model, &known, &mut unusable).await;
            }
            engines.end_gone(&known, &unusable);
        });
        if let Err(err) = followed.await {
            tracing::error!("the models on offer could not be followed: {err}");
        }
    }

    /// Returns whether there is nothing to load and nothing to stop.
    fn is_up_to_date(&self, known: &[Arc<Model>]) -> bool {
        self.read(|running| {
            let answers = |model: &Arc<Model>| running.iter().any(|one| one.is_of(model));
            running.len() == known.len() && known.iter().all(|model| answers(model) && !self.has_ended(model))
        })
    }

    /// Returns whether a model must not answer, as its files are no longer those that were loaded. One that was named
    /// itself is not followed.
    fn has_ended(&self, model: &Arc<Model>) -> bool {
        self.models.is_followed(model) && matches!(model.content(), Content::Damaged { .. })
    }

    async fn load(&self, model: &Arc<Model>, known: &[Arc<Model>], unusable: &mut Vec<Arc<Model>>) {
        if contains(unusable, model) || self.read(|running| running.iter().any(|one| one.is_of(model))) {
            return;
        }
        let (settings, hosted) = (self.settings.clone(), model.clone());
        match tokio::task::spawn_blocking(move || settings.start_hosted(&hosted)).await {
            Ok(Ok(started)) => {
                tracing::info!("answering with one more model: {}", model.path.display());
                self.put(model, started, known);
            }
            Ok(Err(err)) => {
                tracing::error!("{:#}", anyhow::Error::from(err));
                unusable.push(model.clone());
            }
            Err(err) => {
                tracing::error!("loading a model failed: {err}: {}", model.path.display());
                unusable.push(model.clone());
            }
        }
    }

    /// Puts a model where it is on offer, in place of the one that its folder had.
    fn put(&self, model: &Arc<Model>, started: Running, known: &[Arc<Model>]) {
        let mut running = self.running.write().unwrap_or_else(PoisonError::into_inner);
        running.retain(|one| !one.is_at(model));
        running.push(started);
        running.sort_by_key(|one| known.iter().position(|model| one.is_at(model)));
    }

    /// Ends the models that are gone or damaged, and those whose replacement cannot be loaded.
    fn end_gone(&self, known: &[Arc<Model>], unusable: &[Arc<Model>]) {
        let mut running = self.running.write().unwrap_or_else(PoisonError::into_inner);
        running.retain(|one| {
            let now = known.iter().find(|model| one.is_at(model));
            now.is_some_and(|now| !self.has_ended(now) && (one.is_of(now) || !contains(unusable, now)))
        });
    }

    fn read<T>(&self, look: impl FnOnce(&[Running]) -> T) -> T {
        look(&self.running.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Returns the keys of `--infer-model`: for a model on this disk, the name of its folder or file without those above
/// it, which clients need not know.
///
/// # Errors
/// [`Error::SameName`] if two are equal.
fn keys(typed: &[String]) -> Result<Vec<String>> {
    let mut keys: Vec<String> = Vec::new();
    for model in typed {
        let key = dermake_models::title_of(model).unwrap_or_else(|| model.clone());
        if keys.contains(&key) {
            return Err(Error::SameName { name: key });
        }
        keys.push(key);
    }
    Ok(keys)
}

impl Settings {
    fn start_hosted(&self, model: &Arc<Model>) -> Result<Running> {
        self.start(&model.path.display().to_string(), &model.folder, Some(model.clone()))
    }

    fn start(&self, source: &str, key: &str, of: Option<Arc<Model>>) -> Result<Running> {
        let engine = Engine::start(source, key, &self.options, &self.limits, &self.metrics);
        let engine = engine.map_err(|err| Error::Model { model: source.to_owned(), source: err })?;
        Ok(Running { engine: Arc::new(engine), of })
    }
}

impl Running {
    fn is_of(&self, model: &Arc<Model>) -> bool {
        self.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, model))
    }

    /// Returns whether the model was loaded from this model's folder.
    fn is_at(&self, model: &Arc<Model>) -> bool {
        self.of.as_ref().is_some_and(|of| of.path == model.path)
    }
}

fn contains(models: &[Arc<Model>], model: &Arc<Model>) -> bool {
    models.iter().any(|other| Arc::ptr_eq(other, model))
}
