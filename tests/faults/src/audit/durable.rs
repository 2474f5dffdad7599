//! A and D: what was accepted is somewhere, and where it ended has a reason.
//!
//! Invariant: an alert counts as kept only where an incident of its own fingerprint has seen it, or where it lies among
//! the dead letters.

use domain::{SEEN_ALERTS_MAX, Status};

use super::{Found, Invariant, Violation};

pub(super) fn check(found: &Found<'_>, violations: &mut Vec<Violation>) {
    let mut wrong = |invariant, what: String| violations.push(Violation { invariant, what });
    for posted in found.world.posted.borrow().iter() {
        for id in &posted.accepted {
            if !found.heard.keys().any(|known| known.as_str() == id) {
                wrong(Invariant::A, format!("alert {id} of {} was accepted, and no queue took it", posted.problem));
            }
        }
        if posted.status == 202 && posted.accepted.is_empty() {
            wrong(Invariant::A, format!("a webhook of {} was accepted without any alert", posted.problem));
        }
    }
    for (fingerprint, alerts) in found.by_fingerprint() {
        let own = || found.known.iter().filter(|known| known.incident.fingerprint == *fingerprint);
        let counted: u64 = own().map(|k| k.incident.occurrences).sum();
        let firing = alerts.iter().filter(|(_, heard)| heard.status == Status::Firing).count() as u64;
        if counted > firing {
            wrong(Invariant::D, format!("{fingerprint}: {firing} firing alerts were counted as {counted}"));
        }
        // An incident remembers the newest alerts alone.
        if alerts.len() > SEEN_ALERTS_MAX / 2 {
            let suppressed: u64 = own().map(|k| k.incident.suppressed).sum();
            let dead = alerts.iter().filter(|(id, _)| found.dead_alerts.contains(*id)).count() as u64;
            if counted + suppressed + dead < firing {
                wrong(Invariant::D, format!("{fingerprint}: of {firing} alerts only {counted} are counted"));
            }
            continue;
        }
        for (id, heard) in alerts {
            let seen = own().any(|known| known.incident.seen.contains(id));
            if !seen && !found.dead_alerts.contains(id) {
                let status = heard.status.as_str();
                wrong(Invariant::D, format!("the {status} alert {id} of {fingerprint} is in no incident and no queue"));
            }
        }
    }
    for known in &found.known {
        let incident = &known.incident;
        if !known.timeline_holds {
            wrong(Invariant::D, format!("the timeline of {} does not hold together", incident.id));
        }
        if incident.suppressed > 0 && incident.suppressed_because.is_none() {
            wrong(Invariant::D, format!("{} suppressed {} alerts without a reason", incident.id, incident.suppressed));
        }
        for delivery in known.deliveries.iter().filter(|d| !d.state.is_finished()) {
            let (id, state) = (&delivery.id, delivery.state.as_str());
            wrong(Invariant::D, format!("the delivery {id} is {state} for ever, after {} attempts", delivery.attempts));
        }
    }
}
