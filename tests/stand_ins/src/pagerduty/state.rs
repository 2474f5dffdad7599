//! What `PagerDuty` remembers of the events it took.
//!
//! Invariant: of the alerts with one (routing key, dedup key) at most the newest is not resolved.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::check::text;

/// What an event did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It opened an alert.
    Opened,
    /// It was counted into an alert that was open or acknowledged.
    Deduplicated,
    /// It acknowledged an alert.
    Acknowledged,
    /// It resolved an alert.
    Resolved,
    /// There was no such open alert: answered with 202, and dropped.
    Dropped,
}

/// One event answered with 202.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// When it was taken.
    pub at: Timestamp,
    /// `trigger`, `acknowledge` or `resolve`.
    pub action: String,
    /// Which integration it went to.
    pub routing_key: String,
    /// As sent, or as made up for a trigger without one.
    pub dedup_key: String,
    /// What it did.
    pub effect: Effect,
    /// The whole event as sent.
    pub body: Value,
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// People are called.
    Open,
    /// Someone took it.
    Acknowledged,
    /// It is over.
    Resolved,
}

/// One alert: from the trigger that opened it to its resolve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alert {
    /// Which integration it belongs to.
    pub routing_key: String,
    /// Its key there.
    pub dedup_key: String,
    /// Where it stands.
    pub state: AlertState,
    /// The opening trigger's summary.
    pub summary: String,
    /// The opening trigger's severity.
    pub severity: String,
    /// Triggers counted into it, the opening one included.
    pub triggers: usize,
    /// When it was opened.
    pub opened_at: Timestamp,
}

/// One change event answered with 202.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// When it was taken.
    pub at: Timestamp,
    /// Which integration it went to.
    pub routing_key: String,
    /// Its summary.
    pub summary: String,
    /// The whole event as sent.
    pub body: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Trigger,
    Acknowledge,
    Resolve,
}

impl Action {
    pub(super) fn parse(word: &str) -> Option<Self> {
        match word {
            "trigger" => Some(Self::Trigger),
            "acknowledge" => Some(Self::Acknowledge),
            "resolve" => Some(Self::Resolve),
            _ => None,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) events: Vec<Event>,
    pub(super) alerts: Vec<Alert>,
    pub(super) changes: Vec<Change>,
}

impl Account {
    /// Takes a checked event and gives its dedup key.
    pub(super) fn take(&mut self, action: Action, routing_key: String, body: Value, at: Timestamp) -> String {
        let dedup_key = match text(&body, "dedup_key") {
            "" => format!("{:032x}", self.events.len() + 1),
            key => key.to_owned(),
        };
        let effect = self.apply(action, &routing_key, &dedup_key, &body, at);
        let action = text(&body, "event_action").to_owned();
        self.events.push(Event { at, action, routing_key, dedup_key: dedup_key.clone(), effect, body });
        dedup_key
    }

    /// Takes a checked change event.
    pub(super) fn take_change(&mut self, body: Value, at: Timestamp) {
        let routing_key = text(&body, "routing_key").to_owned();
        let summary = body.get("payload").map(|payload| text(payload, "summary")).unwrap_or_default().to_owned();
        self.changes.push(Change { at, routing_key, summary, body });
    }

    fn apply(&mut self, action: Action, routing_key: &str, dedup_key: &str, body: &Value, at: Timestamp) -> Effect {
        let unresolved = self.alerts.iter_mut().find(|alert| {
            alert.state != AlertState::Resolved && alert.routing_key == routing_key && alert.dedup_key == dedup_key
        });
        match (action, unresolved) {
            (Action::Trigger, Some(alert)) => {
                alert.triggers += 1;
                Effect::Deduplicated
            }
            (Action::Trigger, None) => {
                self.alerts.push(opened(routing_key, dedup_key, body, at));
                Effect::Opened
            }
            (Action::Acknowledge, Some(alert)) => {
                alert.state = AlertState::Acknowledged;
                Effect::Acknowledged
            }
            (Action::Resolve, Some(alert)) => {
                alert.state = AlertState::Resolved;
                Effect::Resolved
            }
            (Action::Acknowledge | Action::Resolve, None) => Effect::Dropped,
        }
    }
}

fn opened(routing_key: &str, dedup_key: &str, body: &Value, at: Timestamp) -> Alert {
    let of_payload = |field| body.get("payload").map(|payload| text(payload, field)).unwrap_or_default().to_owned();
    Alert {
        routing_key: routing_key.to_owned(),
        dedup_key: dedup_key.to_owned(),
        state: AlertState::Open,
        summary: of_payload("summary"),
        severity: of_payload("severity"),
        triggers: 1,
        opened_at: at,
    }
}
