//! Grouped incidents: children counted once, whatever order their alerts come in.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod fixtures;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use fixtures::{at, confirmation};
use proptest::prelude::*;
use tocsin_domain::{
    Action, Alert, Child, ChildState, Children, Confirmation, Decision, Fingerprint, Group, Incident, Policy, Reason,
    State, Status, Timestamp, Told, Verdict, decide_grouped, runs,
};

static POLICY: LazyLock<Policy> = LazyLock::new(|| Policy { cooldown_secs: 600, ..fixtures::POLICY });

fn alert(id: u32, model: &str, status: Status, secs: i64) -> Alert {
    let labels = [("provider".to_owned(), "acme".to_owned()), ("model".to_owned(), model.to_owned())];
    Alert { labels: labels.into(), ..fixtures::alert(id, status, secs) }
}

fn firing(id: u32, model: &str, secs: i64) -> Alert {
    alert(id, model, Status::Firing, secs)
}

fn cleared(id: u32, model: &str, secs: i64) -> Alert {
    alert(id, model, Status::Cleared, secs)
}

/// The incident and the children of every episode, as the store would hold them.
#[derive(Default)]
struct World {
    incident: Option<Incident>,
    children: BTreeMap<(String, Fingerprint), Child>,
    decisions: Vec<Decision>,
}

impl World {
    fn take(&mut self, alerts: &[Alert], now: Timestamp) {
        for run in runs(alerts.to_vec()) {
            self.settle(&run, now, false);
        }
    }

    fn settle(&mut self, alerts: &[Alert], now: Timestamp, is_look: bool) {
        let labels = ["model".to_owned()];
        let fingerprint = Fingerprint::of(&firing(0, "any", 0), &["provider".to_owned()]);
        let of = |incident: &str| -> Vec<Child> {
            self.children.iter().filter(|(key, _)| key.0 == incident).map(|(_, child)| child.clone()).collect()
        };
        let known = self.incident.as_ref().map(|i| of(i.id.as_str())).unwrap_or_default();
        let held: Vec<Child> = known.iter().filter(|c| c.state == ChildState::HeldBack).cloned().collect();
        let group = Group::new(&labels, known, is_look, &POLICY);
        let unknown = group.unknown(&alerts.iter().map(|alert| Fingerprint::of(alert, &labels)).collect::<Vec<_>>());
        let before = self.incident.as_ref().and_then(|i| i.previous.as_ref()).map(|p| of(p.as_str()));
        let before = before.into_iter().flatten().filter(|child| unknown.contains(&child.key));
        let group = group.after(before.collect());
        let answer = Confirmation { checked: false, ..confirmation(Verdict::Confirmed, now) };
        let decision = decide_grouped(self.incident.as_ref(), &group, alerts, Some(&answer), &POLICY, now);
        let next = Incident::after(self.incident.as_ref(), &fingerprint, "rule", alerts, &decision, &POLICY, now);
        if let Some(mut next) = next {
            let fold = group.settled(self.incident.as_ref(), &next, alerts, &decision, held);
            next.count(&fold, decision.action, now);
            for child in fold.changed {
                self.children.insert((next.id.to_string(), child.key.clone()), child);
            }
            if decision.action == Action::Open {
                next.told = Told::At(now);
            }
            self.incident = Some(next);
        }
        self.decisions.push(decision);
    }

    fn state(&self) -> (State, Children) {
        let incident = self.incident.as_ref().expect("an incident");
        (incident.state, incident.children)
    }

    fn last(&self) -> (Action, Reason) {
        let decision = self.decisions.last().expect("a decision");
        (decision.action, decision.reason.clone())
    }
}

fn counts(total: u64, firing: u64) -> Children {
    Children { total, firing }
}

#[test]
fn an_incident_is_over_when_its_last_child_has_cleared() {
    let mut world = World::default();
    world.take(&[firing(1, "a", 0), firing(2, "b", 0), firing(3, "a", 1)], at(1));
    assert_eq!(world.state(), (State::Open, counts(2, 2)));
    world.take(&[firing(4, "c", 2)], at(2));
    assert_eq!((world.state(), world.last()), ((State::Open, counts(3, 3)), (Action::Absorb, Reason::Joined)));
    world.take(&[cleared(5, "a", 3), cleared(6, "b", 3)], at(3));
    assert_eq!((world.state(), world.last().1), ((State::Open, counts(3, 1)), Reason::OthersFiring));
    world.take(&[cleared(7, "nobody", 4)], at(4));
    assert_eq!((world.state(), world.last().1), ((State::Open, counts(3, 1)), Reason::ChildNotFiring));
    world.take(&[firing(8, "a", 5)], at(5));
    assert_eq!(world.state(), (State::Open, counts(3, 2)), "a child that fires again is no other child");
    world.take(&[cleared(9, "a", 6), cleared(10, "c", 6)], at(6));
    assert_eq!((world.state(), world.last()), ((State::Resolved, counts(3, 0)), (Action::Resolve, Reason::Cleared)));
}

#[test]
fn what_fires_anew_with_its_old_time_counts_after_the_cooldown() {
    let mut world = World::default();
    world.take(&[firing(1, "a", 0), firing(2, "b", 0)], at(0));
    world.take(&[cleared(3, "a", 60), cleared(4, "b", 60)], at(60));
    // Prometheus reaches Alertmanager again, and tells when they began.
    let anew = |id, model, secs| Alert { observed_at: at(0), ..firing(id, model, secs) };
    world.take(&[anew(5, "a", 700), anew(6, "b", 700)], at(700));
    assert_eq!(world.state(), (State::Open, counts(2, 2)));
    world.take(&[cleared(7, "a", 710)], at(710));
    assert_eq!((world.state(), world.last().1), ((State::Open, counts(2, 1)), Reason::OthersFiring));
}

#[test]
fn a_clear_ends_its_own_child_alone_and_only_what_came_before_it() {
    let mut world = World::default();
    world.take(&[firing(1, "a", 0), firing(2, "b", 10)], at(10));
    world.take(&[firing(3, "a", 20)], at(20));
    world.take(&[cleared(4, "a", 15)], at(21));
    assert_eq!(world.state(), (State::Open, counts(2, 2)), "a newer alert of the child came after this clear");
    world.take(&[cleared(5, "b", 12)], at(22));
    assert_eq!(world.state(), (State::Open, counts(2, 1)), "that another child was seen later does not matter");
    world.take(&[firing(2, "b", 10)], at(23));
    assert_eq!(world.state(), (State::Open, counts(2, 1)), "what comes a second time after its clear is over");
}

#[test]
fn an_alert_that_its_clear_has_overtaken_counts_no_child() {
    let mut world = World::default();
    world.take(&[firing(1, "a", 0)], at(0));
    world.take(&[cleared(2, "b", 5)], at(5));
    let overtaken = Alert { observed_at: at(4), ..firing(3, "b", 6) };
    world.take(&[overtaken], at(6));
    assert_eq!((world.state(), world.last().1), ((State::Open, counts(1, 1)), Reason::StaleFiring));
    world.take(&[firing(4, "b", 7)], at(7));
    assert_eq!(world.state(), (State::Open, counts(2, 2)));
}

#[test]
fn a_clear_from_before_the_episode_ends_what_it_overtook() {
    let overtaken = Alert { observed_at: at(4), ..firing(3, "b", 8) };
    let mut world = World::default();
    world.take(&[cleared(1, "b", 5)], at(5));
    world.take(&[firing(2, "a", 7)], at(7));
    world.take(std::slice::from_ref(&overtaken), at(8));
    assert_eq!((world.state(), world.last().1), ((State::Open, counts(1, 1)), Reason::StaleFiring));
    world.take(&[firing(4, "b", 9)], at(9));
    assert_eq!(world.state(), (State::Open, counts(2, 2)), "what fires after its clear counts");
    let mut world = World::default();
    world.take(&[cleared(1, "b", 5)], at(5));
    world.take(&[firing(2, "a", 7), overtaken], at(8));
    assert_eq!(world.state(), (State::Open, counts(1, 1)), "nor does it open the episode with others");
}

#[test]
fn what_a_cooldown_holds_back_is_a_child_of_the_next_episode() {
    let mut world = World::default();
    world.take(&[firing(1, "a", 0)], at(0));
    world.take(&[cleared(2, "a", 10)], at(10));
    world.take(&[firing(3, "b", 20), firing(4, "c", 20)], at(20));
    assert_eq!(world.state(), (State::Resolved, counts(1, 2)), "two are held back");
    world.take(&[cleared(5, "b", 30)], at(30));
    let over = world.incident.clone().expect("an incident");
    assert_eq!((over.children, over.next_check_at), (counts(1, 1), Some(at(600))), "one still is");
    // The look's alert is the one that has cleared: what is held back decides.
    world.settle(&[firing(3, "b", 20)], at(600), true);
    assert_eq!(world.state(), (State::Open, counts(1, 1)));
    world.take(&[cleared(6, "c", 610)], at(610));
    assert_eq!(world.state(), (State::Resolved, counts(1, 0)), "its clear ends the episode");
}

#[test]
fn what_is_held_back_and_clears_is_looked_at_no_more() {
    let mut world = World::default();
    world.take(&[firing(1, "a", 0)], at(0));
    world.take(&[cleared(2, "a", 10)], at(10));
    world.take(&[firing(3, "b", 20)], at(20));
    world.take(&[cleared(4, "a", 25)], at(25));
    assert!(world.incident.as_ref().is_some_and(|i| i.next_check_at.is_some()), "another child's clear ends nothing");
    world.take(&[cleared(5, "b", 30)], at(30));
    assert_eq!(world.incident.as_ref().and_then(|i| i.next_check_at), None);
}

#[test]
fn counts_are_shown_a_second_apart_and_the_last_one_always() {
    let mut world = World::default();
    world.take(&[firing(1, "a", 0)], at(0));
    assert_eq!(world.incident.as_ref().and_then(|i| i.count_at), None, "the opening tells the first count");
    world.take(&[firing(2, "b", 0)], at(0));
    world.take(&[firing(3, "c", 0)], at(0));
    assert_eq!(world.incident.as_ref().and_then(|i| i.count_at), Some(at(1)));
    world.settle(&[], at(1), true);
    assert_eq!(world.last(), (Action::Update, Reason::Counted { total: 3, firing: 3 }));
    assert_eq!(world.incident.as_ref().and_then(|i| i.count_at), None);
    world.take(&[firing(4, "d", 300)], at(300));
    assert_eq!(world.incident.as_ref().and_then(|i| i.count_at), Some(at(300)), "nothing was shown for long");
    world.settle(&[], at(300), true);
    world.take(&[firing(5, "e", 301)], at(301));
    assert_eq!(world.incident.as_ref().and_then(|i| i.count_at), Some(at(310)), "a thirtieth of its age apart");
}

proptest! {
    /// Alerts of three children in the order in which they were received, each perhaps again and later.
    #[test]
    fn every_child_stands_as_its_newest_alert_says(steps in proptest::collection::vec((0_usize..3, any::<bool>(), any::<bool>()), 1..40)) {
        let mut world = World::default();
        let mut newest: BTreeMap<usize, bool> = BTreeMap::new();
        let mut again: Vec<Alert> = Vec::new();
        for (n, (child, fires, repeated)) in steps.into_iter().enumerate() {
            let (id, secs) = (u32::try_from(n).expect("few"), 1000 * i64::try_from(n).expect("few"));
            let status = if fires { Status::Firing } else { Status::Cleared };
            let own = alert(id, ["a", "b", "c"][child], status, secs);
            newest.insert(child, fires);
            world.take(std::slice::from_ref(&own), at(secs));
            if repeated {
                again.push(own);
            }
            for old in &again {
                if world.incident.as_ref().is_some_and(|i| !i.seen.contains(&old.id)) {
                    world.take(std::slice::from_ref(old), at(secs));
                }
            }
            let live = newest.values().filter(|fires| **fires).count() as u64;
            if let Some(incident) = &world.incident {
                prop_assert_eq!(incident.children.firing, live);
                prop_assert_eq!(incident.state == State::Open, live > 0);
            }
        }
    }
}
