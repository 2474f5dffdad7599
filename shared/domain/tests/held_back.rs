//! What a cooldown or a mute holds back is looked at when that ends, and the worst of it most of all.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod fixtures;

use std::sync::LazyLock;

use fixtures::{alert, at, confirmation};
use tocsin_domain::{
    Action, Alert, Decision, Fingerprint, Incident, Policy, Reason, Severity, State, Status, Timestamp, Told, Verdict,
    decide,
};

static POLICY: LazyLock<Policy> = LazyLock::new(|| Policy { cooldown_secs: 600, ..fixtures::POLICY });

fn firing(id: u32, severity: Severity, secs: i64) -> Alert {
    Alert { severity, ..alert(id, Status::Firing, secs) }
}

/// The decision over alerts, muted until then where there is a time, and the incident after it.
fn step(
    incident: Option<&Incident>,
    alerts: &[Alert],
    muted_until: Option<Timestamp>,
    policy: &Policy,
    now: Timestamp,
) -> (Decision, Incident) {
    let fingerprint = Fingerprint::of(&alert(0, Status::Firing, 0), &["service".into(), "metric".into()]);
    let answer = confirmation(Verdict::Confirmed, now);
    let mute = muted_until.map(|until| Reason::Maintenance { window: "move".into(), until });
    let mut decision = decide(incident, alerts, None, policy, now).muted(mute);
    if decision.action == Action::Confirm {
        decision = decide(incident, alerts, Some(&answer), policy, now);
    }
    let after = Incident::after(incident, &fingerprint, "rule", alerts, &decision, policy, now);
    let mut next = after.expect("an incident");
    if decision.calls_people() || decision.action == Action::Resolve {
        next.told = Told::At(now);
    }
    (decision, next)
}

fn open(severity: Severity, policy: &Policy) -> Incident {
    step(None, &[firing(1, severity, 0)], None, policy, at(0)).1
}

fn looks(incident: &Incident) -> Vec<Timestamp> {
    incident.looks().collect()
}

#[test]
fn what_is_muted_is_no_severity_that_anyone_was_told_and_is_when_the_mute_ends() {
    let open = open(Severity::Warning, &POLICY);
    let worse = firing(2, Severity::Critical, 10);
    let (decision, muted) = step(Some(&open), std::slice::from_ref(&worse), Some(at(100)), &POLICY, at(10));
    assert_eq!((decision.action, muted.severity), (Action::Suppress, Severity::Warning));
    assert_eq!((looks(&muted), muted.occurrences), (vec![at(100)], 2));
    let (decision, told) = step(Some(&muted), &[worse], None, &POLICY, at(100));
    assert_eq!((decision.action, decision.reason), (Action::Escalate, Reason::SeverityRaised));
    assert_eq!((told.severity, told.occurrences, looks(&told)), (Severity::Critical, 2, Vec::new()));
}

#[test]
fn a_worse_one_that_comes_when_the_mute_is_over_is_told_at_once() {
    let open = open(Severity::Warning, &POLICY);
    let (_, muted) = step(Some(&open), &[firing(2, Severity::Critical, 10)], Some(at(100)), &POLICY, at(10));
    let (decision, told) = step(Some(&muted), &[firing(3, Severity::Critical, 50)], None, &POLICY, at(50));
    assert_eq!((decision.action, told.severity), (Action::Escalate, Severity::Critical));
}

#[test]
fn a_reminder_or_a_lesser_step_does_not_take_the_place_of_the_look_at_what_is_worse() {
    let policy = Policy { remind_every_secs: Some(3600), ..POLICY.clone() };
    let open = open(Severity::Warning, &policy);
    assert_eq!(looks(&open), [at(3600)]);
    let (_, muted) = step(Some(&open), &[firing(2, Severity::Critical, 10)], Some(at(7200)), &policy, at(10));
    assert_eq!(looks(&muted), [at(7200)], "the reminder would be muted");
    // The mute is ended by hand, and something else is told first.
    let (decision, told) = step(Some(&muted), &[firing(3, Severity::Error, 20)], None, &policy, at(20));
    assert_eq!((decision.action, told.severity), (Action::Escalate, Severity::Error));
    assert_eq!(looks(&told), [at(7200)], "the critical one is still to be told");
    let (decision, told) = step(Some(&told), &[firing(2, Severity::Critical, 10)], None, &policy, at(7200));
    assert_eq!(decision.action, Action::Escalate);
    assert_eq!(looks(&told), [at(7200 + 3600)], "and then people are reminded as ever");
}

#[test]
fn each_worse_alert_has_a_look_of_its_own_and_no_lesser_one_takes_its_time() {
    let (_, over) =
        step(Some(&open(Severity::Warning, &POLICY)), &[alert(2, Status::Cleared, 5)], None, &POLICY, at(5));
    let mut held = over;
    let mut had: Vec<Timestamp> = Vec::new();
    for (number, severity) in
        [Severity::Info, Severity::Warning, Severity::Error, Severity::Critical].into_iter().enumerate()
    {
        let number = u32::try_from(number).expect("a small number");
        let secs = 10 + i64::from(number);
        held = step(Some(&held), &[firing(10 + number, severity, secs)], None, &POLICY, at(secs)).1;
        let look = looks(&held);
        assert_eq!(look.len(), 1);
        assert!(!had.contains(&look[0]), "{severity:?} is taken for a lesser one");
        assert!(look[0].as_second() == at(605).as_second(), "when the cooldown ends");
        had.extend(look);
    }
    let (_, same) = step(Some(&held), &[firing(20, Severity::Critical, 30)], None, &POLICY, at(30));
    let (_, same) = step(Some(&same), &[firing(21, Severity::Warning, 31)], None, &POLICY, at(31));
    assert_eq!(looks(&same), looks(&held), "a storm of them is one look");
    let last = looks(&same)[0];
    let (decision, opened) = step(Some(&same), &[firing(13, Severity::Critical, 31)], None, &POLICY, last);
    assert_eq!((decision.action, opened.severity, opened.occurrences), (Action::Open, Severity::Critical, 1));
    assert_eq!((opened.state, opened.held_back_severity), (State::Open, None));
}

#[test]
fn what_was_held_back_and_is_over_leaves_the_next_one_its_look() {
    let (_, over) = step(Some(&open(Severity::Error, &POLICY)), &[alert(2, Status::Cleared, 5)], None, &POLICY, at(5));
    let (_, held) = step(Some(&over), &[firing(3, Severity::Critical, 10)], None, &POLICY, at(10));
    let (_, cleared) = step(Some(&held), &[alert(4, Status::Cleared, 20)], None, &POLICY, at(20));
    assert_eq!((looks(&cleared), cleared.held_back_severity), (Vec::new(), None));
    let (_, held) = step(Some(&cleared), &[firing(5, Severity::Warning, 30)], None, &POLICY, at(30));
    assert_eq!(looks(&held), [at(605)]);
}
