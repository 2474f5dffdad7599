//! Step 7: a decision becomes one write: the incident, its timeline and its deliveries.
//!
//! Invariant: whatever is told stands in the same write as the state that it tells of, so that neither exists without
//! the other. A delivery's id follows from the incident, the receiver and the transition's number.

use config::Recipients;
use domain::{
    Action, Alert, Confirmation, Decision, Delivery, DeliveryId, Event, Fingerprint, Group, Incident, Notification,
    Reason, ReceiverKind, Timestamp, Transition,
};
use receivers::Receiver;

use crate::enrich::Learned;
use crate::patience::Patience;
use crate::ports::{Inhibits, StateChange};
use crate::{Triage, TriageError, notify};

/// What people are told of a transition, and the deliveries that tell it.
struct Told {
    words: Notification,
    to: Vec<Delivery>,
    /// Receivers of the route that are not told.
    withheld: Vec<String>,
}

/// What was found out for a decision, kept when the decision has to be made again.
#[derive(Debug)]
pub(crate) struct Findings<'a> {
    /// The batch's, for the outside.
    pub(crate) patience: &'a Patience,
    /// When it was asked whether people want to hear of it: who is told is who wants to at that moment. Asking the
    /// outside takes its time, and hours that end in between would leave nobody.
    pub(crate) asked_at: Option<Timestamp>,
    pub(crate) confirmation: Option<Confirmation>,
    /// The children that the alerts belong to.
    pub(crate) group: Option<Group>,
    /// Those of them that fire once the decision is written.
    pub(crate) firing: Vec<Fingerprint>,
    learned: Option<Learned>,
}

impl<'a> Findings<'a> {
    /// Nothing yet.
    pub(crate) fn new(patience: &'a Patience) -> Self {
        Self { patience, asked_at: None, confirmation: None, group: None, firing: Vec::new(), learned: None }
    }
}

impl Triage {
    /// The write that a decision comes to; `None` when it changes nothing.
    pub(crate) async fn record(
        &self,
        fingerprint: &Fingerprint,
        current: Option<&Incident>,
        fresh: &[Alert],
        subject: &Alert,
        decision: &Decision,
        findings: &mut Findings<'_>,
    ) -> Result<Option<StateChange>, TriageError> {
        let now = self.clock.now();
        let rule = self.config.rule_of(subject);
        let after = Incident::after(current, fingerprint, &rule.name, fresh, decision, &rule.policy, now);
        let Some(mut incident) = after else { return Ok(None) };
        let asked_at = findings.asked_at.unwrap_or(now);
        if decision.action == Action::Open {
            incident.inhibits = self.inhibits(subject, asked_at);
        }
        let children = self.settle_children(findings.group.as_ref(), current, &incident, fresh, decision).await?;
        incident.count(&children, decision.action, now);
        findings.firing = children.firing;
        let mut told = match decision.action {
            Action::Open => Some(self.open(&incident, subject, findings, now).await),
            Action::Escalate => {
                let called = match rule.policy.called_by_step(&incident, &decision.reason) {
                    Some(names) => {
                        let called = names.iter().filter_map(|name| self.config.receiver(name));
                        called.filter(|receiver| rule.phase.tells(receiver.kind())).collect()
                    }
                    None => self.config.recipients(subject, asked_at).told,
                };
                self.update(&incident, Transition::Escalated, &called, now).await?
            }
            Action::Remind => self.update(&incident, Transition::Reminded, &[], now).await?,
            Action::Resolve => self.update(&incident, Transition::Resolved, &[], now).await?,
            Action::Update | Action::Hold => self.shown(&incident, subject, now).await?.map(|(words, names)| {
                let receivers = names.iter().filter_map(|name| self.config.receiver(name));
                let to = receivers.map(|r| later(&incident, &r.name, r.kind(), &words, now)).collect();
                Told { words, to, withheld: Vec::new() }
            }),
            Action::Confirm | Action::Absorb | Action::Watch | Action::Dismiss | Action::Suppress => None,
        };
        if let Some(told) = told.as_mut().filter(|_| decision.reason.is_told()) {
            told.words.because = Some(decision.reason.explain());
        }
        let mut entries = Vec::new();
        for event in events(current, &incident, fresh, subject, decision, findings, told.as_ref()) {
            entries.push(incident.timeline.append(&event, now)?);
        }
        let (notification, deliveries) = told.map_or((None, Vec::new()), |Told { words, to, .. }| (Some(words), to));
        tracing::info!(
            incident.id = %incident.id, alert.fingerprint = %fingerprint, alerts = fresh.len(),
            action = ?decision.action, reason = ?decision.reason, "decided"
        );
        let looks = incident.looks().filter(|at| current.is_none_or(|i| !i.expects_look(*at))).collect();
        Ok(Some(StateChange {
            looks,
            children: children.changed,
            written_at: now,
            inhibits: inhibits(&incident, decision.action),
            expected_version: current.map(|i| i.version),
            expected_occurrences: current.map_or(0, |i| i.occurrences),
            ended: current.filter(|i| i.id != incident.id).map(Incident::left_behind),
            monitor: self.heard(&incident.fingerprint, fresh.iter().find(|alert| alert.id == subject.id)),
            incident,
            entries,
            notification,
            deliveries,
        }))
    }

    /// Everyone on the rule's route is told that an episode opened.
    async fn open(&self, incident: &Incident, subject: &Alert, findings: &mut Findings<'_>, now: Timestamp) -> Told {
        let began_at = began_at(findings.confirmation.as_ref()).unwrap_or(subject.observed_at);
        let learned = match findings.learned.take() {
            Some(learned) => learned,
            None => self.enrich(subject, began_at, incident, findings.patience).await,
        };
        let mut told = notify::opened(incident, subject, findings.confirmation.as_ref(), &learned, now);
        told.enrichment.earlier.clone_from(&incident.earlier);
        findings.learned = Some(learned);
        // What was asked outside took its time, which must not be taken from a message's lease.
        let written_at = self.clock.now();
        let asked_at = findings.asked_at.unwrap_or(now);
        let Recipients { told: receivers, withheld } = self.config.recipients(subject, asked_at);
        let deliveries = receivers.into_iter().map(|receiver| opening(incident, receiver, &told, written_at)).collect();
        Told { words: told, to: deliveries, withheld: withheld.into_iter().map(|one| one.name.clone()).collect() }
    }

    /// Everyone who was told of the episode is told of what came after, even if the route has changed since; `more` are
    /// told of it as well, as people whom its new severity calls; where nobody was told before, they alone.
    async fn update(
        &self,
        incident: &Incident,
        transition: Transition,
        more: &[&Receiver],
        now: Timestamp,
    ) -> Result<Option<Told>, TriageError> {
        let earlier = self.store.deliveries(&incident.id, None).await?;
        if earlier.is_empty() && more.is_empty() {
            return Ok(None);
        }
        // An opening of which nobody was told has its words all the same.
        let seq = earlier.iter().map(|d| d.id.seq).min().unwrap_or(0);
        let Some(first) = self.store.notification(&incident.id, seq).await? else { return Ok(None) };
        let mut told: Vec<(&str, ReceiverKind)> = Vec::new();
        let more = more.iter().map(|receiver| (receiver.name.as_str(), receiver.kind()));
        for (name, kind) in earlier.iter().map(|d| (d.id.receiver.as_str(), d.kind)).chain(more) {
            if told.iter().all(|(known, _)| *known != name) {
                told.push((name, kind));
            }
        }
        let update = notify::updated(&first, incident, transition, now);
        let deliveries = told.into_iter().map(|(name, kind)| later(incident, name, kind, &update, now)).collect();
        Ok(Some(Told { words: update, to: deliveries, withheld: Vec::new() }))
    }
}

/// One receiver's delivery of an opening.
fn opening(incident: &Incident, receiver: &Receiver, told: &Notification, at: Timestamp) -> Delivery {
    let id = delivery_id(incident, &receiver.name);
    if id.seq == 0 && receiver.is_harmless_twice() {
        Delivery::leased_to_its_message(id, receiver.kind(), told.transition, at)
    } else {
        Delivery::pending(id, receiver.kind(), told.transition, at)
    }
}

/// One receiver's delivery of what came after it.
fn later(incident: &Incident, receiver: &str, kind: ReceiverKind, told: &Notification, at: Timestamp) -> Delivery {
    Delivery::pending(delivery_id(incident, receiver), kind, told.transition, at)
}

/// The newest transition's delivery to a receiver; the incident has counted that transition already.
fn delivery_id(incident: &Incident, receiver: &str) -> DeliveryId {
    DeliveryId {
        incident: incident.id.clone(),
        receiver: receiver.to_owned(),
        seq: incident.transitions.saturating_sub(1),
    }
}

/// What the incident begins to explain when it opens, and ends to explain when it is over.
fn inhibits(incident: &Incident, action: Action) -> Vec<Inhibits> {
    let is_open = match action {
        Action::Open => true,
        Action::Resolve | Action::Dismiss => false,
        _ => return Vec::new(),
    };
    incident.inhibits.iter().map(|group| Inhibits { group: group.clone(), is_open }).collect()
}

/// When the first detector saw the metric leave its band.
fn began_at(confirmation: Option<&Confirmation>) -> Option<Timestamp> {
    confirmation?.evidence.iter().filter_map(|e| e.since).min()
}

/// What the timeline says of a decision. A storm of alerts suppressed for one reason is one entry, and one more where a
/// worse one came: the incident counts them.
fn events(
    current: Option<&Incident>,
    incident: &Incident,
    fresh: &[Alert],
    subject: &Alert,
    decision: &Decision,
    findings: &Findings,
    told: Option<&Told>,
) -> Vec<Event> {
    let reason = decision.reason.clone();
    let told_before =
        current.and_then(|i| i.suppressed_because.as_ref()).is_some_and(|before| before.says_the_same(&reason));
    let is_worse = incident.held_back_severity > current.and_then(|i| i.held_back_severity);
    if decision.action == Action::Absorb || (decision.action == Action::Suppress && told_before && !is_worse) {
        return Vec::new();
    }
    let mut events = Vec::new();
    if !fresh.is_empty() {
        events.push(Event::Received { alert: Box::new(subject.clone()), alerts: fresh.len() });
    }
    if let Some(confirmation) = findings.confirmation.clone().filter(|_| asked_detectors(&reason)) {
        events.push(Event::Verdict { confirmation });
    }
    if let Some(opened) = told.filter(|_| decision.action == Action::Open) {
        events.push(Event::Enriched { enrichment: Box::new(opened.words.enrichment.clone()) });
        if !opened.withheld.is_empty() {
            events.push(Event::Withheld { receivers: opened.withheld.clone() });
        }
    }
    let receivers: Vec<String> = told.iter().flat_map(|told| &told.to).map(|d| d.id.receiver.clone()).collect();
    let transitioned = |transition| Event::Transitioned { transition, reason: reason.clone(), receivers };
    events.extend(match decision.action {
        Action::Open => Some(transitioned(Transition::Opened)),
        Action::Escalate => Some(transitioned(Transition::Escalated)),
        Action::Remind => Some(transitioned(Transition::Reminded)),
        Action::Update | Action::Hold => Some(transitioned(Transition::Updated)),
        Action::Resolve => Some(transitioned(Transition::Resolved)),
        Action::Watch => incident.next_check_at.map(|next_check_at| Event::Watching { reason, next_check_at }),
        Action::Dismiss => Some(Event::Dismissed { reason }),
        Action::Suppress => Some(Event::Suppressed { reason }),
        Action::Absorb | Action::Confirm => None,
    });
    events
}

fn asked_detectors(reason: &Reason) -> bool {
    matches!(reason, Reason::Confirmed | Reason::Unconfirmed | Reason::Rejected | Reason::RejectedThroughout)
}
