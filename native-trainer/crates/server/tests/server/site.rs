//! A page and a model on disk, and the router that serves them.

use super::demo::demo_model;
use super::*;
use axum::body::Bytes;
use dermake_server::{AccessOptions, InferOptions, Limits};

pub const INDEX: &str =
    "<!DOCTYPE html><script type=\"module\">import init from '/web-0123456789abcdef.js'</script>";
pub const SCRIPT: &str = "/web-0123456789abcdef.js";
pub const WASM: &str = "/web-0123456789abcdef_bg.wasm";
/// Content of the model's other files.
pub const OTHERS: &str = "others";
pub const WEIGHTS: &str = "/models/make%20q8/vision.safetensors";

/// A page and a quantized model on disk.
pub struct Site {
    pub folder: TempDir,
}

/// What the router answered.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Site {
    pub fn new() -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap() };
        let script = "export default () => 1;\n".repeat(200);
        site.write("app/index.html", INDEX);
        site.write(&format!("app{SCRIPT}"), &script);
        site.write(&format!("app{WASM}"), "\0asm");
        site.write("app/site.webmanifest", "{}");
        site.write("app/samples/one photo.png", "png");
        site.write("app/.hidden", "secret");
        site.write("secret.txt", "secret");
        site.write("make q8/vision.safetensors", &weights());
        site.write("make q8/others.bin", OTHERS);
        site.write("make q8/notes.txt", "not in the manifest");
        site.write("make q8/manifest.json", &manifest("vision.safetensors", weights().len()));
        site
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub fn write(&self, path: &str, content: &str) {
        fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        fs::write(self.path(path), content).unwrap();
    }

    pub fn config(&self) -> ServeConfig {
        ServeConfig {
            app: Some(self.path("app")),
            models: vec![self.path("make q8")],
            address: ([127, 0, 0, 1], 0).into(),
            infer: InferOptions::default(),
            limits: Limits::default(),
            access: AccessOptions::default(),
            tls: TlsOptions::default(),
        }
    }

    pub fn router(&self) -> Router {
        Server::new(&self.config()).unwrap().router()
    }

    /// Why the site does not start, causes included.
    pub fn complaint(&self) -> String {
        match Server::new(&self.config()) {
            Ok(_) => panic!("the site starts"),
            Err(error) => format!("{:#}", anyhow::Error::from(error)),
        }
    }

    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(Method::GET, path, headers).await
    }

    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        answer(self.router(), method, path, headers).await
    }
}

pub async fn answer(router: Router, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    Answer { status: parts.status, headers: parts.headers, body }
}

impl Answer {
    pub fn header(&self, name: impl AsRef<str>) -> &str {
        self.headers.get(name.as_ref()).map_or("", |value| value.to_str().unwrap())
    }
}

pub fn weights() -> String {
    "0123456789".repeat(100)
}

/// The manifest of a model whose vision tower is this file; `others.bin` plays the other parts.
pub fn manifest(file: &str, bytes: usize) -> String {
    let json = fs::read_to_string(demo_model().join("manifest.json")).unwrap();
    let mut manifest: serde_json::Value = serde_json::from_str(&json).unwrap();
    let other = |role: &str| manifest_file(role, "others.bin", OTHERS.len(), &sha256(OTHERS));
    let vision = manifest_file("vision", file, bytes, &sha256(weights()));
    manifest["name"] = "MAKE, eight bits".into();
    manifest["label_sets"] = serde_json::json!([]);
    manifest["files"] = serde_json::json!([vision, other("text"), other("classifiers"), other("tokenizer")]);
    manifest.to_string()
}

fn manifest_file(role: &str, file: &str, bytes: usize, sha256: &str) -> serde_json::Value {
    serde_json::json!({ "role": role, "file": file, "bytes": bytes, "sha256": sha256 })
}

pub fn sha256(content: impl AsRef<[u8]>) -> String {
    format!("{:x}", Sha256::digest(content))
}
