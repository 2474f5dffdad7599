//! Flapping incidents: held open, told of once, over when they were quiet.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod fixtures;

use std::sync::LazyLock;

use fixtures::{at, confirmation};
use tocsin_domain::{
    Action, Alert, Fingerprint, Flapping, Incident, Policy, Reason, State, Status, Told, Verdict, decide,
};

static POLICY: LazyLock<Policy> = LazyLock::new(|| Policy {
    remind_every_secs: Some(7200),
    flapping: Some(Flapping { changes: 4, within_secs: 3600 }),
    ..fixtures::POLICY
});

/// Its id follows from its time.
fn alert(status: Status, secs: i64) -> Alert {
    fixtures::alert(u32::try_from(secs).expect("after the beginning"), status, secs)
}

#[derive(Default)]
struct World {
    incident: Option<Incident>,
    told: Vec<Action>,
}

impl World {
    fn settle(&mut self, alerts: &[Alert], secs: i64) -> (Action, Reason) {
        let now = at(secs);
        let fingerprint = Fingerprint::of(&alert(Status::Firing, 0), &["service".to_owned()]);
        let answer = confirmation(Verdict::Confirmed, now);
        let decision = decide(self.incident.as_ref(), alerts, Some(&answer), &POLICY, now);
        let next = Incident::after(self.incident.as_ref(), &fingerprint, "rule", alerts, &decision, &POLICY, now);
        if let Some(mut next) = next {
            next.told = Told::At(now);
            self.incident = Some(next);
        }
        self.told.push(decision.action);
        (decision.action, decision.reason)
    }

    fn fire(&mut self, secs: i64) -> (Action, Reason) {
        self.settle(&[alert(Status::Firing, secs)], secs)
    }

    fn clear(&mut self, secs: i64) -> (Action, Reason) {
        self.settle(&[alert(Status::Cleared, secs)], secs)
    }

    fn look(&mut self, secs: i64) -> (Action, Reason) {
        self.settle(&[], secs)
    }

    fn incident(&self) -> &Incident {
        self.incident.as_ref().expect("an incident")
    }

    fn pages(&self) -> usize {
        self.told.iter().filter(|action| matches!(action, Action::Open | Action::Remind)).count()
    }
}

/// It opens, ends, opens again, and is about to end: the fourth change.
fn flapping() -> World {
    let mut world = World::default();
    world.fire(0);
    assert_eq!(world.clear(60), (Action::Resolve, Reason::Cleared));
    assert_eq!(world.fire(120).0, Action::Open);
    assert_eq!(world.clear(180), (Action::Hold, Reason::Flapping { until: at(3780) }));
    world
}

#[test]
fn what_flaps_is_held_open_and_is_over_when_it_was_quiet() {
    let mut world = flapping();
    assert_eq!(world.incident().state, State::Open);
    assert_eq!(world.clear(200).0, Action::Absorb, "the same clear again changes nothing");
    assert_eq!(world.incident().held_until, Some(at(3780)));
    assert_eq!(world.look(3780), (Action::Resolve, Reason::Quiet));
    assert_eq!((world.incident().state, world.incident().held_until), (State::Resolved, None));
    assert_eq!(world.pages(), 2);
    assert_eq!(world.fire(3800).0, Action::Open, "what comes after is another episode");
    assert_eq!(world.clear(3860), (Action::Resolve, Reason::Cleared), "and no flapping any more");
}

#[test]
fn nobody_is_paged_while_it_flaps() {
    let mut world = flapping();
    for round in 1..20 {
        let secs = 180 + 600 * round;
        assert_eq!(world.fire(secs).0, Action::Absorb);
        assert_eq!(world.clear(secs + 60), (Action::Hold, Reason::Flapping { until: at(secs + 3660) }));
    }
    assert_eq!(world.pages(), 2, "the two before it flapped");
    assert_eq!(world.look(180 + 600 * 19 + 3660), (Action::Resolve, Reason::Quiet));
}

#[test]
fn an_alert_after_a_silence_reminds_nobody_while_it_is_held() {
    let mut world = flapping();
    assert_eq!(world.fire(3779).0, Action::Absorb, "after an hour without an alert");
    assert_eq!(world.incident().next_check_at, None, "and no reminder is due");
}

#[test]
fn what_fires_at_the_end_of_the_hold_stays_open_and_ends_as_any_other() {
    let mut world = flapping();
    world.fire(3700);
    assert_eq!(world.look(3780), (Action::Update, Reason::FlapsNoMore));
    let incident = world.incident();
    assert_eq!((incident.state, incident.held_until, incident.next_check_at), (State::Open, None, Some(at(10_980))));
    assert_eq!(world.clear(3900), (Action::Resolve, Reason::Cleared));
}

#[test]
fn a_clear_that_was_overtaken_holds_nothing() {
    let mut world = flapping();
    world.fire(300);
    assert_eq!(world.settle(&[alert(Status::Cleared, 250)], 310), (Action::Suppress, Reason::StaleClear));
    assert!(!world.incident().is_clear());
}

#[test]
fn a_rule_without_flapping_ends_at_each_clear() {
    let policy = Policy { flapping: None, ..POLICY.clone() };
    let world = flapping();
    let mut open = world.incident().clone();
    open.held_until = None;
    let decision = decide(Some(&open), &[alert(Status::Cleared, 400)], None, &policy, at(400));
    assert_eq!((decision.action, decision.reason), (Action::Resolve, Reason::Cleared));
}
