//! C and F: one key, one message, one ticket.
//!
//! Invariant: a second message is forgiven only where the first one's answer was lost and the vendor was asked before the
//! second; a second ticket never.

use std::collections::{BTreeMap, BTreeSet};

use domain::{ReceiverKind, Status};
use receivers::linear::client_id;
use stand_ins::pagerduty::Effect;

use super::{Found, Invariant, Violation};
use crate::fault::Point;
use crate::wire::{Fate, Record};

pub(super) fn check(found: &Found<'_>, violations: &mut Vec<Violation>) {
    keys(found, violations);
    episodes(found, violations);
    messages(found, violations);
    tickets(found, violations);
    issues(found, violations);
    hooks(found, violations);
}

fn keys(found: &Found<'_>, violations: &mut Vec<Violation>) {
    let incidents: BTreeSet<String> = found.known.iter().map(|k| format!("tocsin-{}", k.incident.id)).collect();
    let mut opened: BTreeMap<&str, usize> = BTreeMap::new();
    for event in &found.events {
        if !incidents.contains(&event.dedup_key) {
            let what = format!("the page {} belongs to no incident", event.dedup_key);
            violations.push(Violation { invariant: Invariant::C, what });
        }
        *opened.entry(&event.dedup_key).or_default() += usize::from(event.effect == Effect::Opened);
    }
    for (key, times) in opened.into_iter().filter(|(_, times)| *times > 1) {
        let what = format!("people were woken {times} times by {key}");
        violations.push(Violation { invariant: Invariant::C, what });
    }
}

/// A problem opens once, and once more for each end that it had.
fn episodes(found: &Found<'_>, violations: &mut Vec<Violation>) {
    for (fingerprint, alerts) in found.by_fingerprint() {
        let clears = alerts.iter().filter(|(_, heard)| heard.status == Status::Cleared).count();
        let opened = found.opened().filter(|known| known.incident.fingerprint == *fingerprint).count();
        if opened > clears + 1 {
            let what = format!("{fingerprint} opened {opened} times and was cleared {clears} times");
            violations.push(Violation { invariant: Invariant::C, what });
        }
    }
}

fn messages(found: &Found<'_>, violations: &mut Vec<Violation>) {
    let mut posted: BTreeMap<String, usize> = BTreeMap::new();
    for message in &found.messages {
        let delivery = message.metadata.as_ref().and_then(|m| m["event_payload"]["delivery"].as_str());
        *posted.entry(delivery.unwrap_or_default().to_owned()).or_default() += 1;
    }
    for (delivery, times) in posted {
        let told = told(found, ReceiverKind::Slack, &delivery);
        let ambiguous = ambiguous(found, &delivery, &told);
        if times > 1 + ambiguous {
            let what = format!("{delivery} is {times} messages, and {ambiguous} of its answers were lost");
            violations.push(Violation { invariant: Invariant::F, what });
        }
        if let Some(what) = not_looked_up(found, ReceiverKind::Slack, &delivery, &told) {
            violations.push(Violation { invariant: Invariant::F, what });
        }
    }
}

fn tickets(found: &Found<'_>, violations: &mut Vec<Violation>) {
    let mut made: BTreeMap<&str, usize> = BTreeMap::new();
    for issue in &found.issues {
        let incident = issue.properties.get("tocsin").and_then(|p| p["incident"].as_str()).unwrap_or_default();
        *made.entry(incident).or_default() += 1;
    }
    for (incident, times) in made {
        if times > 1 {
            let what = format!("{incident} has {times} tickets");
            violations.push(Violation { invariant: Invariant::F, what });
        }
        let told = told(found, ReceiverKind::Jira, incident);
        if let Some(what) = not_looked_up(found, ReceiverKind::Jira, incident, &told) {
            violations.push(Violation { invariant: Invariant::F, what });
        }
    }
}

/// Linear: each issue was made under an id of an incident's delivery, and no incident has two.
fn issues(found: &Found<'_>, violations: &mut Vec<Violation>) {
    let mut ours = BTreeSet::new();
    for known in &found.known {
        let told = known.deliveries.iter().filter(|delivery| delivery.kind == ReceiverKind::Linear);
        let ids: BTreeSet<String> = told.map(|delivery| client_id("create", &delivery.id)).collect();
        let made = ids.iter().filter(|id| found.linear.contains(id)).count();
        if made > 1 {
            let what = format!("{} has {made} issues", known.incident.id);
            violations.push(Violation { invariant: Invariant::F, what });
        }
        ours.extend(ids);
    }
    for issue in found.linear.iter().filter(|issue| !ours.contains(*issue)) {
        let what = format!("the issue {issue} belongs to no incident");
        violations.push(Violation { invariant: Invariant::F, what });
    }
}

/// A webhook: each request has the id of a delivery, and the same one however often it is sent.
fn hooks(found: &Found<'_>, violations: &mut Vec<Violation>) {
    let deliveries = found.known.iter().flat_map(|known| &known.deliveries);
    let ids: BTreeSet<String> =
        deliveries.filter(|d| d.kind == ReceiverKind::Webhook).map(|delivery| delivery.id.to_string()).collect();
    let told = found.log.iter().filter(|record| record.point == Point::Tell(ReceiverKind::Webhook));
    let others: BTreeSet<&str> = told.map(|r| r.subject.as_str()).filter(|id| !ids.contains(*id)).collect();
    for id in others.into_iter().filter(|id| !id.starts_with("dead-")) {
        let what = format!("the webhook was told under the id {id:?}, which is no delivery");
        violations.push(Violation { invariant: Invariant::F, what });
    }
}

/// Each time that a vendor was told of one thing, in the order in which that began.
fn told<'a>(found: &'a Found<'_>, kind: ReceiverKind, subject: &str) -> Vec<&'a Record> {
    let is_told = |record: &&Record| record.point == Point::Tell(kind) && record.subject == subject;
    let mut told: Vec<&Record> = found.log.iter().filter(is_told).collect();
    told.sort_by_key(|record| record.begun_ms);
    told
}

/// How many of them had an effect, and nobody who wrote it down got the answer.
fn ambiguous(found: &Found<'_>, delivery: &str, told: &[&Record]) -> usize {
    let key = key(delivery);
    let written_down = |telling: &Record| {
        let by_same = |r: &Record| r.process == telling.process && r.begun_ms >= telling.at_ms;
        found
            .log
            .iter()
            .any(|r| by_same(r) && r.point == Point::Mark && r.fate == Fate::Answered(200) && r.subject == key)
    };
    let had_effect = told.iter().filter(|record| record.fate != Fate::NotTaken);
    had_effect.filter(|record| record.fate == Fate::Unanswered || !written_down(record)).count()
}

/// A delivery's key in the table, as the log shows it.
fn key(delivery: &str) -> String {
    let mut parts = delivery.split('/');
    let (incident, receiver, seq) = (parts.next(), parts.next(), parts.next());
    let seq: u32 = seq.and_then(|seq| seq.parse().ok()).unwrap_or_default();
    format!("INC#{} D#{}#{seq:06}", incident.unwrap_or_default(), receiver.unwrap_or_default())
}

/// A second telling after one that may have had an effect comes after a question.
fn not_looked_up(found: &Found<'_>, kind: ReceiverKind, subject: &str, told: &[&Record]) -> Option<String> {
    for pair in told.windows(2) {
        let [before, after] = pair else { continue };
        if before.fate == Fate::NotTaken {
            continue;
        }
        let asked = found.log.iter().any(|r| {
            let between = r.at_ms >= before.begun_ms && r.at_ms <= after.begun_ms;
            r.point == Point::Ask(kind) && r.process == after.process && between
        });
        if !asked {
            return Some(format!("{} was told of {subject} again without being asked", kind.as_str()));
        }
    }
    None
}
