//! B and E: who was to be told was told, and what is over stays over.
//!
//! Invariant: the newest alert of a fingerprint decides how its incident must stand; what a receiver has is asked of the
//! vendor.

use std::collections::BTreeSet;

use domain::{Delivery, DeliveryState, ReceiverKind, State, Status, Transition};
use stand_ins::pagerduty::{AlertState, Effect};
use stand_ins::slack::Message;

use super::{Found, Invariant, Known, Violation, children};
use crate::setup::name;

pub(super) fn check(found: &Found<'_>, violations: &mut Vec<Violation>) {
    states(found, violations);
    letters(found, violations);
    for known in found.opened() {
        for kind in &found.world.setup.receivers {
            if let Some(what) = untold(found, known, *kind) {
                violations.push(Violation { invariant: Invariant::B, what });
            }
        }
        if found.world.setup.receivers.contains(&ReceiverKind::Pagerduty) {
            stands(found, known, violations);
        }
    }
}

/// A fingerprint's newest alert decides whether it has an open incident.
fn states(found: &Found<'_>, violations: &mut Vec<Violation>) {
    for (fingerprint, alerts) in found.by_fingerprint() {
        if alerts.iter().any(|(id, _)| found.dead_alerts.contains(*id)) {
            continue;
        }
        let Some(newest_at) = alerts.iter().map(|(_, heard)| heard.received_at).max() else { continue };
        let newest: BTreeSet<Status> =
            alerts.iter().filter(|(_, heard)| heard.received_at == newest_at).map(|(_, heard)| heard.status).collect();
        // Both at one and the same time: either is right.
        let [mut status] = newest.into_iter().collect::<Vec<_>>()[..] else { continue };
        if found.world.setup.grouped {
            let Some(is_there) = children::is_there(found) else { continue };
            status = if is_there { Status::Firing } else { Status::Cleared };
        }
        let current = found
            .known
            .iter()
            .filter(|known| known.incident.fingerprint == *fingerprint)
            .max_by_key(|known| known.incident.episode)
            .map(|known| known.incident.state);
        match (status, current) {
            (Status::Firing, Some(State::Open | State::Acknowledged))
            | (Status::Cleared, Some(State::Resolved) | None) => {}
            (Status::Firing, state) => violations.push(Violation {
                invariant: Invariant::B,
                what: format!("{fingerprint} fires, and its incident is {state:?}"),
            }),
            (Status::Cleared, state) => violations.push(Violation {
                invariant: Invariant::E,
                what: format!("{fingerprint} is over, and its incident is {state:?}"),
            }),
        }
    }
}

/// Why a receiver does not know of an episode, if it does not.
fn untold(found: &Found<'_>, known: &Known, kind: ReceiverKind) -> Option<String> {
    let id = &known.incident.id;
    let of_receiver: Vec<&Delivery> = known.deliveries.iter().filter(|d| d.id.receiver == name(kind)).collect();
    let Some(first) = of_receiver.iter().find(|d| d.transition == Transition::Opened) else {
        return Some(format!("{id} opened without a delivery to {}", name(kind)));
    };
    match first.state {
        DeliveryState::Pending | DeliveryState::Leased => None,
        DeliveryState::Rejected | DeliveryState::Dead => {
            let (first, state) = (&first.id, first.state.as_str());
            if !found.dead_deliveries.contains(&(kind, first.to_string())) {
                return Some(format!("{first} is {state} and no dead letter"));
            }
            let others = found.world.setup.fallback.filter(|other| *other != kind)?;
            (!has(found, known, others)).then(|| format!("{first} is {state}, and {} was not told", name(others)))
        }
        DeliveryState::Delivered => {
            let missing = !has(found, known, kind);
            missing.then(|| format!("{} is delivered, and {} does not have it", first.id, kind.as_str()))
        }
    }
}

/// Whether a vendor has something of an episode.
fn has(found: &Found<'_>, known: &Known, kind: ReceiverKind) -> bool {
    let id = &known.incident.id;
    match kind {
        ReceiverKind::Pagerduty => {
            let key = format!("tocsin-{id}");
            found.events.iter().any(|event| event.dedup_key == key && event.action == "trigger")
        }
        ReceiverKind::Slack => found.messages.iter().any(|message| tells_of(message, id.as_str())),
        ReceiverKind::Jira => {
            let told = known.deliveries.iter().filter(|d| d.kind == kind);
            let mut keys = told.filter_map(|d| d.progress.handle.get("key"));
            keys.any(|key| found.issues.iter().any(|issue| issue.key == key))
        }
        ReceiverKind::Linear => {
            let told = known.deliveries.iter().filter(|d| d.kind == kind);
            let mut ids = told.filter_map(|d| d.progress.handle.get("issue"));
            ids.any(|id| found.linear.iter().any(|issue| issue == id))
        }
        _ => {
            let told: Vec<String> =
                known.deliveries.iter().filter(|d| d.kind == kind).map(|d| d.id.to_string()).collect();
            told.iter().any(|id| found.hooks.contains(id))
        }
    }
}

/// True for a message of that incident.
fn tells_of(message: &Message, incident: &str) -> bool {
    message.metadata.as_ref().is_some_and(|m| m["event_payload"]["incident"] == incident)
}

/// People hear of every message that was given up before it became an incident.
fn letters(found: &Found<'_>, violations: &mut Vec<Violation>) {
    if found.world.setup.fallback != Some(ReceiverKind::Slack) {
        return;
    }
    let incident =
        |message: &Message| message.metadata.as_ref()?["event_payload"]["incident"].as_str().map(str::to_owned);
    let told: BTreeSet<String> =
        found.messages.iter().filter_map(incident).filter(|id| id.starts_with("dead-")).collect();
    if told.len() < found.dead_messages {
        let what = format!("of {} dead letters of the inbox people heard of {}", found.dead_messages, told.len());
        violations.push(Violation { invariant: Invariant::B, what });
    }
}

/// The page of an incident stands as the incident does, and was never opened after its end.
fn stands(found: &Found<'_>, known: &Known, violations: &mut Vec<Violation>) {
    let key = format!("tocsin-{}", known.incident.id);
    let mut ended = false;
    for event in found.events.iter().filter(|event| event.dedup_key == key) {
        if ended && event.effect == Effect::Opened {
            let what = format!("the page of {} was opened after its resolve", known.incident.id);
            violations.push(Violation { invariant: Invariant::E, what });
        }
        ended |= event.action == "resolve";
    }
    let undelivered = |d: &&Delivery| d.kind == ReceiverKind::Pagerduty && d.state != DeliveryState::Delivered;
    if known.deliveries.iter().any(|d| undelivered(&d)) {
        return;
    }
    let calls = found.world.vendors.pagerduty.alerts();
    let open = calls.iter().any(|alert| alert.dedup_key == key && alert.state != AlertState::Resolved);
    let expected = known.incident.state != State::Resolved;
    if open != expected {
        let (state, page) = (known.incident.state.as_str(), if open { "open" } else { "closed" });
        let what = format!("{} is {state}, and its page is {page}", known.incident.id);
        violations.push(Violation { invariant: if expected { Invariant::B } else { Invariant::E }, what });
    }
}
