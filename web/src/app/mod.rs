//! Connects the state to the browser: components read the state and send events, and actions are executed here.

mod batch;
mod camera;
mod camera_stream;
pub mod focus;
mod journal;
mod language;
mod other_worker;
mod page_language;
mod photo;
mod pictures;
mod report;
mod worker;

use camera_stream::CameraStream;
pub use camera_stream::has_camera;
use page_language::PageLanguage;
pub use photo::SAMPLES;
pub use pictures::Pictures;
pub use report::{can_share, save};

use crate::document::{base_url, is_page_replaced};
use crate::error::{Result, what};
use crate::http;
use crate::state::{Action, AppState, Event};
use crate::storage;
use crate::worker::handle::WorkerHandle;
use crate::worker::protocol::ModelInfo;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_model::api::ModelEntry;
use std::sync::Arc;
use web_sys::{Blob, File};

/// Whether this browser can keep a journal.
pub fn can_keep() -> bool {
    storage::journal::is_available()
}

/// URL of the photo of an entry; `None` if it is missing.
pub async fn kept_photo_url(id: &str) -> Option<String> {
    let photo = storage::journal::photo(id).await?;
    web_sys::Url::create_object_url_with_blob(&photo).ok()
}

/// Handle that every component has: reads the state and sends events.
#[derive(Clone, Copy)]
pub struct App {
    state: RwSignal<AppState>,
    /// What the worker made of the photo.
    pub pictures: Pictures,
    camera: CameraStream,
    language: PageLanguage,
    resources: StoredValue<Resources, LocalStorage>,
}

/// Objects of the browser that the page holds.
#[derive(Default)]
struct Resources {
    worker: Option<WorkerHandle>,
    /// That of another model, while it works.
    other_worker: Option<WorkerHandle>,
    photo: Option<Blob>,
    /// The files of the table, by their index.
    files: Vec<Option<File>>,
}

impl App {
    /// Creates the app's state and restores what earlier visits stored.
    pub fn start(builds: Vec<String>) -> Self {
        let app = Self {
            state: RwSignal::new(AppState::default()),
            pictures: Pictures::new(),
            camera: CameraStream::new(),
            language: PageLanguage::new(),
            resources: StoredValue::new_local(Resources::default()),
        };
        if let Some(labels) = storage::labels::load() {
            app.send(Event::LabelsRestored(labels));
        }
        app.restore_feature_keeping();
        app.send(Event::PageOpened { builds });
        app.start_language();
        spawn_local(app.restore_photo());
        spawn_local(app.load_journal());
        app
    }

    /// A value derived from the state; components that read it are updated when it changes.
    pub fn watch<T>(self, derive: impl Fn(&AppState) -> T + Send + Sync + 'static) -> Memo<T>
    where
        T: PartialEq + Send + Sync + 'static,
    {
        Memo::new(move |_| self.state.with(&derive))
    }

    /// The model. Compared by its address: it is never changed, and too large to compare after each event.
    pub fn model(self) -> Memo<Option<Arc<ModelInfo>>> {
        let is_other = |old: Option<&Option<Arc<ModelInfo>>>, new: Option<&Option<Arc<ModelInfo>>>| {
            let address =
                |model: Option<&Option<Arc<ModelInfo>>>| model.map(|model| model.as_ref().map(Arc::as_ptr));
            address(old) != address(new)
        };
        Memo::new_with_compare(move |_| self.state.with(|state| state.model.clone()), is_other)
    }

    /// As [`Self::watch`] without updates, for event handlers.
    pub fn read<T>(self, derive: impl Fn(&AppState) -> T) -> T {
        self.state.with_untracked(derive)
    }

    /// Applies an event to the state, then executes the actions that follow.
    pub fn send(self, event: Event) {
        focus::keep_near();
        let actions = self.state.try_update(|state| state.apply(event)).unwrap_or_default();
        for action in actions {
            self.execute(action);
        }
    }

    fn execute(self, action: Action) {
        match action {
            Action::ListModels => spawn_local(async move { self.send(Event::ModelsListed(list_models().await)) }),
            Action::StartWorker => self.start_worker(),
            Action::Load { request_id } => self.load_model(request_id),
            Action::Classify(request) | Action::Annotate(request) | Action::Map(request) => {
                self.send_to_worker(&request, self.photo().as_ref())
            }
            Action::StartOtherWorker => self.start_other_worker(),
            Action::WatchOtherStart(step) => spawn_local(self.watch_other_start(step)),
            Action::LoadOther { index, request_id } => self.load_other_model(index, request_id),
            Action::ClassifyByOther(request) => self.send_to_other_worker(&request, self.photo().as_ref()),
            Action::EndOtherWorker => self.end_other_worker(),
            Action::SendFile { index, request } => self.send_file(index, &request),
            Action::Search(request) => self.send_to_worker(&request, None),
            Action::StoreFeatureKeeping(keeps) => storage::features::store(keeps),
            Action::KeepFeatures(keeps) => self.keep_features(keeps),
            Action::ForgetFiles => self.forget_files(),
            Action::DecodePhoto(photo_id) => self.decode_photo(photo_id),
            Action::FetchSample(fetch) => spawn_local(self.fetch_sample(fetch)),
            Action::OpenCamera { opening, facing } => spawn_local(self.open_camera(opening, facing)),
            Action::CloseCamera => self.camera.close(),
            Action::StorePhoto => spawn_local(self.store_photo()),
            Action::StoreCrop => self.store_crop(),
            Action::DeletePhoto => self.delete_photo(),
            Action::ClearSuspicion => storage::photo::set_suspect(false),
            Action::StoreLabels(labels) => storage::labels::store(&labels),
            Action::WatchStart(step) => spawn_local(self.watch_start(step)),
            Action::StorePage => crate::document::dispatch("dermake:started"),
            Action::AvoidThreads => storage::avoid_threads(),
            Action::CheckVersion => spawn_local(async move {
                if is_page_replaced().await {
                    self.send(Event::PageReplaced);
                }
            }),
        }
    }
}

async fn list_models() -> Result<Vec<ModelEntry>> {
    http::get_json(&http::resolve("models", &base_url())?, what::MODEL_LIST).await
}
