//! Metrics in the text format of Prometheus. They have no label, name or photo of a visitor.

use std::fmt::Write;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// The type of [`Metrics::text`].
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Answered {
    /// The pattern of the address, as in `/models/{folder}/{file}`.
    route: String,
    status: u16,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Kind {
    kind: BatchKind,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Waiting {
    model: String,
    kind: BatchKind,
}

/// Kind of a batch.
#[derive(Debug, Clone, Copy, Hash, PartialEq, Eq, EncodeLabelValue)]
pub(super) enum BatchKind {
    Images,
    Texts,
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// All metrics of one server.
pub(super) struct Metrics {
    registry: Registry,
    answered: Family<Answered, Counter>,
    request_seconds: Histograms<Route>,
    batch_size: Histograms<Kind>,
    batch_seconds: Histograms<Kind>,
    waiting: Family<Waiting, Gauge>,
    pub(super) connections: Gauge,
    pub(super) refused_connections: Counter,
    abandoned: Gauge,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("dermake");
        let answered = Family::default();
        registry.register("requests", "Requests answered, by route and status", answered.clone());
        let request_seconds = Histograms::new_with_constructor(seconds);
        let help = "From a request's head to the head of its answer";
        registry.register_with_unit("request", help, Unit::Seconds, request_seconds.clone());
        let batch_size = Histograms::new_with_constructor(sizes);
        registry.register("batch_size", "Images or texts that went through a model together", batch_size.clone());
        let batch_seconds = Histograms::new_with_constructor(seconds);
        registry.register_with_unit("batch", "A batch in a model", Unit::Seconds, batch_seconds.clone());
        let waiting = Family::default();
        registry.register("waiting", "Images or texts that wait for a model", waiting.clone());
        let connections = Gauge::default();
        registry.register("connections", "Open connections", connections.clone());
        let refused_connections = Counter::default();
        let help = "Connections closed at once, as too many were open";
        registry.register("refused_connections", help, refused_connections.clone());
        let abandoned = Gauge::default();
        let help = "Images and texts so far that were dropped uncomputed, as nobody waited for them any more";
        registry.register("abandoned", help, abandoned.clone());
        Self {
            registry,
            answered,
            request_seconds,
            batch_size,
            batch_seconds,
            waiting,
            connections,
            refused_connections,
            abandoned,
        }
    }

    pub(super) fn count_answer(&self, route: &str, status: u16, took: Duration) {
        self.answered.get_or_create(&Answered { route: route.to_owned(), status }).inc();
        self.request_seconds.get_or_create(&Route { route: route.to_owned() }).observe(took.as_secs_f64());
    }

    pub(super) fn count_batch(&self, kind: BatchKind, size: usize, took: Duration) {
        self.batch_size.get_or_create(&Kind { kind }).observe(size as f64);
        self.batch_seconds.get_or_create(&Kind { kind }).observe(took.as_secs_f64());
    }

    /// Sets how many images and texts wait, by the name of each model that answers.
    pub(super) fn set_waiting(&self, lengths: impl Iterator<Item = (String, (usize, usize))>) {
        self.waiting.clear(); // of models that are gone
        for (model, (images, texts)) in lengths {
            for (kind, n) in [(BatchKind::Images, images), (BatchKind::Texts, texts)] {
                self.waiting.get_or_create(&Waiting { model: model.clone(), kind }).set(n as i64);
            }
        }
    }

    pub(super) fn set_abandoned(&self, n: u64) {
        self.abandoned.set(i64::try_from(n).unwrap_or(i64::MAX));
    }

    /// All counts.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        if let Err(err) = encode(&mut text, &self.registry) {
            tracing::error!("the counts cannot be written: {err}");
            writeln!(text, "# EOF").ok();
        }
        text
    }
}

fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.002, 2.0, 15)) // to 33 s
}

fn sizes() -> Histogram {
    Histogram::new(exponential_buckets(1.0, 2.0, 9)) // to 256
}
