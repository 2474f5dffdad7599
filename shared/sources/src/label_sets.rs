//! What Alertmanager and Grafana have in common: alerts with sets of labels and annotations.
//!
//! Invariant: an allow-list. Labels that stand here travel, all others only where a mapping names them.

use std::collections::BTreeMap;

use crate::Field;

/// A label of ours, and the names that it goes by at Prometheus.
const LABELS: [(&str, &[&str]); 19] = [
    ("cluster", &["cluster"]),
    ("component", &["component"]),
    ("container", &["container"]),
    ("deployment", &["deployment"]),
    ("endpoint", &["endpoint", "route", "handler", "path"]),
    ("environment", &["environment", "env"]),
    ("grafana_folder", &["grafana_folder"]),
    ("instance", &["instance"]),
    ("job", &["job"]),
    ("model", &["model", "model_name", "llm_model"]),
    ("namespace", &["namespace"]),
    ("pod", &["pod"]),
    ("project", &["project"]),
    ("provider", &["provider"]),
    ("region", &["region", "zone"]),
    ("segment", &["segment"]),
    ("team", &["team"]),
    ("tenant", &["tenant"]),
    ("version", &["version"]),
];

/// The labels that are carried where present.
pub(crate) fn labels() -> BTreeMap<String, Vec<String>> {
    let places = |names: &[&str]| names.iter().map(|name| format!("/labels/{name}")).collect();
    LABELS.into_iter().map(|(name, names)| (name.to_owned(), places(names))).collect()
}

/// Fields that neither vendor has a place for: where people put them.
pub(crate) fn annotations(field: Field) -> Vec<String> {
    match field {
        Field::Service => {
            pointers(&["/labels/service", "/labels/service_name", "/labels/app", "/labels/application", "/labels/job"])
        }
        Field::Severity => pointers(&["/labels/severity", "/labels/priority", "/annotations/severity"]),
        Field::Value => pointers(&["/annotations/value", "/annotations/current_value"]),
        Field::Baseline => pointers(&["/annotations/baseline"]),
        Field::Threshold => pointers(&["/annotations/threshold", "/labels/threshold"]),
        _ => Vec::new(),
    }
}

/// Owned pointers.
pub(crate) fn pointers(list: &[&str]) -> Vec<String> {
    list.iter().copied().map(str::to_owned).collect()
}

/// Owned words.
pub(crate) fn words(list: &[&str]) -> Vec<String> {
    pointers(list)
}
