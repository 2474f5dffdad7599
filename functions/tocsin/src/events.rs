//! The events of `events/`, bundled: what each source sends, as a message is tried out on it.
//!
//! Invariant: these are the files in `events/`, each of them, not copies; the folder names the source's kind.

use sources::Kind;

/// One body that a source sends.
pub(crate) struct Event {
    /// `arize/latency_p95.json`.
    pub(crate) name: &'static str,
    /// As it would arrive.
    pub(crate) body: &'static [u8],
}

macro_rules! event {
    ($name:literal) => {
        Event { name: $name, body: include_bytes!(concat!("../../../events/", $name)) }
    };
}

/// Every event.
pub(crate) const EVENTS: &[Event] = &[
    event!("alertmanager/mixed_batch.json"),
    event!("arize/cleared.json"),
    event!("arize/cost_per_request.json"),
    event!("arize/duplicate_key.json"),
    event!("arize/embedding_drift.json"),
    event!("arize/error_rate.json"),
    event!("arize/flat_fields.json"),
    event!("arize/hallucination_rate.json"),
    event!("arize/latency_p95.json"),
    event!("arize/malformed.json"),
    event!("arize/retrieval_relevance.json"),
    event!("arize/thumbs_down_rate.json"),
    event!("cloudwatch/event_bridge_alarm.json"),
    event!("cloudwatch/event_bridge_created.json"),
    event!("cloudwatch/sns_alarm.json"),
    event!("cloudwatch/sns_no_data.json"),
    event!("cloudwatch/sns_ok_version_1.json"),
    event!("cloudwatch/sns_subscription.json"),
    event!("datadog/no_data.json"),
    event!("datadog/recovered.json"),
    event!("datadog/triggered.json"),
    event!("datadog/warn.json"),
    event!("generic/batch.json"),
    event!("generic/cleared.json"),
    event!("generic/firing.json"),
    event!("grafana/firing_and_resolved.json"),
];

impl Event {
    /// Whose body it is.
    pub(crate) fn kind(&self) -> Option<Kind> {
        Kind::parse(self.name.split('/').next()?)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_bundled() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events");
        let mut found = Vec::new();
        for folder in std::fs::read_dir(&root).expect("the folder is there") {
            let folder = folder.expect("it is read").path();
            for file in std::fs::read_dir(&folder).expect("a folder") {
                let file = file.expect("it is read").path();
                found.push(file.strip_prefix(&root).expect("below").to_string_lossy().into_owned());
            }
        }
        found.sort();
        let bundled: Vec<&str> = EVENTS.iter().map(|event| event.name).collect();
        assert_eq!(bundled, found);
        assert!(EVENTS.iter().all(|event| event.kind().is_some()));
    }
}
