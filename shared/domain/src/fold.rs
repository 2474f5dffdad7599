//! Many alerts of one fingerprint, put in order.
//!
//! Invariant: the runs depend on the set of alerts alone, not on their order or on how often each is given.

use crate::Alert;

/// Splits alerts of one fingerprint into runs of one status, in the order in which we received them; an alert given
/// twice counts once. At one and the same time firing stands before cleared.
#[must_use]
pub fn runs(mut alerts: Vec<Alert>) -> Vec<Vec<Alert>> {
    alerts.sort_by(|a, b| (a.received_at, a.status, &a.id).cmp(&(b.received_at, b.status, &b.id)));
    let mut runs: Vec<Vec<Alert>> = Vec::new();
    for alert in alerts {
        match runs.last_mut() {
            Some(run) if run.iter().any(|known| known.id == alert.id) => {}
            Some(run) if run.first().is_some_and(|first| first.status == alert.status) => run.push(alert),
            _ => runs.push(vec![alert]),
        }
    }
    runs
}
