//! A stand-in for the model hub: hf-hub's part of its protocol over a local folder, and the faults
//! that a network has.
//!
//! `ROOT/owner/name` is a model, `ROOT/owner/name@revision` another revision of it. Checkpoints are
//! answered as the hub answers large files: a redirect to a "CDN", with the SHA-256 in
//! `X-Linked-Etag`. Everything else comes at once, under a tag that says nothing of its content.

mod fault;
mod mirror;
mod models;
mod tls;

use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use axum::body::Body;
use axum::extract::{Path as Params, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use tower::ServiceExt;
use tower_http::services::ServeFile;

pub use fault::Fault;
pub use mirror::Mirror;
use models::Models;
use tls::{Identity, TlsListener};

/// A running stand-in; it stops when dropped.
pub struct StandinHub {
    pub url: String,
    /// In PEM form, of a stand-in behind TLS.
    pub certificate: Option<String>,
    hub: Arc<Hub>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// The name under which faults are injected into the listing of a model's files.
pub const LISTING: &str = "revision";

/// One request that came in.
#[derive(Debug, Clone)]
pub struct Seen {
    pub path: String,
    pub host: Option<String>,
    pub range: Option<String>,
    pub authorization: Option<String>,
}

struct Hub {
    models: Models,
    url: String,
    token: Mutex<Option<String>>,
    has_cdn: AtomicBool,
    faults: Mutex<Vec<(String, Fault)>>,
    seen: Mutex<Vec<Seen>>,
}

impl StandinHub {
    /// Starts on a free port of this machine.
    pub fn start(root: &Path) -> io::Result<Self> {
        Self::serve(root, Mirror::default(), None)
    }

    /// Starts behind TLS, with a certificate that nobody trusts.
    pub fn start_with_tls(root: &Path) -> io::Result<Self> {
        Self::serve(root, Mirror::default(), Some(Identity::new()))
    }

    /// Starts behind a mirror.
    pub fn start_behind(mirror: Mirror, root: &Path) -> io::Result<Self> {
        Self::serve(root, mirror, None)
    }

    fn serve(root: &Path, mirror: Mirror, identity: Option<Identity>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let scheme = if identity.is_some() { "https" } else { "http" };
        let address = format!("{scheme}://{}", listener.local_addr()?);
        let url = format!("{address}{}", mirror.prefix);
        let hub = Arc::new(Hub {
            models: Models::new(root),
            url: url.clone(),
            token: Mutex::default(),
            has_cdn: AtomicBool::new(true),
            faults: Mutex::default(),
            seen: Mutex::default(),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let hub_router = router(hub.clone());
        // Around the router, not in it: what a mirror does to a path counts before the routes do.
        let mirrored = from_fn_with_state((mirror, address), mirror::apply);
        let router = Router::new().fallback_service(hub_router).layer(mirrored);
        let certificate = identity.as_ref().map(|identity| identity.pem.clone());
        let thread = std::thread::spawn(move || {
            runtime
                .block_on(async {
                    let listener = tokio::net::TcpListener::from_std(listener)?;
                    let served = async {
                        match identity {
                            None => axum::serve(listener, router).await,
                            Some(Identity { acceptor, .. }) => {
                                axum::serve(TlsListener { listener, acceptor }, router).await
                            }
                        }
                    };
                    tokio::select! {
                        served = served => served,
                        _ = stopped => Ok(()),
                    }
                })
                .expect("the stand-in hub serves until it is stopped");
        });
        Ok(Self { url, certificate, hub, stop: Some(stop), thread: Some(thread) })
    }

    /// From now on the models' files are only for those who send this token.
    pub fn require_token(&self, token: &str) {
        *held(&self.hub.token) = Some(token.to_owned());
    }

    /// From now on, what redirects lead to is out of order.
    pub fn close_cdn(&self) {
        self.hub.has_cdn.store(false, Ordering::SeqCst);
    }

    /// Adds a fault for the next request for the bytes of a file of this name.
    pub fn inject(&self, file: &str, fault: Fault) {
        held(&self.hub.faults).push((file.to_owned(), fault));
    }

    /// The requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        held(&self.hub.seen).clone()
    }
}

impl Drop for StandinHub {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn router(hub: Arc<Hub>) -> Router {
    Router::new()
        .route("/api/models/{owner}/{name}/revision/{revision}", get(info))
        .route("/{owner}/{name}/resolve/{revision}/{file}", get(resolve))
        .route("/cdn/{owner}/{folder}/{file}", get(cdn))
        .layer(from_fn_with_state(hub.clone(), note))
        .with_state(hub)
}

/// Notes each request, as it reaches the hub behind its mirror.
async fn note(State(hub): State<Arc<Hub>>, request: Request, next: Next) -> Response {
    let text = |headers: &HeaderMap, name| Some(headers.get(name)?.to_str().ok()?.to_owned());
    held(&hub.seen).push(Seen {
        path: request.uri().path().to_owned(),
        host: text(request.headers(), header::HOST),
        range: text(request.headers(), header::RANGE),
        authorization: text(request.headers(), header::AUTHORIZATION),
    });
    next.run(request).await
}

/// `GET /api/models/OWNER/NAME/revision/REVISION`
async fn info(
    State(hub): State<Arc<Hub>>,
    Params((owner, name, revision)): Params<(String, String, String)>,
) -> Response {
    if let Some(fault) = hub.take_fault(Path::new(LISTING)) {
        return fault.spoil(Json(serde_json::json!({ "id": "a model without a commit" })).into_response());
    }
    let folder = match hub.models.folder(&owner, &name, &revision) {
        Ok(folder) => folder,
        Err(code) => return refusal(StatusCode::NOT_FOUND, code),
    };
    let siblings: Vec<_> = models::files(&folder)
        .iter()
        .filter_map(|path| path.file_name()?.to_str())
        .map(|name| serde_json::json!({ "rfilename": name }))
        .collect();
    let id = format!("{owner}/{name}");
    Json(serde_json::json!({ "id": id, "sha": hub.models.commit(&folder), "siblings": siblings })).into_response()
}

/// `GET /OWNER/NAME/resolve/REVISION/FILE`
async fn resolve(
    State(hub): State<Arc<Hub>>,
    Params((owner, name, revision, file)): Params<(String, String, String, String)>,
    request: Request,
) -> Response {
    let token = held(&hub.token).as_ref().map(|token| format!("Bearer {token}"));
    let sent = request.headers().get(header::AUTHORIZATION);
    if token.is_some() && sent.and_then(|sent| sent.to_str().ok()) != token.as_deref() {
        return refusal(StatusCode::UNAUTHORIZED, "GatedRepo");
    }
    let folder = match hub.models.folder(&owner, &name, &revision) {
        Ok(folder) => folder,
        Err(code) => return refusal(StatusCode::NOT_FOUND, code),
    };
    let path = folder.join(&file);
    if !path.is_file() {
        return refusal(StatusCode::NOT_FOUND, "EntryNotFound");
    }
    let sha256 = hub.models.sha256(&path);
    let mut headers = HeaderMap::new();
    headers.insert("x-repo-commit", text(&hub.models.commit(&folder)));
    if [".safetensors", ".bin", ".pt", ".pth"].iter().any(|ending| file.ends_with(ending)) {
        let folder = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let size = path.metadata().map(|metadata| metadata.len()).unwrap_or_default();
        headers.insert("x-linked-etag", text(&format!("\"{sha256}\"")));
        headers.insert("x-linked-size", HeaderValue::from(size));
        headers.insert(header::ETAG, text("\"of-the-redirect\""));
        headers.insert(header::LOCATION, text(&format!("{}/cdn/{owner}/{folder}/{file}", hub.url)));
        (StatusCode::FOUND, headers).into_response()
    } else {
        headers.insert(header::ETAG, text(&format!("\"{}\"", &sha256[..40])));
        let mut response = hub.bytes(&path, request).await;
        response.headers_mut().extend(headers);
        response
    }
}

/// Where the redirects of large files lead.
async fn cdn(
    State(hub): State<Arc<Hub>>,
    Params((owner, folder, file)): Params<(String, String, String)>,
    request: Request,
) -> Response {
    if !hub.has_cdn.load(Ordering::SeqCst) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    hub.bytes(&hub.models.root.join(owner).join(folder).join(file), request).await
}

fn refusal(status: StatusCode, code: &'static str) -> Response {
    (status, [("x-error-code", code)], Json(serde_json::json!({ "error": code }))).into_response()
}

fn text(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).expect("tags and addresses are plain text")
}

impl Hub {
    /// The file, or the range of it that was asked for, unless a fault is due. A question for the
    /// first byte only asks for the size, and is always answered well.
    async fn bytes(&self, path: &Path, mut request: Request) -> Response {
        let range = request.headers().get(header::RANGE);
        let asks_size = range.is_some_and(|range| range == "bytes=0-0");
        let fault = if asks_size { None } else { self.take_fault(path) };
        if let Some(Fault::RangeIgnored) = fault {
            request.headers_mut().remove(header::RANGE);
        }
        let served = ServeFile::new(path).oneshot(request).await;
        let answer = served.unwrap_or_else(|never| match never {}).map(Body::new);
        match fault {
            Some(fault) => fault.spoil(answer),
            None => answer,
        }
    }

    fn take_fault(&self, path: &Path) -> Option<Fault> {
        let mut faults = held(&self.faults);
        let index = faults.iter().position(|(file, _)| path.ends_with(file))?;
        Some(faults.remove(index).1)
    }
}

/// What a mutex guards here stays whole when another test's thread panics.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
