//! What nobody acknowledges: step by step, once each.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod fixtures;

use fixtures::{at, confirmation};
use tocsin_domain::{
    Action, Alert, Decision, EscalationStep, Fingerprint, Flapping, Incident, Policy, Reason, Severity, State, Status,
    Verdict, decide,
};

fn policy() -> Policy {
    let step = |after_secs, severity, receivers: &[&str]| EscalationStep {
        after_secs,
        severity,
        receivers: receivers.iter().map(|name| (*name).to_owned()).collect(),
    };
    let escalate =
        vec![step(1800, Some(Severity::Critical), &["on-call"]), step(7200, Some(Severity::Warning), &["managers"])];
    Policy { escalate, ..fixtures::POLICY }
}

/// Its id follows from its time.
fn alert(status: Status, secs: i64) -> Alert {
    fixtures::alert(u32::try_from(secs).expect("after the beginning"), status, secs)
}

/// Decides and applies.
fn settle(current: Option<&Incident>, alerts: &[Alert], policy: &Policy, secs: i64) -> (Decision, Incident) {
    let answer = confirmation(Verdict::Confirmed, at(secs));
    let decision = decide(current, alerts, Some(&answer), policy, at(secs));
    let fingerprint = Fingerprint::of(&alert(Status::Firing, 0), &["service".to_owned()]);
    let next = Incident::after(current, &fingerprint, "rule", alerts, &decision, policy, at(secs));
    (decision, next.expect("an incident"))
}

fn opened(policy: &Policy) -> Incident {
    let (_, open) = settle(None, &[alert(Status::Firing, 0)], policy, 0);
    assert_eq!((open.state, open.escalate_at), (State::Open, Some(at(1800))));
    open
}

#[test]
fn each_step_is_taken_once_and_only_raises_the_severity() {
    let policy = policy();
    let (decision, first) = settle(Some(&opened(&policy)), &[], &policy, 1800);
    assert_eq!(decision.action, Action::Escalate);
    assert_eq!(decision.reason, Reason::NotAcknowledged { after_secs: 1800 });
    assert_eq!(decision.reason.explain(), "nobody has acknowledged it for 30 min");
    assert_eq!((first.severity, first.escalate_at), (Severity::Critical, Some(at(7200))));
    assert_eq!(policy.called_by_step(&first, &decision.reason), Some(&["on-call".to_owned()][..]));
    assert_eq!(policy.called_by_step(&first, &Reason::SeverityRaised), None, "that has its own route");

    let (decision, second) = settle(Some(&first), &[], &policy, 7200);
    assert_eq!(decision.reason.explain(), "nobody has acknowledged it for 2 h");
    assert_eq!((second.severity, second.escalate_at), (Severity::Critical, None));
    assert_eq!(policy.called_by_step(&second, &decision.reason), Some(&["managers".to_owned()][..]));

    let (_, over) = settle(Some(&second), &[alert(Status::Cleared, 7300)], &policy, 7300);
    assert_eq!((over.state, over.escalate_at), (State::Resolved, None));
    let (_, again) = settle(Some(&over), &[alert(Status::Firing, 7400)], &policy, 7400);
    assert_eq!((again.escalations, again.escalate_at), (0, Some(at(7400 + 1800))), "the next episode begins anew");
}

#[test]
fn who_took_it_is_left_alone() {
    let policy = policy();
    let taken = Incident { state: State::Acknowledged, ..opened(&policy) };
    let (decision, after) = settle(Some(&taken), &[], &policy, 1800);
    assert_eq!(decision.action, Action::Absorb);
    assert_eq!((after.escalations, after.escalate_at), (0, None), "and no look is left");
}

#[test]
fn a_rule_that_lost_its_steps_escalates_nothing() {
    let without = Policy { escalate: Vec::new(), ..policy() };
    let (decision, after) = settle(Some(&opened(&policy())), &[], &without, 1800);
    assert_eq!((decision.action, after.escalate_at), (Action::Absorb, None));
}

#[test]
fn what_is_held_because_it_flaps_waits() {
    let policy = Policy { flapping: Some(Flapping { changes: 3, within_secs: 3600 }), ..policy() };
    let flapped = Incident { changes: vec![at(-20), at(-10)], ..opened(&policy) };
    let (decision, held) = settle(Some(&flapped), &[alert(Status::Cleared, 60)], &policy, 60);
    assert_eq!((decision.action, held.escalate_at), (Action::Hold, None));
    let (_, fires) = settle(Some(&held), &[alert(Status::Firing, 3600)], &policy, 3600);
    let (decision, after) = settle(Some(&fires), &[], &policy, 3660);
    assert_eq!((decision.reason, after.escalate_at), (Reason::FlapsNoMore, Some(at(1800))), "then it is due at once");
}

/// Decides over a look while something mutes, and applies.
fn settle_muted(current: &Incident, alerts: &[Alert], policy: &Policy, until: i64, secs: i64) -> Incident {
    let muted = Some(Reason::OutsideActiveTime { until: at(until) });
    let decision = decide(Some(current), alerts, None, policy, at(secs)).muted(muted);
    let fingerprint = current.fingerprint.clone();
    Incident::after(Some(current), &fingerprint, "rule", alerts, &decision, policy, at(secs)).expect("an incident")
}

#[test]
fn what_is_muted_is_due_when_the_mute_ends_and_not_before() {
    let policy = policy();
    let muted = settle_muted(&opened(&policy), &[], &policy, 5000, 1800);
    assert_eq!((muted.escalations, muted.escalate_at), (0, Some(at(5000))));
    assert_eq!(muted.looks().collect::<Vec<_>>(), [at(5000)], "one look, and none that is overdue");
    // Whatever comes in the meantime.
    let (_, counted) = settle(Some(&muted), &[alert(Status::Firing, 2000)], &policy, 2000);
    assert_eq!(counted.escalate_at, Some(at(5000)));
    let again = settle_muted(&counted, &[], &policy, 9000, 5000);
    assert_eq!(again.looks().collect::<Vec<_>>(), [at(9000)], "it is muted for longer");

    let (decision, first) = settle(Some(&again), &[], &policy, 9000);
    assert_eq!(decision.reason, Reason::NotAcknowledged { after_secs: 1800 });
    assert_eq!((first.escalations, first.escalate_at), (1, Some(at(7200))), "the next one is due at once");
    let (decision, second) = settle(Some(&first), &[], &policy, 9001);
    assert_eq!((decision.reason, second.escalate_at), (Reason::NotAcknowledged { after_secs: 7200 }, None));
}
