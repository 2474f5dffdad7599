//! The one stateful thing per fingerprint.
//!
//! Invariant: an id names one episode, from its first alert to its end; a resolved episode is never opened again, the
//! next one has a new id. Fields change in this crate and in the store's one duplicate update, nowhere else.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Action, Alert, AlertId, Children, Decision, EarlierEpisode, Fingerprint, IncidentId, Policy, Reason, Severity,
    Status, TimelineHead, Told,
};

/// Alert ids remembered per incident, so that a queue's second delivery of one message is not a second occurrence.
pub const SEEN_ALERTS_MAX: usize = 64;

/// Earlier episodes remembered per fingerprint.
const EARLIER_EPISODES_MAX: usize = 5;

/// Where an incident stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The detectors rejected it; it is looked at again and nobody knows.
    Pending,
    /// Its receivers are told.
    Open,
    /// Someone has taken it.
    Acknowledged,
    /// Over, and cooling down where people were told.
    Resolved,
}

impl State {
    /// The word used in records and messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }
}

/// The current episode of one fingerprint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Whose.
    pub fingerprint: Fingerprint,
    /// Raised by one on every conditional write; the duplicate update leaves it.
    pub version: u64,
    /// This episode.
    pub id: IncidentId,
    /// The episode's number, from 1. 0 for a clear that came before any alert.
    pub episode: u64,
    /// Where it stands.
    pub state: State,
    /// The worst severity seen in the episode.
    pub severity: Severity,
    /// The rule that matched.
    pub rule: String,
    /// The service.
    pub service: String,
    /// The metric.
    pub metric: String,
    /// The monitor's name.
    pub monitor: String,
    /// The labels of the alert that began it.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Firing alerts folded into the episode.
    pub occurrences: u64,
    /// Alerts taken without telling anyone since the episode ended.
    #[serde(default)]
    pub suppressed: u64,
    /// Why the newest of them were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppressed_because: Option<Reason>,
    /// Transitions so far: the next delivery's number.
    #[serde(default)]
    pub transitions: u32,
    /// When its first alert was received.
    pub first_seen: Timestamp,
    /// When its newest firing alert was received.
    pub last_seen: Timestamp,
    /// When its receivers were told; absent while pending, and for an episode that told nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    /// When the clear that ended it was received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared_received_at: Option<Timestamp>,
    /// When the source saw that clear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared_observed_at: Option<Timestamp>,
    /// When the newest firing alert was received that was held back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_back_at: Option<Timestamp>,
    /// The severity of the alert that the look at what was held back carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_back_severity: Option<Severity>,
    /// Whether people were told: read from the deliveries for a resolved episode, never stored.
    #[serde(skip)]
    pub told: Told,
    /// While pending: when the metric is looked at again. While open: when people are reminded. Once over: when a firing
    /// alert that was held back is looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_check_at: Option<Timestamp>,
    /// While pending: until when it is looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_until: Option<Timestamp>,
    /// Its children, where its rule tells them apart.
    #[serde(default, skip_serializing_if = "Children::is_none")]
    pub children: Children,
    /// When its fingerprint's state changed, newest last, where its rule asks for that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Timestamp>,
    /// Until when it is held open, because its state changed too often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
    /// Steps of its rule's escalation that were taken.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub escalations: usize,
    /// When the next one is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalate_at: Option<Timestamp>,
    /// When people were last shown how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_at: Option<Timestamp>,
    /// When they are shown that again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count_at: Option<Timestamp>,
    /// The newest alerts taken, at most [`SEEN_ALERTS_MAX`].
    #[serde(default)]
    pub seen: BTreeSet<AlertId>,
    /// The record's newest entry.
    #[serde(default)]
    pub timeline: TimelineHead,
    /// The groups of alerts that it explains while it is open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inhibits: Vec<String>,
    /// Earlier episodes that people were told of, newest first.
    #[serde(default)]
    pub earlier: Vec<EarlierEpisode>,
    /// What stood before it, whether or not people were told of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<IncidentId>,
}

impl Incident {
    /// The incident after a decision over `alerts`, with its version raised.
    ///
    /// `incident` is the one the decision was made on. `None` when the decision changes nothing: without an incident
    /// and without alerts there is nothing to hold.
    #[must_use]
    pub fn after(
        incident: Option<&Self>,
        fingerprint: &Fingerprint,
        rule: &str,
        alerts: &[Alert],
        decision: &Decision,
        policy: &Policy,
        now: Timestamp,
    ) -> Option<Self> {
        let mut next = match (incident, newest(alerts)) {
            (Some(current), _) if !decision.begins_episode(current.state) => current.clone(),
            (current, Some(alert)) => Self::begin(current, fingerprint, rule, alert, decision),
            (Some(current), None) => current.clone(),
            (None, None) => return None,
        };
        next.version += 1;
        let new = alerts.iter().filter(|alert| !next.seen.contains(&alert.id)).count() as u64;
        next.note(alerts, decision.action);
        next.apply(alerts, new, decision, policy, now);
        Some(next)
    }

    /// Remembers the alerts as seen and counts the firing ones. How severe the worst is, is taken over with what tells
    /// people of it: nobody has heard of what was suppressed.
    fn note(&mut self, alerts: &[Alert], action: Action) {
        for alert in alerts {
            let is_new = self.seen.insert(alert.id.clone());
            if alert.status == Status::Firing && self.state != State::Resolved {
                // An episode counts the alert that begins it, though it was seen when it was held back.
                self.occurrences += u64::from(is_new || self.occurrences == 0);
                self.last_seen = self.last_seen.max(alert.received_at);
                if action != Action::Suppress {
                    self.severity = self.severity.max(alert.severity);
                }
            }
        }
        // Down to half: the duplicate update needs room to add without reading.
        if self.seen.len() > SEEN_ALERTS_MAX {
            while self.seen.len() > SEEN_ALERTS_MAX / 2 {
                self.seen.pop_first();
            }
        }
    }

    /// `new` of the alerts are taken for the first time: a later look at one that was held back is no other alert.
    fn apply(&mut self, alerts: &[Alert], new: u64, decision: &Decision, policy: &Policy, now: Timestamp) {
        match decision.action {
            Action::Open => {
                self.state = State::Open;
                self.change(policy, now);
                self.opened_at = Some(now);
                self.remind_later(policy, now);
                self.transitions += 1;
            }
            Action::Escalate | Action::Remind => {
                self.step(policy, &decision.reason);
                self.remind_later(policy, now);
                self.transitions += 1;
            }
            Action::Update => {
                self.counted_at = Some(now);
                self.count_at = None;
                self.transitions += 1;
                if decision.reason == Reason::FlapsNoMore {
                    self.held_until = None;
                    self.remind_later(policy, now);
                }
            }
            Action::Hold => {
                self.change(policy, now);
                if let Reason::Flapping { until } = decision.reason {
                    self.held_until = Some(until);
                }
                self.remind_later(policy, now);
                self.clear_seen(alerts);
                self.transitions += 1;
            }
            Action::Watch => {
                let until = after_secs(now, policy.recheck_for_secs);
                self.look_next(Some(after_secs(now, policy.recheck_every_secs)), now);
                self.check_until = Some(self.check_until.unwrap_or(until));
            }
            Action::Resolve => {
                if decision.reason != Reason::Quiet {
                    self.change(policy, now);
                }
                self.end(alerts, now);
                self.transitions += 1;
            }
            Action::Dismiss => self.end(alerts, now),
            Action::Suppress => {
                self.suppressed += new;
                self.suppressed_because = Some(decision.reason.clone());
                self.hold_back(alerts, &decision.reason, now);
                self.clear_seen(alerts);
            }
            Action::Absorb | Action::Confirm => {}
        }
        self.plan_step(policy, decision, now);
    }

    fn end(&mut self, alerts: &[Alert], now: Timestamp) {
        self.state = State::Resolved;
        self.resolved_at = Some(now);
        self.next_check_at = None;
        self.held_back_severity = None;
        self.count_at = None;
        self.held_until = None;
        self.clear_seen(alerts);
    }

    /// Keeps the newest clear's times: what was received or seen before them is over, and need not be looked at.
    fn clear_seen(&mut self, alerts: &[Alert]) {
        for alert in alerts.iter().filter(|a| a.status == Status::Cleared) {
            self.cleared_received_at = self.cleared_received_at.max(Some(alert.received_at));
            self.cleared_observed_at = self.cleared_observed_at.max(Some(alert.observed_at));
        }
        // What holds children back ends for each child by itself.
        if self.state == State::Resolved && self.children.is_none() && self.held_back_at <= self.cleared_received_at {
            self.next_check_at = None;
            self.held_back_severity = None;
        }
    }

    /// A new episode, after the one before if there was one. A clear that came before any alert begins episode 0,
    /// already over: it keeps the alert that it overtook from opening anything.
    fn begin(before: Option<&Self>, fingerprint: &Fingerprint, rule: &str, alert: &Alert, decision: &Decision) -> Self {
        let episode = match (decision.action, before) {
            (Action::Suppress, _) => 0,
            (_, Some(before)) => before.episode + 1,
            (_, None) => 1,
        };
        let began_at = alert.received_at;
        let state = if decision.action == Action::Suppress { State::Resolved } else { State::Pending };
        Self {
            fingerprint: fingerprint.clone(),
            version: before.map_or(0, |b| b.version),
            id: IncidentId::of(fingerprint, episode, began_at),
            episode,
            state,
            severity: alert.severity,
            rule: rule.to_owned(),
            service: alert.service.clone(),
            metric: alert.metric.clone(),
            monitor: alert.monitor.clone(),
            labels: alert.labels.clone(),
            occurrences: 0,
            suppressed: 0,
            suppressed_because: None,
            transitions: 0,
            first_seen: began_at,
            last_seen: began_at,
            opened_at: None,
            resolved_at: (state == State::Resolved).then_some(began_at),
            cleared_received_at: None,
            cleared_observed_at: None,
            held_back_at: None,
            held_back_severity: None,
            told: Told::default(),
            next_check_at: None,
            check_until: None,
            children: Children::default(),
            changes: before.map(|b| b.changes.clone()).unwrap_or_default(),
            held_until: None,
            escalations: 0,
            escalate_at: None,
            counted_at: None,
            count_at: None,
            // A queue may hand out a message again long after its episode ended.
            seen: before.map(|b| b.seen.clone()).unwrap_or_default(),
            timeline: TimelineHead::default(),
            inhibits: Vec::new(),
            earlier: before.map(Self::history).unwrap_or_default(),
            previous: before.map(|b| b.id.clone()),
        }
    }

    /// This episode, if anyone was told of it, before the ones remembered.
    fn history(&self) -> Vec<EarlierEpisode> {
        let this = self.opened_at.zip(self.resolved_at).map(|(opened_at, resolved_at)| EarlierEpisode {
            incident: self.id.clone(),
            opened_at,
            resolved_at,
        });
        this.into_iter().chain(self.earlier.iter().cloned()).take(EARLIER_EPISODES_MAX).collect()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

fn newest(alerts: &[Alert]) -> Option<&Alert> {
    alerts.iter().max_by_key(|a| a.received_at)
}

/// `now` plus seconds, held at the end of time.
pub(crate) fn after_secs(now: Timestamp, secs: u64) -> Timestamp {
    let duration = SignedDuration::from_secs(i64::try_from(secs).unwrap_or(i64::MAX));
    now.checked_add(duration).unwrap_or(Timestamp::MAX)
}
