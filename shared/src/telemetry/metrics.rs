//! Metrics in CloudWatch's embedded format: a log line that CloudWatch counts while it stores it, so counting costs no request.
//!
//! An event of target `metrics` is one such line. Its numbers that stand in [`METRICS`] are counted, by the dimensions that stand there and
//! no others: each distinct value of a dimension is a metric that is paid for. A country is one of 250 and a rule one of a
//! constant list; tenants and applications have no end, so they are in the line, where Logs Insights sums them up, and are no dimensions.

use serde_json::{Map, Value, json};
use std::fmt;
use std::io::Write;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    pub name: &'static str,
    /// One of CloudWatch's units.
    pub unit: &'static str,
    /// Each set of dimensions that it is counted by.
    pub dimensions: &'static [&'static [&'static str]],
}

/// In all, and by country.
const BY_COUNTRY: &[&[&str]] = &[&[], &["Country"]];

/// Every metric of the service. The dashboard and the alarms in infra/operations.yaml use these and no others; a test compares.
pub const METRICS: [Metric; 6] = [
    Metric { name: "MessagesSent", unit: "Count", dimensions: BY_COUNTRY },
    Metric { name: "MessagesFailed", unit: "Count", dimensions: BY_COUNTRY },
    Metric { name: "MessagesUnknown", unit: "Count", dimensions: BY_COUNTRY },
    Metric { name: "EstimatedSpendUsd", unit: "None", dimensions: BY_COUNTRY },
    Metric { name: "CodesVerified", unit: "Count", dimensions: BY_COUNTRY },
    Metric { name: "Refusals", unit: "Count", dimensions: &[&[], &["Rule"]] },
];

/// The target of the events that are metrics.
const TARGET: &str = "metrics";

/// Writes a line for each event of target `metrics`, whatever the log's level is.
///
/// The filter is there for what it keeps away: a layer without one asks for every event and span of every crate, and the SDK's have whole
/// requests to write out.
pub fn layer<S, W>(namespace: String, writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let ours = filter_fn(|event| event.target() == TARGET).with_max_level_hint(LevelFilter::INFO);
    Metrics { namespace, writer }.with_filter(ours)
}

struct Metrics<W> {
    namespace: String,
    writer: W,
}

impl<S, W> Layer<S> for Metrics<W>
where
    S: Subscriber,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let line = self.line(fields.0);
        // A metric that can't be written is lost; the request that it counts is not.
        let _ = writeln!(self.writer.make_writer(), "{line}");
    }
}

impl<W> Metrics<W> {
    fn line(&self, mut members: Map<String, Value>) -> Value {
        let at = members.remove("at").unwrap_or(json!(0));
        let counted: Vec<&Metric> = METRICS.iter().filter(|it| members.contains_key(it.name)).collect();
        // Metrics of one event are counted alike: their dimensions are those of the first.
        let dimensions = counted.first().map_or(&[][..], |metric| metric.dimensions);
        let of_metric = |metric: &&Metric| json!({ "Name": metric.name, "Unit": metric.unit });
        let metadata = json!({
            "Timestamp": at,
            "CloudWatchMetrics": [{
                "Namespace": self.namespace,
                "Dimensions": dimensions,
                "Metrics": counted.iter().map(of_metric).collect::<Vec<_>>(),
            }],
        });
        members.insert("_aws".to_owned(), metadata);
        Value::Object(members)
    }
}

#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn add(&mut self, field: &Field, value: Value) {
        self.0.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, json!(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, json!(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, json!(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, json!(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, json!(format!("{value:?}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::layer::SubscriberExt;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines(events: impl FnOnce()) -> Vec<Value> {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let subscriber =
            tracing_subscriber::registry().with(layer("mfa/test".to_owned(), move || writer.clone()));
        tracing::subscriber::with_default(subscriber, events);
        let bytes = buffer.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn an_event_is_one_line_that_cloudwatch_counts() {
        let lines = lines(|| {
            tracing::info!(target: "metrics", at = 1_700_000_000_000_i64, MessagesSent = 1, EstimatedSpendUsd = 0.01, Country = "US", Tenant = %"ten_1");
            tracing::info!("no metric");
        });
        let [line] = &lines[..] else { panic!("{lines:?}") };
        let wanted = json!({
            "_aws": {
                "Timestamp": 1_700_000_000_000_i64,
                "CloudWatchMetrics": [{
                    "Namespace": "mfa/test",
                    "Dimensions": [[], ["Country"]],
                    "Metrics": [
                        { "Name": "MessagesSent", "Unit": "Count" },
                        { "Name": "EstimatedSpendUsd", "Unit": "None" },
                    ],
                }],
            },
            "MessagesSent": 1, "EstimatedSpendUsd": 0.01, "Country": "US", "Tenant": "ten_1",
        });
        assert_eq!(*line, wanted);
    }

    #[test]
    fn only_countries_and_rules_are_dimensions() {
        let dimensions = METRICS.iter().flat_map(|metric| metric.dimensions).flat_map(|set| set.iter());
        assert!(dimensions.into_iter().all(|name| ["Country", "Rule"].contains(name)));
    }
}
