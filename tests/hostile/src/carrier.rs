//! An alert of any kind of source, made to carry any text: the kind's own event with the text in place of every string.
//!
//! Invariant: which strings decide that it is an alert, and that it fires, is found by decoding it with another text in
//! their place; they alone stay. Which string says that it is over is found in the same way, so that a new kind needs no
//! more than an event.

use anyhow::Context;
use domain::{Alert, AlertId, Status, Timestamp};
use serde_json::Value;
use sources::{Inbound, Kind, Source};

use crate::json_bodies::events;
use crate::target::auth;

/// A text that is no word of any vendor.
const PROBE: &str = "probe";

/// One alert of a kind, firing and cleared.
#[derive(Debug, Clone)]
pub struct Carrier {
    /// Whose.
    pub kind: Kind,
    /// The alert while it fires.
    pub firing: Value,
    /// The same when it is over.
    pub cleared: Value,
    /// Pointers to the strings that may be anything.
    pub places: Vec<String>,
}

impl Carrier {
    /// The event of that kind with the most strings that may be anything.
    ///
    /// # Errors
    /// When no event of the kind fires and can be cleared.
    pub fn of(kind: Kind) -> anyhow::Result<Self> {
        let found = events(kind)?.into_iter().filter_map(|text| Self::over(kind, &text));
        found.max_by_key(|carrier| carrier.places.len()).with_context(|| format!("no event of {}", kind.as_str()))
    }

    fn over(kind: Kind, text: &str) -> Option<Self> {
        let mut firing: Value = serde_json::from_str(text).ok()?;
        if let Some(alerts) = kind.default_mapping().alerts.and_then(|at| firing.pointer_mut(&at)?.as_array_mut()) {
            alerts.truncate(1);
        }
        let all = strings(&firing);
        if status(kind, &firing) != Some(Status::Firing) {
            return None;
        }
        let words = kind.default_mapping().cleared;
        let with = |place| words.iter().map(move |word| (place, word));
        let mut over = all.iter().flat_map(with).map(|(place, word)| put(&firing, [place], word));
        let cleared = over.find(|body| status(kind, body) == Some(Status::Cleared))?;
        let mut carrier = Self { kind, cleared, places: Vec::new(), firing };
        for place in all {
            carrier.places.push(place);
            let says = |of| status(kind, &carrier.body(PROBE, of)) == Some(of);
            if !says(Status::Firing) || !says(Status::Cleared) {
                carrier.places.pop();
            }
        }
        Some(carrier)
    }

    /// The alert with the text in every place.
    #[must_use]
    pub fn body(&self, text: &str, status: Status) -> Value {
        let alert = if status == Status::Cleared { &self.cleared } else { &self.firing };
        put(alert, &self.places, text)
    }
}

fn put<'a>(body: &Value, places: impl IntoIterator<Item = &'a String>, text: &str) -> Value {
    let mut body = body.clone();
    for place in places {
        if let Some(value) = body.pointer_mut(place) {
            *value = text.into();
        }
    }
    body
}

/// What a body's only alert says; `None` where the body is not exactly one.
fn status(kind: Kind, body: &Value) -> Option<Status> {
    match &decoded(kind, body.to_string().as_bytes())?[..] {
        [alert] => Some(alert.status),
        _ => None,
    }
}

/// The alerts of a body; `None` where it is refused.
pub(crate) fn decoded(kind: Kind, body: &[u8]) -> Option<Vec<Alert>> {
    let source =
        Source { name: kind.as_str().to_owned(), kind, auth: auth(kind).ok()?, mapping: kind.default_mapping() };
    let inbound = Inbound { headers: &[], query: "", body, received_at: Timestamp::UNIX_EPOCH };
    source.decode(&inbound, &mut || AlertId::new("id")).ok()
}

/// Pointers to every string.
fn strings(value: &Value) -> Vec<String> {
    fn collect(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::String(_) => found.push(at.to_owned()),
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(index, item)| collect(item, &format!("{at}/{index}"), found));
            }
            Value::Object(fields) => {
                for (name, field) in fields {
                    collect(field, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(value, "", &mut found);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_an_alert_that_carries_text_in_its_monitor_and_its_metric() {
        for kind in Kind::ALL {
            let carrier = Carrier::of(*kind).expect("an event");
            for status in [Status::Firing, Status::Cleared] {
                let alerts = decoded(*kind, carrier.body("text", status).to_string().as_bytes()).expect("an alert");
                let [alert] = &alerts[..] else { panic!("{} alerts", alerts.len()) };
                assert_eq!(alert.status, status, "{}", kind.as_str());
                assert_eq!(alert.monitor, "text", "{}", kind.as_str());
                assert!(alert.metric == "text" || alert.labels.values().any(|value| value == "text"), "{alert:?}");
            }
        }
    }
}
