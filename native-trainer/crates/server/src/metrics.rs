//! Metrics in the text format of Prometheus. They have no label, name or photo of a visitor.

use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
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
    /// Held while the counts are read.
    reading: Mutex<()>,
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
            reading: Mutex::new(()),
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

    /// All counts, with those that the models keep: how many images and texts wait, by the name of each model that
    /// answers, and how many were dropped.
    pub(super) fn text(&self, waiting: impl Iterator<Item = (String, (usize, usize))>, abandoned: u64) -> String {
        // Otherwise a second request may clear what this one has set.
        let _is_alone = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        self.waiting.clear(); // of models that are gone
        for (model, (images, texts)) in waiting {
            for (kind, n) in [(BatchKind::Images, images), (BatchKind::Texts, texts)] {
                self.waiting.get_or_create(&Waiting { model: model.clone(), kind }).set(n as i64);
            }
        }
        self.abandoned.set(i64::try_from(abandoned).unwrap_or(i64::MAX));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_at_the_same_time_see_all_counts() {
        let metrics = Metrics::new();
        let lengths = || (0..20).map(|model| (format!("m{model}"), (model, 0)));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let text = metrics.text(lengths(), 0);
                        assert_eq!(text.lines().filter(|line| line.starts_with("dermake_waiting{")).count(), 40);
                        assert!(text.contains("dermake_waiting{model=\"m19\",kind=\"Images\"} 19\n"), "{text}");
                    }
                });
            }
        });
    }
}
