//! The models that answer requests: those of --infer-model, or all hosted ones.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;

use super::error::{Error, HttpError, Result};
use super::infer::{Engine, InferOptions};
use super::limits::Limits;
use super::metrics::Metrics;
use super::models::Models;
use super::weights::Model;

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
    /// [`Error::Model`] names one that cannot be loaded.
    pub(super) fn start(
        options: &InferOptions,
        limits: &Limits,
        models: &Arc<Models>,
        metrics: &Arc<Metrics>,
    ) -> Result<Option<Arc<Self>>> {
        if options.device.is_none() {
            return Ok(None);
        }
        let settings =
            Arc::new(Settings { options: options.clone(), limits: limits.clone(), metrics: metrics.clone() });
        let named = options.models.iter().map(|name| settings.start(name, name, None));
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
    pub(super) fn all(&self) -> Vec<Arc<Engine>> {
        self.read(|running| running.iter().map(|running| running.engine.clone()).collect())
    }

    /// Returns whether a model fails at everything.
    pub(super) async fn has_failing(&self) -> bool {
        for engine in self.all() {
            if engine.is_failing().await {
                return true;
            }
        }
        false
    }

    /// Returns the engine of this name, in any case if that is unique, or the first one without a name. Loads models
    /// that were added since the last check.
    ///
    /// # Errors
    /// [`HttpError::NoSuchModel`], or [`HttpError::NoModel`] where none is named.
    pub(super) async fn find(self: &Arc<Self>, name: Option<&str>) -> Result<Arc<Engine>, HttpError> {
        let is_wanted = |engine: &Arc<Engine>| name.is_none_or(|name| engine.names().contains(&name));
        let in_any_case = |engine: &&Arc<Engine>| {
            name.is_some_and(|name| engine.names().iter().any(|known| known.eq_ignore_ascii_case(name)))
        };
        if let Some(engine) = self.all().into_iter().find(is_wanted) {
            return Ok(engine);
        }
        self.models.on_offer().await?;
        self.follow().await;
        let running = self.all();
        if let Some(engine) = running.iter().find(|engine| is_wanted(engine)) {
            return Ok(engine.clone());
        }
        let similar: Vec<&Arc<Engine>> = running.iter().filter(in_any_case).collect();
        if let [only] = similar[..] {
            return Ok(only.clone());
        }
        let known = running.iter().map(|engine| engine.names()[0].to_owned()).collect();
        Err(name
            .filter(|_| !running.is_empty())
            .map_or(HttpError::NoModel, |name| HttpError::NoSuchModel { name: name.to_owned(), known }))
    }

    /// The engine of a hosted model, or of a model with its name in another form.
    pub(super) fn of(&self, model: &Arc<Model>) -> Option<Arc<Engine>> {
        self.read(|running| {
            let its_own = running.iter().find(|one| one.is_of(model));
            let of_its_name = || running.iter().find(|one| one.engine.names().contains(&model.name()));
            its_own.or_else(of_its_name).map(|one| one.engine.clone())
        })
    }

    /// Loads hosted models that do not answer yet, and stops those that are no longer hosted; current requests keep
    /// their model. Continues if the caller is dropped.
    pub(super) async fn follow(self: &Arc<Self>) {
        if !self.settings.options.models.is_empty() || self.follows(&self.models.known()) {
            return;
        }
        let engines = self.clone();
        let followed = tokio::spawn(async move {
            let mut unusable = engines.unusable.lock().await;
            // Read again: the previous holder of the lock may have loaded more models.
            let hosted = engines.models.known();
            unusable.retain(|model| contains(&hosted, model));
            for model in &hosted {
                engines.load(model, &mut unusable).await;
            }
            engines.end_all_but(&hosted);
        });
        if let Err(err) = followed.await {
            tracing::error!("the models on offer could not be followed: {err}");
        }
    }

    /// Returns whether there is nothing to load and nothing to stop.
    fn follows(&self, hosted: &[Arc<Model>]) -> bool {
        self.read(|running| {
            running.len() == hosted.len() && hosted.iter().all(|model| running.iter().any(|one| one.is_of(model)))
        })
    }

    async fn load(&self, model: &Arc<Model>, unusable: &mut Vec<Arc<Model>>) {
        if contains(unusable, model) || self.read(|running| running.iter().any(|one| one.is_of(model))) {
            return;
        }
        let (settings, hosted) = (self.settings.clone(), model.clone());
        match tokio::task::spawn_blocking(move || settings.start_hosted(&hosted)).await {
            Ok(Ok(started)) => {
                tracing::info!("answering with one more model: {}", model.path.display());
                self.running.write().unwrap_or_else(PoisonError::into_inner).push(started);
            }
            Ok(Err(err)) => {
                tracing::error!("{:#}", anyhow::Error::from(err));
                unusable.push(model.clone());
            }
            Err(err) => {
                tracing::error!("loading a model broke down: {err}: {}", model.path.display());
                unusable.push(model.clone());
            }
        }
    }

    /// Leaves the others, in the order in which they are on offer.
    fn end_all_but(&self, hosted: &[Arc<Model>]) {
        let place = |one: &Running| hosted.iter().position(|model| one.is_of(model));
        let mut running = self.running.write().unwrap_or_else(PoisonError::into_inner);
        running.retain(|one| place(one).is_some());
        running.sort_by_key(place);
    }

    fn read<T>(&self, look: impl FnOnce(&[Running]) -> T) -> T {
        look(&self.running.read().unwrap_or_else(PoisonError::into_inner))
    }
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
}

fn contains(models: &[Arc<Model>], model: &Arc<Model>) -> bool {
    models.iter().any(|other| Arc::ptr_eq(other, model))
}
