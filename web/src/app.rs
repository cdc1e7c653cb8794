//! The page: its layout, and the doing of what `state.rs` decides.

use crate::components::{ImagePicker, LabelEditor, Predictions};
use crate::error::{Error, Result};
use crate::http;
use crate::state::{Action, AppState, Event, ModelEntry, SampleFetch};
use crate::worker::link::Link;
use crate::worker::protocol::{Envelope, Reply, Request, RequestId};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, File, HtmlMetaElement, RequestCache, Url};

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

/// The sample pictures of `static/samples`, and what they show.
pub const SAMPLES: [(&str, &str); 3] = [
    ("sample-1.jpg", "a round brown spot"),
    ("sample-2.jpg", "an irregular dark lesion"),
    ("sample-3.jpg", "a scaly plaque"),
];

/// What every component needs: the state to draw, and where its events go.
#[derive(Clone, Copy)]
pub struct App {
    state: RwSignal<AppState>,
    /// Address of the photo for an `img`.
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
    pub fn choose(self, file: &File) {
        self.show(file);
        self.send(Event::PhotoChosen(file.name()));
    }

    fn show(self, photo: &Blob) {
        let url = Url::create_object_url_with_blob(photo).ok();
        if let Some(old) = self.preview_url.try_update(|shown| std::mem::replace(shown, url)).flatten() {
            // It was made here, so it can be revoked.
            let _ = Url::revoke_object_url(&old);
        }
        self.browser.update_value(|browser| browser.photo = Some(photo.clone()));
    }

    fn perform(self, action: Action) {
        match action {
            Action::ListModels => spawn_local(async move { self.send(Event::ModelsListed(list_models().await)) }),
            Action::StartWorker => self.start_worker(),
            Action::Load { request_id } => match self.load_request() {
                Ok(body) => self.ask(&Envelope { request_id, body }, None),
                Err(error) => self.hear_failure(request_id, error),
            },
            Action::Classify(request) => {
                let photo = self.browser.with_value(|browser| browser.photo.clone());
                self.ask(&request, photo.as_ref());
            }
            Action::FetchSample(fetch) => spawn_local(self.bring_sample(fetch)),
        }
    }

    fn start_worker(self) {
        self.browser.update_value(|browser| browser.link = None);
        let started = worker_url().and_then(|url| {
            Link::start(&url, move |heard| match heard {
                Ok(reply) => self.send(Event::FromWorker(reply)),
                Err(detail) => self.send(Event::WorkerLost(detail)),
            })
        });
        match started {
            Ok(link) => self.browser.update_value(|browser| browser.link = Some(link)),
            Err(detail) => self.send(Event::WorkerLost(detail)),
        }
    }

    fn load_request(self) -> Result<Request> {
        self.state.with_untracked(|state| {
            let absolute = |url: &String| http::resolve(url, &base_url());
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
                self.show(&photo);
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
    let broken = |_| Error::Unreachable { what: what.into() };
    let photo = JsFuture::from(response.blob().map_err(broken)?).await.map_err(broken)?;
    Ok((name.to_string(), photo.dyn_into().map_err(broken)?))
}

/// The server that the page came from, as the visitor knows it.
pub fn server_name() -> String {
    window().location().host().unwrap_or_default()
}

fn base_url() -> String {
    document().base_uri().ok().flatten().unwrap_or_default()
}

/// The worker's script: the page's build wrote its version into the page, and boot.js which build this browser runs.
fn worker_url() -> Result<String, String> {
    let meta = document().query_selector("meta[name=worker]").ok().flatten();
    let meta = meta.and_then(|meta| meta.dyn_into::<HtmlMetaElement>().ok());
    let script = meta.map(|meta| meta.content()).ok_or("the page does not name its program")?;
    let build = document().document_element().and_then(|root| root.get_attribute("data-build"));
    let script = script.replace("BUILD", &build.ok_or("the page has not chosen a program")?);
    let query = window().location().search().unwrap_or_default();
    http::resolve(&format!("{script}{query}"), &base_url()).map_err(|err| err.to_string())
}

#[component]
fn Page() -> impl IntoView {
    let app = App::new();
    app.send(Event::PageOpened);
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
        </header>
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
            </p>
            <Show when=move || works_offline.get()>
                <p data-testid="offline-ready">"Kept on this device: this page now works offline."</p>
            </Show>
        </footer>
    }
}
