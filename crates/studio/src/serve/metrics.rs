//! `GET /metrics`: counters and times for Prometheus.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::Service;
use crate::errors::{Answer, Failure};

type Labels = Vec<(&'static str, String)>;

/// The metrics of the service.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    seconds: Histogram,
    images: Counter,
    batches: Counter,
    refused: Counter,
    waiting: Gauge<i64>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("faussaire");
        let requests = Family::<Labels, Counter>::default();
        let seconds = Histogram::new(exponential_buckets(0.001, 2.0, 16));
        let [images, batches, refused] = [(); 3].map(|()| <Counter>::default());
        let waiting = Gauge::<i64>::default();
        registry.register("requests", "Requests, by path and status", requests.clone());
        registry.register_with_unit("generate", "Time to answer /generate", Unit::Seconds, seconds.clone());
        registry.register("images", "Images generated", images.clone());
        registry.register("batches", "Batches computed", batches.clone());
        registry.register("refused", "Requests refused because the queue was full", refused.clone());
        registry.register("queue_length", "Parts of requests in the queue or in work", waiting.clone());
        Self { registry, requests, seconds, images, batches, refused, waiting }
    }

    pub(super) fn request(&self, path: &str, status: u16, took: Duration) {
        self.requests.get_or_create(&vec![("path", path.to_owned()), ("status", status.to_string())]).inc();
        if path == "/generate" {
            self.seconds.observe(took.as_secs_f64());
        }
    }
}

/// Handles `GET /metrics`.
pub(super) async fn metrics(State(service): State<Arc<Service>>) -> Answer<Response> {
    let (metrics, stats) = (&service.metrics, service.engine.stats());
    for (counter, count) in
        [(&metrics.images, &stats.images), (&metrics.batches, &stats.batches), (&metrics.refused, &stats.refused)]
    {
        counter.inner().store(count.load(Ordering::Relaxed), Ordering::Relaxed);
    }
    metrics.waiting.set(i64::try_from(stats.waiting.load(Ordering::Relaxed)).unwrap_or(i64::MAX));
    let mut text = String::new();
    encode(&mut text, &metrics.registry).map_err(|e| Failure::internal(e.to_string()))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
