//! Step 3: one run of alerts of one fingerprint becomes one decision, written under the version it was made on.
//!
//! Invariant: of two workers that decide at once one writes and the other decides again on what was written. An alert
//! that was taken before is never counted twice; when it comes again, what its write told of is sent again, since its
//! worker may have been cut off in between.

use std::borrow::Cow;

use domain::{
    Action, Alert, Confirmation, Decision, Fingerprint, Incident, IncidentId, State, Status, Timestamp, decide,
    decide_grouped, told,
};
use jiff::SignedDuration;

use crate::patience::Patience;
use crate::ports::{Absorbed, Committed, Duplicates};
use crate::record::Findings;
use crate::{Triage, TriageError};

/// Times a decision is made again because someone else was faster.
const CONTENDED_MAX: u32 = 16;

/// A later look: at a rejected anomaly, or at an alert that a cooldown held back.
#[derive(Debug, Clone)]
pub(crate) struct Recheck {
    pub(crate) incident: IncidentId,
    pub(crate) due: Timestamp,
    pub(crate) alert: Alert,
    /// Whether its message was handed out before.
    pub(crate) comes_again: bool,
}

impl Recheck {
    /// True unless the look was superseded.
    fn is_expected(&self, current: Option<&Incident>) -> bool {
        current.is_some_and(|i| i.id == self.incident && i.expects_look(self.due))
    }
}

/// Why a fingerprint is settled.
#[derive(Clone, Copy)]
enum Occasion<'a> {
    Alerts(&'a [Alert]),
    Look(&'a Recheck),
}

impl Occasion<'_> {
    /// Alerts that may be duplicates.
    fn firing(&self) -> &[Alert] {
        match self {
            Self::Alerts(alerts) if alerts.iter().all(|a| a.status == Status::Firing) => alerts,
            Self::Alerts(_) | Self::Look(_) => &[],
        }
    }

    /// True where a message of it was worked on before. A look that was superseded is no sign of that unless its message
    /// comes again: else one stale look would send every look that stands, and each of these the same.
    fn was_taken(&self, current: &Incident) -> bool {
        match self {
            Self::Alerts(alerts) => alerts.iter().any(|a| current.seen.contains(&a.id)),
            Self::Look(look) => look.comes_again && current.id == look.incident && !current.expects_look(look.due),
        }
    }

    /// The alerts to decide over; `None` where there is nothing to decide any more.
    fn fresh(&self, current: Option<&Incident>) -> Option<Cow<'_, [Alert]>> {
        match self {
            Self::Alerts(alerts) => {
                let unseen = |a: &&Alert| current.is_none_or(|i| !i.seen.contains(&a.id));
                let fresh: Vec<Alert> = alerts.iter().filter(unseen).cloned().collect();
                (!fresh.is_empty()).then_some(Cow::Owned(fresh))
            }
            Self::Look(look) if !look.is_expected(current) => None,
            Self::Look(look) => match current {
                Some(current) if current.state == State::Resolved || look.alert.severity > current.severity => {
                    Some(Cow::Owned(vec![held_back(look, current)]))
                }
                _ => Some(Cow::Borrowed(&[])),
            },
        }
    }
}

/// The alert that a cooldown or a mute held back. The newest of several may have come after the look was sent.
fn held_back(look: &Recheck, current: &Incident) -> Alert {
    let at = current.held_back_at.map_or(look.alert.received_at, |at| at.max(look.alert.received_at));
    let observed_at = look.alert.observed_at.max(at);
    Alert { status: Status::Firing, received_at: at, observed_at, ..look.alert.clone() }
}

impl Triage {
    /// Settles alerts of one status, with the batch's patience for the outside. A fingerprint of which this process knows
    /// nothing is taken as new: if it is not, its first write says so.
    pub(crate) async fn settle_run(
        &self,
        fingerprint: &Fingerprint,
        run: Vec<Alert>,
        patience: &Patience,
    ) -> Result<(), TriageError> {
        // The worst says whom it calls.
        let Some(subject) = run.iter().max_by_key(|a| (a.severity, a.received_at)) else { return Ok(()) };
        let occasion = Occasion::Alerts(&run);
        let current = if subject.status == Status::Firing && !self.known.contains(fingerprint) {
            None
        } else {
            let Some(current) = self.absorb_or_read(fingerprint, occasion).await? else { return Ok(()) };
            current
        };
        let is_over = current.as_ref().is_none_or(|incident| incident.state == State::Resolved);
        if is_over && let Some(joined) = self.joined(fingerprint, subject).await? {
            let Some(current) = self.absorb_or_read(&joined, occasion).await? else { return Ok(()) };
            return self.settle(&joined, current, occasion, subject, patience).await;
        }
        self.settle(fingerprint, current, occasion, subject, patience).await
    }

    /// The incident as it stands; `None` where firing alerts were counted as its duplicates.
    async fn absorb_or_read(
        &self,
        fingerprint: &Fingerprint,
        occasion: Occasion<'_>,
    ) -> Result<Option<Option<Incident>>, TriageError> {
        let newest = occasion.firing().iter().max_by_key(|a| a.received_at);
        let Some(newest) = newest else { return Ok(Some(self.store.incident(fingerprint).await?)) };
        let mut duplicates = self.duplicates(occasion.firing(), newest);
        let labels = self.child_labels(newest);
        if !labels.is_empty() {
            duplicates.incident = self.see_again(fingerprint, occasion.firing(), labels).await?;
            if duplicates.incident.is_none() {
                return Ok(Some(self.store.incident(fingerprint).await?));
            }
        }
        match self.store.absorb(fingerprint, &duplicates).await? {
            Absorbed::Counted => {
                self.known.insert(fingerprint);
                self.remember(fingerprint, occasion.firing(), None).await;
                Ok(None)
            }
            Absorbed::Current(current) => Ok(Some(current.map(|boxed| *boxed))),
        }
    }

    /// Settles a later look, if it is not superseded.
    pub(crate) async fn settle_recheck(
        &self,
        fingerprint: &Fingerprint,
        recheck: &Recheck,
        patience: &Patience,
    ) -> Result<(), TriageError> {
        let current = self.store.incident(fingerprint).await?;
        match current {
            Some(early) if recheck.is_expected(Some(&early)) && self.clock.now() < recheck.due => {
                self.send_look(&early, &recheck.alert, recheck.due).await
            }
            current => self.settle(fingerprint, current, Occasion::Look(recheck), &recheck.alert, patience).await,
        }
    }

    /// Decides and writes until nobody was faster. `subject` is the alert that detectors and messages speak of.
    async fn settle(
        &self,
        fingerprint: &Fingerprint,
        mut current: Option<Incident>,
        occasion: Occasion<'_>,
        subject: &Alert,
        patience: &Patience,
    ) -> Result<(), TriageError> {
        let mut findings = Findings::new(patience);
        for _ in 0..CONTENDED_MAX {
            if let Some(known) = current.as_ref().filter(|known| occasion.was_taken(known)) {
                // By a worker that may not have come to its sends.
                self.send_what_was_left(known, subject).await?;
            }
            let Some(fresh) = occasion.fresh(current.as_ref()) else { return Ok(()) };
            let is_look = matches!(occasion, Occasion::Look(_));
            findings.group = self.group(current.as_ref(), &fresh, subject, is_look).await?;
            if let (Some(known), Some(group)) = (&current, &findings.group)
                && group.has_taken(&fresh)
            {
                self.send_what_was_left(known, subject).await?;
            }
            self.learn_whether_people_were_told(current.as_mut(), &fresh).await?;
            let decision = self.decide_with(current.as_ref(), &fresh, subject, &mut findings).await;
            let change = self.record(fingerprint, current.as_ref(), &fresh, subject, &decision, &mut findings).await?;
            let Some(change) = change else { return Ok(()) };
            let committed = self.store.commit(&change).await?;
            self.known.insert(fingerprint);
            match committed {
                Committed::Done => {
                    self.known_children.learn(fingerprint, &change.incident.id, &findings.firing);
                    self.dispatch(&change, subject).await?;
                    self.remember(fingerprint, &fresh, change.monitor.as_ref()).await;
                    return Ok(());
                }
                Committed::Conflict => match self.absorb_or_read(fingerprint, occasion).await? {
                    None => return Ok(()),
                    Some(newer) => current = newer,
                },
            }
        }
        Err(TriageError::Contended(CONTENDED_MAX))
    }

    /// Cooldown counts from deliveries, so a resolved incident is decided on with what its deliveries say.
    async fn learn_whether_people_were_told(
        &self,
        current: Option<&mut Incident>,
        fresh: &[Alert],
    ) -> Result<(), TriageError> {
        let firing = fresh.iter().any(|a| a.status == Status::Firing);
        if let Some(resolved) = current.filter(|i| firing && i.state == State::Resolved && i.opened_at.is_some()) {
            resolved.told = told(&self.store.deliveries(&resolved.id, None).await?);
        }
        Ok(())
    }

    /// The decision, after asking the detectors if it needs them. They are asked once, however often it is made again.
    async fn decide_with(
        &self,
        current: Option<&Incident>,
        fresh: &[Alert],
        subject: &Alert,
        findings: &mut Findings<'_>,
    ) -> Decision {
        let policy = &self.config.rule_of(subject).policy;
        let group = findings.group.as_ref();
        let decide_now = |answer: Option<&Confirmation>| match group {
            Some(group) => decide_grouped(current, group, fresh, answer, policy, self.clock.now()),
            None => decide(current, fresh, answer, policy, self.clock.now()),
        };
        let mut decision = decide_now(findings.confirmation.as_ref());
        if decision.calls_people() {
            let now = self.clock.now();
            findings.asked_at = Some(now);
            decision = decision.muted(self.muted(subject, current, now).await);
        }
        if decision.action != Action::Confirm {
            return decision;
        }
        findings.confirmation = Some(self.confirm(subject, findings.patience).await);
        decide_now(findings.confirmation.as_ref())
    }

    fn duplicates(&self, run: &[Alert], newest: &Alert) -> Duplicates {
        let silence = i64::try_from(self.config.rule_of(newest).policy.remind_after_secs()).unwrap_or(i64::MAX);
        let silent_until = newest.received_at.checked_sub(SignedDuration::from_secs(silence));
        Duplicates {
            ids: run.iter().map(|a| a.id.clone()).collect(),
            severity: run.iter().map(|a| a.severity).max().unwrap_or(newest.severity),
            last_seen: newest.received_at,
            not_silent_since: silent_until.unwrap_or(Timestamp::MIN),
            now: self.clock.now(),
            incident: None,
        }
    }
}
