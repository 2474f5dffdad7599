//! `CloudWatch` metrics in the Embedded Metric Format: what becomes of alerts, counted from what the pipeline logs.
//!
//! Invariant: a line has figures, the function's name and at most one word of our own beside it: a reason or a receiver
//! kind. No label, no name out of an alert or a config, and no secret gets into one. What is not known here is not
//! counted. A decision that lost a race is made again, and counted again.
//!
//! Format: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::Write;
use std::sync::Arc;

use pipeline::ports::Clock;
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, Filter, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

/// Where the metrics stand.
const NAMESPACE: &str = "Tocsin";

/// Whose events are looked at.
const PIPELINE: &str = "tocsin_pipeline";

/// Characters of a word, at most; the longest of ours has half as many.
const WORD_CHARS_MAX: usize = 40;

/// What a function writes to its standard output: its log as JSON, as far as `filter` lets it, and its metrics.
pub fn log_and_count<F>(filter: F, clock: Arc<dyn Clock>)
where
    F: Filter<Registry> + Send + Sync + 'static,
{
    // Lambda's own; it holds the stack's name, and the receiver kind of a `deliver`.
    let function = std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|_| "tocsin".to_owned());
    let log = tracing_subscriber::fmt::layer().json().with_filter(filter);
    tracing_subscriber::registry().with(log).with(metrics(function, clock, std::io::stdout)).init();
}

/// The layer that writes a line for each thing that is counted, whatever the log's own level is.
#[must_use]
pub fn metrics<S, W>(function: String, clock: Arc<dyn Clock>, writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let counted = filter_fn(may_be_counted).with_max_level_hint(LevelFilter::INFO);
    Layer::<S>::with_filter(Metrics { function, clock, writer }, counted)
}

fn may_be_counted(of: &Metadata<'_>) -> bool {
    of.target().starts_with(PIPELINE) && *of.level() <= Level::INFO
}

struct Metrics<W> {
    function: String,
    clock: Arc<dyn Clock>,
    writer: W,
}

impl<S, W> Layer<S> for Metrics<W>
where
    S: Subscriber,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        for metric in fields.metrics() {
            // A figure that cannot be written down must not hold back a page.
            let _unused = self.writer.make_writer().write_all(self.line(&metric).as_bytes());
        }
    }
}

impl<W> Metrics<W> {
    fn line(&self, metric: &Metric) -> String {
        let mut dimensions = vec!["FunctionName"];
        let mut line = json!({ "FunctionName": self.function });
        line[metric.name] = json!(metric.value);
        if let Some((name, word)) = &metric.by {
            dimensions.push(name);
            line[*name] = json!(word);
        }
        line["_aws"] = json!({
            "Timestamp": self.clock.now().as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [dimensions],
                "Metrics": [{ "Name": metric.name, "Unit": metric.unit }],
            }],
        });
        format!("{line}\n")
    }
}

/// One figure, and what it is counted by beside the function.
struct Metric {
    name: &'static str,
    unit: &'static str,
    value: f64,
    by: Option<(&'static str, String)>,
}

fn count(name: &'static str, by: Option<(&'static str, String)>) -> Metric {
    Metric { name, unit: "Count", value: 1.0, by }
}

/// An event's fields, each as text.
#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Fields {
    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// What an event counts: it is known by the words that it is logged with.
    fn metrics(&self) -> Vec<Metric> {
        match self.get("message") {
            "alert accepted" => vec![count("Accepted", None)],
            "decided" => self.decided().into_iter().collect(),
            "delivery" => self.delivery(),
            // A delivery's letter was counted when the delivery ended.
            "a message was given up" if self.get("queue") == "Inbox" => {
                vec![count("Dead", Some(("Receiver", "inbox".to_owned())))]
            }
            _ => Vec::new(),
        }
    }

    fn decided(&self) -> Option<Metric> {
        match (self.get("action"), self.get("reason")) {
            ("Suppress", reason) => {
                let alerts = self.get("alerts").parse().unwrap_or(1.0);
                Some(Metric { value: alerts, ..count("Suppressed", Some(("Reason", word(reason)))) })
            }
            (_, "Confirmed") => Some(count("Confirmed", None)),
            (_, "Rejected" | "RejectedThroughout") => Some(count("Rejected", None)),
            _ => None,
        }
    }

    fn delivery(&self) -> Vec<Metric> {
        let (kind, transition) = (self.get("kind"), self.get("transition"));
        let by = || Some(("Receiver", word(kind)));
        match (self.get("state"), self.get("since_received_ms").parse::<f64>()) {
            ("delivered", Ok(millis)) if (kind, transition) == ("pagerduty", "opened") => {
                let seconds = Metric { unit: "Seconds", value: millis / 1000.0, ..count("SecondsToPage", None) };
                vec![count("Delivered", by()), seconds]
            }
            ("delivered", _) => vec![count("Delivered", by())],
            ("rejected" | "dead", _) => vec![count("Dead", by())],
            _ => Vec::new(),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

/// A variant's name without what it holds, as words are written: `CoolingDown { until: … }` is `cooling_down`.
fn word(debug: &str) -> String {
    let mut word = String::new();
    for letter in debug.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').take(WORD_CHARS_MAX) {
        if letter.is_ascii_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.push(letter.to_ascii_lowercase());
    }
    word
}
