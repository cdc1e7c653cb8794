//! A server that runs, with the demo model behind it, and what a client sends it.

use super::demo::{demo_model, photo};
use super::*;
use serde_json::Value;
use std::net::TcpListener;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// A server on a free port; it stops when it is told, or dropped.
pub struct Running {
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    _site: Site,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Running {
    /// The demo model with these changes to the usual options.
    pub fn with(change: impl FnOnce(&mut ServeConfig)) -> Self {
        let site = Site::new();
        let mut config = ServeConfig { models: vec![demo_model()], ..site.config() };
        config.infer.device = Some("cpu".parse().unwrap());
        change(&mut config);
        let server = Server::new(&config).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                server.serve_until(listener, async { stopped.await.unwrap_or(()) }).await;
            });
        });
        Self { address, stop: Some(stop), thread: Some(thread), _site: site }
    }

    /// Begins to stop; [`Drop`] waits for the end.
    pub fn stop(&mut self) {
        drop(self.stop.take());
    }

    pub fn post(&self, path: &str, content_type: &str, body: impl AsRef<[u8]>) -> Reply {
        self.send(path, &[("content-type", content_type)], body.as_ref())
    }

    pub fn post_photo(&self, path: &str, index: usize) -> Reply {
        self.post(path, "image/jpeg", photo(index))
    }

    /// A form of `(name, content)`.
    pub fn post_form(&self, path: &str, fields: &[(&str, &[u8])]) -> Reply {
        let mut body = Vec::new();
        for (name, content) in fields {
            body.extend(format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").bytes());
            body.extend(*content);
            body.extend(b"\r\n");
        }
        body.extend(b"--x--\r\n");
        self.post(path, "multipart/form-data; boundary=x", body)
    }

    pub fn send(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut request = agent().post(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        reply(request.send(body).unwrap())
    }

    pub fn options(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        let mut request = agent().options(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        reply(request.call().unwrap())
    }

    pub fn get(&self, path: &str) -> Reply {
        reply(agent().get(self.url(path)).call().unwrap())
    }

    /// The sum of a count in `/metrics`, over those of its labels that contain `labels`.
    pub fn count(&self, name: &str, labels: &str) -> f64 {
        let counts = self.get("/metrics").body;
        let lines = counts.as_str().unwrap().lines();
        let wanted = lines.filter(|line| line.starts_with(&format!("dermake_{name}")) && line.contains(labels));
        wanted.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    }

    /// Reads a count until it is as expected; panics after a minute.
    pub fn wait_for(&self, name: &str, labels: &str, expected: f64) {
        let started = std::time::Instant::now();
        while self.count(name, labels) != expected {
            assert!(started.elapsed().as_secs() < 60, "{name} {labels} was never {expected}");
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
        let ended = self.thread.take().unwrap().join();
        if !std::thread::panicking() {
            ended.unwrap();
        }
    }
}

impl Reply {
    pub fn code(&self) -> &str {
        assert!(self.body["message"].is_string(), "{self:?}");
        self.body["code"].as_str().unwrap()
    }

    /// `(label, probability)`, likeliest first.
    pub fn predictions(&self) -> Vec<(String, f64)> {
        assert_eq!(self.status, 200, "{self:?}");
        let prediction = |p: &Value| (p["label"].as_str().unwrap().to_owned(), p["probability"].as_f64().unwrap());
        self.body["predictions"].as_array().unwrap().iter().map(prediction).collect()
    }

    /// Numbers in lists, as one list.
    pub fn numbers(&self, field: &str) -> Vec<f64> {
        assert_eq!(self.status, 200, "{self:?}");
        let rows = self.body[field].as_array().unwrap();
        rows.iter().flat_map(|row| row.as_array().unwrap()).map(|value| value.as_f64().unwrap()).collect()
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

fn reply(response: ureq::http::Response<ureq::Body>) -> Reply {
    let (head, mut body) = response.into_parts();
    let text = body.read_to_string().unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Reply { status: head.status.as_u16(), headers: head.headers, body }
}
