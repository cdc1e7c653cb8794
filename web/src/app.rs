//! The page: its layout, and the doing of what `state.rs` decides.

use crate::components::{ImagePicker, LabelEditor, Predictions};
use crate::error::{Error, Result};
use crate::http;
use crate::state::{Action, AppState, Event, NewPhoto, START_SECS, SampleFetch, StartStep, beside_page};
use crate::storage;
use crate::time::pause;
use crate::worker::link::{Heard, Link};
use crate::worker::protocol::{Envelope, PhotoId, Reply, Request, RequestId};
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_model::api::ModelEntry;
use wasm_bindgen::JsCast;
use web_sys::{Blob, BlobPropertyBag, File, HtmlMetaElement, RequestCache, Url};

/// What the page's program does.
pub fn start() {
    console_error_panic_hook::set_once();
    // `boot.js` has already said what is missing.
    if document().document_element().is_some_and(|root| root.has_attribute("data-unsupported")) {
        return;
    }
    if let Some(boot) = document().get_element_by_id("boot") {
        boot.remove();
    }
    mount_to_body(Page);
}

/// The sample pictures of `shared-model/data/samples`, and what they show.
pub const SAMPLES: [(&str, &str); 3] = [
    ("sample-1.jpg", "a round brown spot"),
    ("sample-2.jpg", "an irregular dark lesion"),
    ("sample-3.jpg", "a scaly plaque"),
];

/// What every component needs: the state to draw, and where its events go.
#[derive(Clone, Copy)]
pub struct App {
    state: RwSignal<AppState>,
    /// Address of the photo's preview for an `img`, once the worker made it.
    pub preview_url: RwSignal<Option<String>>,
    browser: StoredValue<Browser, LocalStorage>,
}

/// What of the browser is in use.
#[derive(Default)]
struct Browser {
    link: Option<Link>,
    photo: Option<Blob>,
}

impl App {
    fn new() -> Self {
        Self {
            state: RwSignal::new(AppState::default()),
            preview_url: RwSignal::new(None),
            browser: StoredValue::new_local(Browser::default()),
        }
    }

    /// Something of the state, to be drawn anew when it changes.
    pub fn watch<T>(self, look: impl Fn(&AppState) -> T + Send + Sync + 'static) -> Memo<T>
    where
        T: PartialEq + Send + Sync + 'static,
    {
        Memo::new(move |_| self.state.with(&look))
    }

    /// Lets an event happen, with all that follows from it.
    pub fn send(self, event: Event) {
        let actions = self.state.try_update(|state| state.apply(event)).unwrap_or_default();
        for action in actions {
            self.perform(action);
        }
    }

    /// Takes a file as the photo.
    pub fn choose(self, file: &File, photo: NewPhoto) {
        self.take(file);
        self.send(Event::PhotoChosen(photo));
    }

    fn take(self, photo: &Blob) {
        self.show(None);
        self.browser.update_value(|browser| browser.photo = Some(photo.clone()));
    }

    fn show(self, preview: Option<&Blob>) {
        let url = preview.and_then(|preview| Url::create_object_url_with_blob(preview).ok());
        if let Some(old) = self.preview_url.try_update(|shown| std::mem::replace(shown, url)).flatten() {
            // It was made here, so it can be revoked.
            let _ = Url::revoke_object_url(&old);
        }
    }

    fn perform(self, action: Action) {
        match action {
            Action::ListModels => spawn_local(async move { self.send(Event::ModelsListed(list_models().await)) }),
            Action::StartWorker => self.start_worker(),
            Action::Load { request_id } => match self.load_request() {
                Ok(body) => self.ask(&Envelope { request_id, body }, None),
                Err(error) => self.hear_failure(request_id, error),
            },
            Action::Classify(request) => self.ask(&request, self.photo().as_ref()),
            Action::OpenPhoto(photo_id) => {
                let request = Envelope { request_id: 0, body: Request::OpenPhoto { photo_id } };
                self.ask(&request, self.photo().as_ref());
            }
            Action::FetchSample(fetch) => spawn_local(self.bring_sample(fetch)),
            Action::KeepPhoto => spawn_local(self.keep_photo()),
            Action::ForgetPhoto => {
                self.show(None);
                self.browser.update_value(|browser| browser.photo = None);
                spawn_local(storage::photo::forget());
            }
            Action::KeepLabels(labels) => storage::labels::save(&labels),
            Action::WatchStart(step) => spawn_local(self.watch_start(step)),
            Action::KeepPage => announce("dermake:started"),
            Action::AvoidThreads => avoid_threads(),
            Action::CheckVersion => spawn_local(async move {
                if is_page_replaced().await {
                    self.send(Event::PageReplaced);
                }
            }),
        }
    }

    fn photo(self) -> Option<Blob> {
        self.browser.with_value(|browser| browser.photo.clone())
    }

    /// The id that the photo on the screen has.
    fn photo_id(self) -> Option<PhotoId> {
        self.state.with_untracked(|state| Some(state.photo.as_ref()?.id))
    }

    async fn keep_photo(self) {
        let photo = self.state.with_untracked(|state| state.photo.clone());
        let (Some(photo), Some(file)) = (photo, self.photo()) else { return };
        let is_shown = || self.photo_id() == Some(photo.id);
        // The file itself may change or vanish, while another model is still to look at it.
        let Some(copy) = storage::photo::copy(&file).await.filter(|_| is_shown()) else { return };
        self.browser.update_value(|browser| browser.photo = Some(copy.clone()));
        storage::photo::keep(&copy, &photo.name, is_shown).await;
    }

    async fn restore_photo(self) {
        let Some((photo, name)) = storage::photo::restore().await else { return };
        if self.state.with_untracked(AppState::may_restore_photo) {
            self.take(&photo);
            self.send(Event::PhotoRestored(NewPhoto { name, n_others: 0 }));
        }
    }

    fn start_worker(self) {
        self.browser.update_value(|browser| browser.link = None);
        let (build, step) =
            self.state.with_untracked(|state| (state.build().map(str::to_string), state.start_step()));
        let started = worker_url(build).and_then(|url| Link::start(&url, move |heard| self.hear(heard)));
        match started {
            Ok(link) => {
                self.browser.update_value(|browser| browser.link = Some(link));
                spawn_local(self.watch_start(step));
            }
            Err(detail) => self.send(Event::WorkerLost(detail)),
        }
    }

    fn hear(self, heard: Heard) {
        match heard {
            Ok((reply, picture)) => {
                if let Reply::PhotoOpened { photo_id } = reply.body
                    && self.photo_id() == Some(photo_id)
                {
                    self.show(picture.as_ref());
                }
                self.send(Event::FromWorker(reply));
            }
            Err(detail) => self.send(Event::WorkerLost(detail)),
        }
    }

    async fn watch_start(self, step: StartStep) {
        // Second by second: time in which the machine slept is not counted.
        for _ in 0..START_SECS {
            pause(1_000).await;
            if !self.state.with_untracked(|state| state.awaits_start(step)) {
                return;
            }
        }
        self.send(Event::StartOverdue(step));
    }

    fn load_request(self) -> Result<Request> {
        self.state.with_untracked(|state| {
            let folder = page_folder()?;
            let absolute = |url: &String| http::resolve(beside_page(url, &folder), &base_url());
            let chosen = state.chosen_entry().ok_or(Error::NoModel)?;
            let classify_url = chosen.classify.as_ref().filter(|_| state.is_on_server).map(absolute).transpose()?;
            let mut urls =
                state.models.iter().map(|entry| absolute(&entry.manifest)).collect::<Result<Vec<_>>>()?;
            let manifest_url = urls.remove(state.chosen_model);
            Ok(Request::Load { manifest_url, other_manifest_urls: urls, classify_url })
        })
    }

    fn ask(self, request: &Envelope<Request>, photo: Option<&Blob>) {
        let asked = self.browser.with_value(|browser| match &browser.link {
            Some(link) => link.ask(request, photo),
            None => Err("it is not running".into()),
        });
        if let Err(detail) = asked {
            self.send(Event::WorkerLost(detail));
        }
    }

    fn hear_failure(self, request_id: RequestId, error: Error) {
        self.send(Event::FromWorker(Envelope { request_id, body: Reply::Failed { error } }));
    }

    async fn bring_sample(self, fetch: SampleFetch) {
        let fetched = fetch_sample(fetch.sample).await;
        let name = fetched.map(|(name, photo)| {
            if self.state.with_untracked(|state| state.awaits(fetch)) {
                self.take(&photo);
            }
            name
        });
        self.send(Event::SampleFetched(fetch, name));
    }
}

async fn list_models() -> Result<Vec<ModelEntry>> {
    http::get_json(&http::resolve("models", &base_url())?, "the list of models").await
}

async fn fetch_sample(sample: usize) -> Result<(String, Blob)> {
    let what = "the sample";
    let (name, _) = SAMPLES.get(sample).ok_or_else(|| Error::Refused { what: what.into(), status: 404 })?;
    let url = http::resolve(&format!("samples/{name}"), &base_url())?;
    let response = http::get(&url, RequestCache::Default, what).await?;
    let content = http::bytes(&response, what).await?;
    let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(content.as_slice()));
    let options = BlobPropertyBag::new();
    options.set_type("image/jpeg");
    let photo = Blob::new_with_u8_array_sequence_and_options(&parts, &options)
        .map_err(|_| Error::OutOfMemory { what: what.into() })?;
    Ok((name.to_string(), photo))
}

/// The server that the page came from, as the visitor knows it.
pub fn server_name() -> String {
    window().location().host().unwrap_or_default()
}

fn base_url() -> String {
    document().base_uri().ok().flatten().unwrap_or_default()
}

/// The path of the folder that the page is in.
fn page_folder() -> Result<String> {
    let folder = http::resolve("./", &base_url())?;
    web_sys::Url::new(&folder).map(|url| url.pathname()).map_err(|_| Error::unusable(folder))
}

/// The worker's script: the page's build wrote its version into the page, and boot.js which builds this browser may run.
fn worker_url(build: Option<String>) -> Result<String, String> {
    let script = meta("worker").ok_or("the page does not name its program")?;
    let build = build.ok_or("the page has not chosen a program")?;
    let script = script.replace("BUILD", &build);
    if let Some(root) = document().document_element() {
        // For boot.js and for tests; nothing else depends on it.
        let _ = root.set_attribute("data-build", &build);
    }
    // Of the page's query only this concerns the program: any other would hide it from what is kept under its name.
    let query = window().location().search().unwrap_or_default();
    let threads = query.trim_start_matches('?').split('&').find(|part| part.starts_with("threads="));
    let query = threads.map(|threads| format!("?{threads}")).unwrap_or_default();
    http::resolve(&format!("{script}{query}"), &base_url()).map_err(|err| err.to_string())
}

/// What the page's build, or boot.js, has written into the page.
fn meta(name: &str) -> Option<String> {
    let meta = document().query_selector(&format!("meta[name={name}]")).ok().flatten()?;
    Some(meta.dyn_into::<HtmlMetaElement>().ok()?.content())
}

fn builds() -> Vec<String> {
    let builds = document().document_element().and_then(|root| root.get_attribute("data-builds"));
    builds.unwrap_or_default().split_whitespace().map(str::to_string).collect()
}

/// Whether the server has another version of this page by now.
async fn is_page_replaced() -> bool {
    let (Some(version), Ok(url)) = (meta("version"), http::resolve("index.html", &base_url())) else {
        return false;
    };
    let page = http::get_page(&url).await;
    page.is_ok_and(|page| page.contains("name=\"version\"") && !page.contains(&version))
}

/// Tells boot.js.
fn announce(event: &str) {
    if let Ok(event) = web_sys::Event::new(event) {
        // Whether anyone prevents its default does not matter.
        let _ = window().dispatch_event(&event);
    }
}

/// Where storage is blocked, the next visit tries threads again.
fn avoid_threads() {
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = storage.set_item("dermake-threads-failed", &js_sys::Date::now().to_string());
    }
}

/// Loads the page again, as the browser's own button does.
pub fn reload_page() {
    // It fails only where a page may not navigate, as in a sandboxed frame.
    let _ = window().location().reload();
}

#[component]
fn Page() -> impl IntoView {
    let app = App::new();
    if let Some(labels) = storage::labels::load() {
        app.send(Event::LabelsRestored(labels));
    }
    app.send(Event::PageOpened { builds: builds() });
    spawn_local(app.restore_photo());
    let own_labels_work_offline = app.watch(|state| state.own_labels_work_offline());
    let works_offline = app.watch(|state| state.works_offline());
    let is_on_server = app.watch(|state| state.is_on_server);
    if document().document_element().is_some_and(|root| root.has_attribute("data-kept")) {
        app.send(Event::PageKept);
    }
    window_event_listener_untyped("dermake:kept", move |_| app.send(Event::PageKept));
    view! {
        <header>
            <h1>"Dermake"</h1>
            <p>"Names what a skin photo looks like, among labels you choose."</p>
            <p class="disclaimer" data-testid="disclaimer">
                <strong>"Research software, not a medical device."</strong>
                " It gives no diagnosis: if something on your skin worries you, show it to a doctor. "
                <strong>
                    {move || match is_on_server.get() {
                        false => "The photo stays on this device.".into(),
                        true => format!("The photo is sent to {}.", server_name()),
                    }}
                </strong>
            </p>
        </header>
        <main>
            <ImagePicker app/>
            <div class="answers">
                <LabelEditor app/>
                <Predictions app/>
            </div>
        </main>
        <footer>
            <p>
                {move || match is_on_server.get() {
                    false => {
                        "The model runs in this browser. Nothing but its own files is fetched, and nothing is sent anywhere."
                    }
                    true => "The model runs on the server, as you chose: what it looks at of each photo is sent there.",
                }}
                " So that loading the page again loses nothing, it keeps on this device your labels and, until its tab is \
                 closed or you remove it, the photo."
            </p>
            <Show when=move || works_offline.get()>
                <p data-testid="offline-ready">
                    {move || match own_labels_work_offline.get() {
                        true => "Kept on this device: this page now works offline.",
                        false => {
                            "Kept on this device: this page now works offline, except for labels of your own: what they \
                             need is fetched when you first use some."
                        }
                    }}
                </p>
            </Show>
        </footer>
    }
}
