//! What the vendors have against what the table says that they were told.
//!
//! Invariant: one PagerDuty alert, one Slack message and one Jira ticket an episode. Slack has no idempotency key: a
//! message may stand there twice where its delivery was tried more than once.

use std::collections::{BTreeMap, HashMap};

use domain::{ReceiverKind, State};
use serde_json::Value;
use stand_ins::StandIns;
use stand_ins::pagerduty::AlertState;

use super::Line;
use crate::found::Found;

pub(super) fn lines(found: &Found, vendors: &StandIns) -> Vec<Line> {
    let episodes: HashMap<String, State> =
        found.episodes().map(|record| (record.incident.id.to_string(), record.incident.state)).collect();
    vec![pagerduty(&episodes, vendors), slack(found, &episodes, vendors), jira(&episodes, vendors)]
}

fn pagerduty(episodes: &HashMap<String, State>, vendors: &StandIns) -> Line {
    let alerts = vendors.pagerduty.alerts();
    let mut opened: HashMap<&str, usize> = HashMap::new();
    let mut wrong = Vec::new();
    for alert in &alerts {
        let times = opened.entry(alert.dedup_key.as_str()).or_default();
        *times += 1;
        if *times > 1 {
            wrong.push(format!("{} was opened again after its resolve", alert.dedup_key));
        }
        let state = alert.dedup_key.strip_prefix("tocsin-").and_then(|id| episodes.get(id));
        match (state, alert.state) {
            (None, _) => wrong.push(format!("{} belongs to no episode", alert.dedup_key)),
            (Some(State::Resolved), AlertState::Resolved) => {}
            (Some(State::Resolved), _) => wrong.push(format!("{} is still open", alert.dedup_key)),
            (Some(_), AlertState::Resolved) => wrong.push(format!("{} is resolved too early", alert.dedup_key)),
            (Some(_), _) => {}
        }
    }
    let missing = episodes.keys().filter(|id| !opened.contains_key(format!("tocsin-{id}").as_str()));
    wrong.extend(missing.map(|id| format!("{id} paged nobody")));
    let triggers: usize = alerts.iter().map(|alert| alert.triggers).sum();
    let (keys, count) = (opened.len(), episodes.len());
    let open = alerts.iter().filter(|alert| alert.state != AlertState::Resolved).count();
    let text = format!(
        "PagerDuty: {count} episodes, {keys} keys, {} alerts of {triggers} triggers, none opened twice; {open} open",
        alerts.len()
    );
    Line::new(text, &wrong)
}

fn slack(found: &Found, episodes: &HashMap<String, State>, vendors: &StandIns) -> Line {
    let deliveries: BTreeMap<String, u32> = found
        .deliveries()
        .filter(|delivery| delivery.kind == ReceiverKind::Slack)
        .map(|delivery| (delivery.id.to_string(), delivery.attempts))
        .collect();
    let mut by_delivery: HashMap<String, u32> = HashMap::new();
    let (mut messages, mut replies): (HashMap<String, usize>, usize) = (HashMap::new(), 0);
    for message in vendors.slack.messages() {
        let payload = message.metadata.as_ref().map_or(Value::Null, |metadata| metadata["event_payload"].clone());
        let text = |name: &str| payload[name].as_str().unwrap_or_default().to_owned();
        *by_delivery.entry(text("delivery")).or_default() += 1;
        if message.thread_ts.is_some() {
            replies += 1;
        } else {
            *messages.entry(text("incident")).or_default() += 1;
        }
    }
    let mut wrong: Vec<String> = Vec::new();
    wrong.extend(episodes.keys().filter(|id| !messages.contains_key(*id)).map(|id| format!("{id} has no message")));
    wrong.extend(messages.keys().filter(|id| !episodes.contains_key(*id)).map(|id| format!("{id:?} is no episode")));
    let untold = deliveries.keys().filter(|id| !by_delivery.contains_key(*id));
    wrong.extend(untold.map(|id| format!("{id} was not told")));
    for (id, times) in by_delivery.iter().filter(|(_, times)| **times > 1) {
        let attempts = deliveries.get(id).copied().unwrap_or_default();
        if *times > attempts {
            wrong.push(format!("{id} was told {times} times in {attempts} attempts"));
        }
    }
    let doubled = by_delivery.values().filter(|times| **times > 1).count();
    let count: usize = messages.values().sum();
    let text = format!(
        "Slack: {count} messages of {} episodes, {replies} in their threads; {doubled} told again after an answer was lost",
        episodes.len(),
    );
    Line::new(text, &wrong)
}

fn jira(episodes: &HashMap<String, State>, vendors: &StandIns) -> Line {
    let issues = vendors.jira.issues();
    let mut tickets: HashMap<String, usize> = HashMap::new();
    for issue in &issues {
        let labels = issue.fields.get("labels").and_then(Value::as_array);
        let label = labels.and_then(|l| l.iter().find_map(|l| l.as_str()?.strip_prefix("tocsin-").map(str::to_owned)));
        *tickets.entry(label.unwrap_or_default()).or_default() += 1;
    }
    let mut wrong: Vec<String> = Vec::new();
    wrong.extend(episodes.keys().filter(|id| !tickets.contains_key(*id)).map(|id| format!("{id} has no ticket")));
    let strange = tickets.keys().filter(|id| !episodes.contains_key(*id));
    wrong.extend(strange.map(|id| format!("{id:?} is no episode")));
    wrong.extend(tickets.iter().filter(|(_, n)| **n > 1).map(|(id, n)| format!("{id} has {n} tickets")));
    let comments: usize = issues.iter().map(|issue| issue.comments.len()).sum();
    let text = format!("Jira: {} tickets of {} episodes, {comments} comments", issues.len(), episodes.len());
    Line::new(text, &wrong)
}
