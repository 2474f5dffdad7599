//! Step 3: one run of alerts of one fingerprint becomes one decision, written under the version it was made on.
//!
//! Invariant: of two workers that decide at once one writes and the other decides again on what was written. An alert
//! that was taken before is never counted twice; what its first taking left unsent is sent.

use domain::{
    Action, Alert, Confirmation, Decision, Fingerprint, Incident, IncidentId, Reason, State, Status, Timestamp, decide,
    told_at,
};

use crate::ports::{Absorbed, Committed, Duplicates};
use crate::record::Findings;
use crate::{Triage, TriageError};

/// Times a decision is made again because someone else was faster.
const CONTENDED_MAX: u32 = 16;

/// A later look at a pending incident.
#[derive(Debug, Clone)]
pub(crate) struct Recheck {
    pub(crate) incident: IncidentId,
    pub(crate) due: Timestamp,
    pub(crate) alert: Alert,
}

impl Triage {
    /// Settles alerts of one status.
    pub(crate) async fn settle_run(&self, fingerprint: &Fingerprint, run: Vec<Alert>) -> Result<(), TriageError> {
        let current = if run.iter().all(|a| a.status == Status::Firing) {
            match self.store.absorb(fingerprint, &duplicates(&run, self.clock.now())).await? {
                Absorbed::Counted => return Ok(()),
                Absorbed::Current(current) => current.map(|boxed| *boxed),
            }
        } else {
            self.store.incident(fingerprint).await?
        };
        let Some(subject) = run.iter().max_by_key(|a| a.received_at).cloned() else { return Ok(()) };
        self.settle(fingerprint, current, &run, &subject).await
    }

    /// Settles a later look, if it is not superseded.
    pub(crate) async fn settle_recheck(&self, fingerprint: &Fingerprint, recheck: &Recheck) -> Result<(), TriageError> {
        let current = self.store.incident(fingerprint).await?;
        let expected = current.as_ref().is_some_and(|i| {
            i.id == recheck.incident && i.state == State::Pending && i.next_check_at == Some(recheck.due)
        });
        match current {
            Some(pending) if expected && self.clock.now() < recheck.due => {
                self.send_recheck(&pending, &recheck.alert).await
            }
            Some(pending) if expected => self.settle(fingerprint, Some(pending), &[], &recheck.alert).await,
            _ => Ok(()),
        }
    }

    /// Decides and writes until nobody was faster. `subject` is the alert that detectors and messages speak of.
    async fn settle(
        &self,
        fingerprint: &Fingerprint,
        mut current: Option<Incident>,
        alerts: &[Alert],
        subject: &Alert,
    ) -> Result<(), TriageError> {
        let mut findings = Findings::default();
        for _ in 0..CONTENDED_MAX {
            let fresh: Vec<Alert> =
                alerts.iter().filter(|a| current.as_ref().is_none_or(|i| !i.seen.contains(&a.id))).cloned().collect();
            if let (Some(known), true, false) = (&current, fresh.is_empty(), alerts.is_empty()) {
                return self.finish_what_was_left(known, subject).await;
            }
            self.learn_when_people_were_told(current.as_mut(), &fresh).await?;
            let decision = self.decide_with(current.as_ref(), &fresh, subject, &mut findings).await;
            if decision.reason == Reason::NoLongerPending {
                return Ok(());
            }
            let change = self.record(fingerprint, current.as_ref(), &fresh, subject, &decision, &mut findings).await?;
            let Some(change) = change else { return Ok(()) };
            match self.store.commit(&change).await? {
                Committed::Done => return self.dispatch(&change, subject).await,
                Committed::Conflict(newer) => current = newer.map(|boxed| *boxed),
            }
        }
        Err(TriageError::Contended(CONTENDED_MAX))
    }

    /// Cooldown counts from deliveries, so a resolved incident is decided on with what its deliveries say.
    async fn learn_when_people_were_told(
        &self,
        current: Option<&mut Incident>,
        fresh: &[Alert],
    ) -> Result<(), TriageError> {
        let firing = fresh.iter().any(|a| a.status == Status::Firing);
        if let Some(resolved) = current.filter(|i| firing && i.state == State::Resolved && i.opened_at.is_some()) {
            resolved.told_at = told_at(&self.store.deliveries(&resolved.id, None).await?);
        }
        Ok(())
    }

    /// The decision, after asking the detectors if it needs them. They are asked once, however often it is made again.
    async fn decide_with(
        &self,
        current: Option<&Incident>,
        fresh: &[Alert],
        subject: &Alert,
        findings: &mut Findings,
    ) -> Decision {
        let policy = &self.config.rule_for(subject).policy;
        let decide_now = |answer: Option<&Confirmation>| decide(current, fresh, answer, policy, self.clock.now());
        let decision = decide_now(findings.confirmation.as_ref());
        if decision.action != Action::Confirm {
            return decision;
        }
        findings.confirmation = Some(self.confirm(subject).await);
        decide_now(findings.confirmation.as_ref())
    }
}

fn duplicates(run: &[Alert], now: Timestamp) -> Duplicates {
    Duplicates {
        ids: run.iter().map(|a| a.id.clone()).collect(),
        severity: run.iter().map(|a| a.severity).max().unwrap_or(domain::Severity::Info),
        last_seen: run.iter().map(|a| a.received_at).max().unwrap_or(now),
        now,
    }
}
