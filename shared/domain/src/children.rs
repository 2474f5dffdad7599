//! The members of a grouped incident: one page for all of them, each on record.
//!
//! Invariant: a child is counted once, however often and in whatever order its alerts come: its own record says what
//! was taken, not the incident's short memory. The incident is over when the last child that fires has cleared. Under a
//! resolved incident stand the children that a cooldown holds back; the next episode begins with them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::after_secs;
use crate::{
    Action, Alert, AlertId, Confirmation, Decision, Fingerprint, Incident, Policy, Reason, Severity, State, Status,
    decide,
};

/// Children that one write takes: the incident and its deliveries need room beside them.
pub const CHILDREN_PER_WRITE_MAX: usize = 40;

/// Seconds between two counts that people are shown: at least the first, at most the last, and between them a thirtieth
/// of the episode's age, so that a long storm is not a long list of counts.
const COUNT_EVERY_SECS: (i64, i64) = (1, 300);
const COUNTS_PER_AGE: i64 = 30;

/// How many children an incident has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Children {
    /// That fired in the episode.
    pub total: u64,
    /// That fire now. Of a resolved incident: that a cooldown holds back.
    pub firing: u64,
}

impl Children {
    /// True where there are none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// Where a child stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChildState {
    /// It fires.
    Firing,
    /// It has cleared.
    Cleared,
    /// It fires, and a cooldown holds it back.
    HeldBack,
}

impl ChildState {
    /// The word used in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Cleared => "cleared",
            Self::HeldBack => "held_back",
        }
    }
}

/// One member of a grouped incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Child {
    /// A hash over the labels that tell children apart.
    pub key: Fingerprint,
    /// Those labels.
    pub labels: BTreeMap<String, String>,
    /// Where it stands.
    pub state: ChildState,
    /// The worst severity of it.
    pub severity: Severity,
    /// When the first alert was received that counted it; absent where none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<Timestamp>,
    /// When its newest alert was received.
    pub last_seen: Timestamp,
    /// When its newest clear was received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared_received_at: Option<Timestamp>,
    /// When the source saw that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared_observed_at: Option<Timestamp>,
    /// The newest alert that changed it.
    pub alert: AlertId,
    /// `last_seen` as it was read from the store: what a write is conditional on. Never stored.
    #[serde(skip)]
    pub read_last_seen: Option<Timestamp>,
}

impl Child {
    fn new(key: Fingerprint, labels: &[String], alert: &Alert, state: ChildState) -> Self {
        let own = labels.iter().filter_map(|name| Some((name.clone(), alert.label(name)?.to_owned())));
        Self {
            key,
            labels: own.collect(),
            state,
            severity: alert.severity,
            first_seen: None,
            last_seen: alert.received_at,
            cleared_received_at: None,
            cleared_observed_at: None,
            alert: alert.id.clone(),
            read_last_seen: None,
        }
    }

    fn is_live(&self) -> bool {
        matches!(self.state, ChildState::Firing | ChildState::HeldBack)
    }

    /// True where the child's clear came after this firing alert, or overtook it: a source may tell of what fires anew with
    /// the time at which it first did, so that a cooldown after the clear this is taken for new.
    fn has_cleared_since(&self, alert: &Alert, cooldown_secs: u64) -> bool {
        let Some(cleared) = self.cleared_received_at else { return false };
        let overtaken = self.cleared_observed_at.is_some_and(|cleared| alert.observed_at < cleared);
        let recent = alert.received_at < after_secs(cleared, cooldown_secs);
        alert.received_at <= cleared || (self.first_seen.is_none() && overtaken && recent)
    }

    fn see(&mut self, alert: &Alert) {
        self.last_seen = self.last_seen.max(alert.received_at);
        self.severity = self.severity.max(alert.severity);
        self.alert = alert.id.clone();
    }
}

/// What alerts do to the children of an incident.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fold {
    /// Children that are new, or another than before.
    pub changed: Vec<Child>,
    /// How many there are then.
    pub counts: Children,
    /// The children of these alerts that fire then.
    pub firing: Vec<Fingerprint>,
    /// Whether a child that fired has cleared.
    pub has_ended: bool,
}

/// What a new episode takes over of the children before it: which have cleared, and when.
fn taken_over(before: Vec<Child>) -> impl Iterator<Item = Child> {
    let cleared = before.into_iter().filter(|child| child.state == ChildState::Cleared);
    cleared.map(|child| Child { first_seen: None, read_last_seen: None, ..child })
}

/// What is known of the children that alerts belong to.
#[derive(Debug, Clone)]
pub struct Group {
    labels: Vec<String>,
    known: Vec<Child>,
    is_look: bool,
    cooldown_secs: u64,
}

impl Group {
    /// The children of alerts, as `known` of the incident that stands, told apart by `labels`. `is_look`: the alert is
    /// one that a cooldown held back and that is looked at again.
    #[must_use]
    pub fn new(labels: &[String], known: Vec<Child>, is_look: bool, policy: &Policy) -> Self {
        Self { labels: labels.to_vec(), known, is_look, cooldown_secs: policy.cooldown_secs }
    }

    /// The children of these keys that the incident does not know.
    #[must_use]
    pub fn unknown(&self, keys: &[Fingerprint]) -> Vec<Fingerprint> {
        keys.iter().filter(|key| self.known.iter().all(|child| child.key != **key)).cloned().collect()
    }

    /// With children, unknown here, as what stood before the incident left them: one that cleared there has cleared here.
    #[must_use]
    pub fn after(mut self, before: Vec<Child>) -> Self {
        self.known.extend(taken_over(before));
        self
    }

    /// True where one of these alerts changed its child before.
    #[must_use]
    pub fn has_taken(&self, alerts: &[Alert]) -> bool {
        self.known.iter().any(|child| alerts.iter().any(|alert| alert.id == child.alert))
    }

    /// What the alerts do to an incident that goes on, or is over.
    #[must_use]
    pub fn fold(&self, incident: Option<&Incident>, alerts: &[Alert]) -> Fold {
        let counts = incident.map(|i| i.children).unwrap_or_default();
        let is_over = incident.is_none_or(|i| i.state == State::Resolved);
        self.fold_into(self.known.clone(), counts, is_over, alerts)
    }

    /// What a decision over the alerts, which left `after`, writes of the children. `held_back` are the children of the
    /// episode before that a cooldown held back.
    #[must_use]
    pub fn settled(
        &self,
        current: Option<&Incident>,
        after: &Incident,
        alerts: &[Alert],
        decision: &Decision,
        held_back: Vec<Child>,
    ) -> Fold {
        if let Some(current) = current.filter(|current| current.id == after.id) {
            let is_firing = alerts.first().is_some_and(|a| a.status == Status::Firing);
            if current.state == State::Resolved && is_firing && decision.reason.held_back_until().is_none() {
                return Fold { counts: current.children, ..Fold::default() };
            }
            return self.fold(Some(current), alerts);
        }
        let alerts: &[Alert] = if self.is_look && !held_back.is_empty() { &[] } else { alerts };
        let known = taken_over(self.known.clone()).collect();
        let mut fold = self.fold_into(known, Children::default(), after.state == State::Resolved, alerts);
        for child in held_back {
            if fold.changed.iter().all(|known| known.key != child.key) {
                fold.counts.total += 1;
                fold.counts.firing += 1;
                fold.firing.push(child.key.clone());
                let first_seen = Some(child.last_seen);
                fold.changed.push(Child { state: ChildState::Firing, first_seen, read_last_seen: None, ..child });
            }
        }
        fold
    }

    fn fold_into(&self, known: Vec<Child>, mut counts: Children, is_over: bool, alerts: &[Alert]) -> Fold {
        let mut children: BTreeMap<Fingerprint, Child> = known.into_iter().map(|c| (c.key.clone(), c)).collect();
        let (mut changed, mut firing, mut has_ended) = (BTreeSet::new(), BTreeSet::new(), false);
        let live = if is_over { ChildState::HeldBack } else { ChildState::Firing };
        for alert in alerts {
            let key = Fingerprint::of(alert, &self.labels);
            let is_new = !children.contains_key(&key);
            let child = children
                .entry(key.clone())
                .or_insert_with(|| Child::new(key.clone(), &self.labels, alert, ChildState::Cleared));
            let is_change = match alert.status {
                Status::Firing if child.is_live() => {
                    let is_newer = alert.received_at > child.last_seen;
                    if is_newer {
                        child.see(alert);
                    }
                    is_newer
                }
                Status::Firing if child.has_cleared_since(alert, self.cooldown_secs) => false,
                Status::Firing => {
                    child.see(alert);
                    child.state = live;
                    counts.firing += 1;
                    if !is_over && child.first_seen.is_none() {
                        child.first_seen = Some(alert.received_at);
                        counts.total += 1;
                    }
                    true
                }
                Status::Cleared if !is_new && alert.received_at < child.last_seen => false,
                Status::Cleared => {
                    if child.is_live() {
                        counts.firing = counts.firing.saturating_sub(1);
                        has_ended = true;
                    }
                    child.see(alert);
                    child.state = ChildState::Cleared;
                    child.cleared_received_at = child.cleared_received_at.max(Some(alert.received_at));
                    child.cleared_observed_at = child.cleared_observed_at.max(Some(alert.observed_at));
                    true
                }
            };
            if child.is_live() {
                firing.insert(key.clone());
            }
            if is_change {
                changed.insert(key);
            }
        }
        children.retain(|key, _| changed.contains(key));
        Fold { changed: children.into_values().collect(), counts, firing: firing.into_iter().collect(), has_ended }
    }
}

/// [`decide`] for an incident whose rule tells children apart.
#[must_use]
pub fn decide_grouped(
    incident: Option<&Incident>,
    group: &Group,
    alerts: &[Alert],
    confirmation: Option<&Confirmation>,
    policy: &Policy,
    now: Timestamp,
) -> Decision {
    let Some(status) = alerts.first().map(|a| a.status) else {
        return decide(incident, alerts, confirmation, policy, now);
    };
    let fold = group.fold(incident, alerts);
    let of = |action, reason| Decision { action, reason };
    let (is_over, children) = match incident {
        Some(incident) => (incident.state == State::Resolved, incident.children),
        None => (true, Children::default()),
    };
    match status {
        Status::Firing if fold.firing.is_empty() && !group.is_look => of(Action::Suppress, Reason::StaleFiring),
        // What was cleared before is said by each child's own record.
        Status::Firing if is_over => {
            let unclear = |i: &Incident| Incident { cleared_received_at: None, cleared_observed_at: None, ..i.clone() };
            decide(incident.map(unclear).as_ref(), alerts, confirmation, policy, now)
        }
        Status::Firing => match decide(incident, alerts, confirmation, policy, now) {
            Decision { action: Action::Absorb, .. } if fold.counts.total > children.total => {
                of(Action::Absorb, Reason::Joined)
            }
            decision => decision,
        },
        Status::Cleared if is_over || children.is_none() => decide(incident, alerts, confirmation, policy, now),
        Status::Cleared if !fold.has_ended => of(Action::Suppress, Reason::ChildNotFiring),
        Status::Cleared if fold.counts.firing > 0 => of(Action::Absorb, Reason::OthersFiring),
        Status::Cleared => match incident.map(|i| i.state) {
            Some(State::Pending) => of(Action::Dismiss, Reason::ClearedWhilePending),
            _ => incident.map_or_else(
                || of(Action::Resolve, Reason::Cleared),
                |incident| crate::flapping::cleared(incident, policy, now),
            ),
        },
    }
}

impl Incident {
    /// Takes over what a decision did to the children, and says when people are shown the new counts.
    pub fn count(&mut self, fold: &Fold, action: Action, now: Timestamp) {
        let is_other = self.children != fold.counts;
        self.children = fold.counts;
        match (action, self.state) {
            (Action::Open | Action::Hold, _) => (self.counted_at, self.count_at) = (Some(now), None),
            (_, State::Open | State::Acknowledged) if is_other && self.count_at.is_none() => {
                let every_secs = (now.as_second() - self.opened_at.unwrap_or(now).as_second()) / COUNTS_PER_AGE;
                let every_secs = every_secs.clamp(COUNT_EVERY_SECS.0, COUNT_EVERY_SECS.1).unsigned_abs();
                let due = after_secs(self.counted_at.unwrap_or(now), every_secs);
                self.count_at = Some(due.max(now));
            }
            // Nothing is held back any more.
            (_, State::Resolved) if is_other && self.children.firing == 0 => self.next_check_at = None,
            _ => {}
        }
    }
}
