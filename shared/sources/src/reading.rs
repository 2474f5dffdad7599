//! Reads one alert out of its JSON.
//!
//! Invariant: only what the mapping names is read; every text passes [`clean`]; a number is finite or absent.

use std::collections::BTreeMap;

use domain::{Alert, AlertId, Link, Severity, Status, Timestamp};
use serde_json::Value;

use crate::link::{LINKS_MAX, address, addresses};
use crate::mapping::LABELS_MAX;
use crate::text::{clean, scalar};
use crate::{DecodeError, Field, Mapping, observed_at};

/// Where nothing tells how bad it is: severe enough to page.
const SEVERITY: Severity = Severity::Error;

/// Where nothing tells whose it is.
const SERVICE: &str = "unknown";

/// One alert's JSON, and what tells where things are in it.
pub(crate) struct Reading<'a> {
    pub(crate) source: &'a str,
    pub(crate) mapping: &'a Mapping,
    pub(crate) alert: &'a Value,
    /// The pointer of the alert in the body.
    pub(crate) place: &'a str,
}

impl Reading<'_> {
    /// The alert, with an id if it is one.
    pub(crate) fn alert(
        &self,
        received_at: Timestamp,
        next_id: &mut dyn FnMut() -> AlertId,
    ) -> Result<Alert, DecodeError> {
        let monitor_id = self.text(Field::MonitorId);
        let (named, metric) = (self.text(Field::Monitor), self.text(Field::Metric));
        let monitor = named.or_else(|| monitor_id.clone()).or_else(|| metric.clone());
        let monitor = monitor.ok_or_else(|| self.missing())?;
        let labels = self.labels();
        let status = self.status()?;
        Ok(Alert {
            id: next_id(),
            source: self.source.to_owned(),
            metric: metric.unwrap_or_else(|| monitor.clone()),
            monitor,
            monitor_id,
            service: self.service(&labels),
            status,
            severity: self.severity(),
            labels,
            value: self.number(Field::Value),
            baseline: self.number(Field::Baseline),
            threshold: self.number(Field::Threshold),
            observed_at: observed_at::bounded(self.found(Field::ObservedAt).filter_map(observed_at::read), received_at),
            received_at,
            links: self.links(),
            rule: None,
            also: Vec::new(),
        })
    }

    /// What the field's pointers point at, in their order.
    fn found(&self, field: Field) -> impl Iterator<Item = &Value> {
        self.mapping.pointers(field).iter().filter_map(|pointer| self.alert.pointer(pointer))
    }

    fn fallback(&self, field: Field) -> Option<String> {
        self.mapping.defaults.get(&field).map(|text| clean(text)).filter(|text| !text.is_empty())
    }

    fn text(&self, field: Field) -> Option<String> {
        self.found(field).find_map(scalar).or_else(|| self.fallback(field))
    }

    fn number(&self, field: Field) -> Option<f64> {
        self.found(field).find_map(number).or_else(|| self.fallback(field).and_then(|text| decimal(&text)))
    }

    fn labels(&self) -> BTreeMap<String, String> {
        let first = |pointers: &[String]| pointers.iter().filter_map(|p| self.alert.pointer(p)).find_map(scalar);
        let mapped = self.mapping.labels.iter();
        mapped.filter_map(|(name, pointers)| Some((name.clone(), first(pointers)?))).take(LABELS_MAX).collect()
    }

    /// The service; else the project or the model that the monitor watches, which at Arize are often the service.
    fn service(&self, labels: &BTreeMap<String, String>) -> String {
        let watched = || labels.get("project").or_else(|| labels.get("model")).cloned();
        self.text(Field::Service).or_else(watched).unwrap_or_else(|| SERVICE.to_owned())
    }

    fn severity(&self) -> Severity {
        let told = self.found(Field::Severity).filter_map(scalar).find_map(|word| Severity::parse(&word));
        told.or_else(|| self.fallback(Field::Severity).and_then(|word| Severity::parse(&word))).unwrap_or(SEVERITY)
    }

    /// The first word that the mapping knows. No word at all is firing: a webhook is sent when a monitor triggers. Words
    /// of which none is known are refused, since a clear taken for an alert would page.
    fn status(&self) -> Result<Status, DecodeError> {
        let mut unknown = None;
        for pointer in self.mapping.pointers(Field::Status) {
            let Some(word) = self.alert.pointer(pointer).and_then(scalar) else { continue };
            match self.mapping.status(&word) {
                Some(status) => return Ok(status),
                None => unknown = unknown.or(Some((pointer, word))),
            }
        }
        if let Some((pointer, word)) = unknown {
            return Err(self.bad_status(pointer, word));
        }
        let fallback = self.fallback(Field::Status).and_then(|word| self.mapping.status(&word));
        Ok(fallback.unwrap_or(Status::Firing))
    }

    fn links(&self) -> Vec<Link> {
        let monitor = format!("Monitor in {}", self.source);
        let mut found: Vec<(String, String)> = Vec::new();
        for pointer in self.mapping.pointers(Field::Link) {
            let text = link_text(pointer).map_or_else(|| monitor.clone(), str::to_owned);
            for href in self.alert.pointer(pointer).map(addresses).unwrap_or_default() {
                if found.iter().all(|(_, known)| *known != href) && found.len() < LINKS_MAX {
                    found.push((text.clone(), href));
                }
            }
        }
        if found.is_empty() {
            let fallback = self.mapping.defaults.get(&Field::Link).and_then(|text| address(text));
            found.extend(fallback.map(|href| (monitor, href)));
        }
        numbered(found)
    }

    fn missing(&self) -> DecodeError {
        let fields = [Field::Monitor, Field::MonitorId, Field::Metric];
        let pointers = fields.into_iter().flat_map(|field| self.mapping.pointers(field));
        let tried = pointers.map(|pointer| format!("{}{pointer}", self.place)).collect();
        DecodeError::Missing { field: Field::Monitor, tried }
    }

    fn bad_status(&self, pointer: &str, word: String) -> DecodeError {
        let known = self.mapping.firing.iter().chain(&self.mapping.cleared).cloned().collect();
        DecodeError::BadStatus { pointer: format!("{}{pointer}", self.place), word, known }
    }
}

/// Links under texts that no two of them share.
fn numbered(found: Vec<(String, String)>) -> Vec<Link> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut link = |(text, href): (String, String)| {
        let place = seen.entry(text.clone()).or_default();
        *place += 1;
        Link { text: if *place == 1 { text } else { format!("{text} ({place})") }, href }
    };
    found.into_iter().map(&mut link).collect()
}

/// What a link leads to, as its key in the payload says; `None` for the monitor itself.
fn link_text(pointer: &str) -> Option<&'static str> {
    let key = pointer.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let texts = [
        ("runbook", "Runbook"),
        ("dashboard", "Dashboard"),
        ("panel", "Panel"),
        ("silence", "Silence it"),
        ("image", "Image"),
        ("snapshot", "Snapshot"),
    ];
    texts.into_iter().find(|(begins, _)| key.starts_with(begins)).map(|(_, text)| text)
}

/// A finite number, written as one or as text.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64().filter(|n| n.is_finite()),
        Value::String(text) => decimal(text),
        _ => None,
    }
}

/// A finite decimal number; `None` for text with a unit, as `3.9 s`, and for `inf` and `nan`.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|n: &f64| n.is_finite())
}
