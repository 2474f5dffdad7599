//! The incident's state machine, by cases and by property.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod fixtures;

use std::sync::LazyLock;

use fixtures::{alert, at};
use proptest::prelude::*;
use tocsin_domain::{
    Action, Alert, Confirmation, Fingerprint, Incident, Policy, Reason, Severity, State, Status, Timestamp, Told,
    Verdict, decide, runs,
};

static POLICY: LazyLock<Policy> =
    LazyLock::new(|| Policy { cooldown_secs: 600, recheck_for_secs: 300, ..fixtures::POLICY });

fn confirmation(verdict: Verdict) -> Confirmation {
    fixtures::confirmation(verdict, at(0))
}

/// Everything that people would have heard: (incident, action) in order, and the incident that is left.
#[derive(Debug, Default, PartialEq)]
struct World {
    incident: Option<Incident>,
    told: Vec<(String, Action)>,
}

impl World {
    /// One batch through fold and decision, as triage does it; a transition counts as delivered at once.
    fn take(&mut self, batch: Vec<Alert>, verdict: Verdict, now: Timestamp) {
        let seen = self.incident.as_ref().map(|i| i.seen.clone()).unwrap_or_default();
        let fresh = batch.into_iter().filter(|a| !seen.contains(&a.id)).collect();
        for run in runs(fresh) {
            self.step(&run, verdict, now);
        }
    }

    fn step(&mut self, run: &[Alert], verdict: Verdict, now: Timestamp) {
        let fingerprint = Fingerprint::of(&alert(0, Status::Firing, 0), &["service".into(), "metric".into()]);
        let answer = confirmation(verdict);
        let mut decision = decide(self.incident.as_ref(), run, None, &POLICY, now);
        if decision.action == Action::Confirm {
            decision = decide(self.incident.as_ref(), run, Some(&answer), &POLICY, now);
        }
        let next = Incident::after(self.incident.as_ref(), &fingerprint, "rule", run, &decision, &POLICY, now);
        if let Some(mut next) = next {
            if matches!(decision.action, Action::Open | Action::Escalate | Action::Remind | Action::Resolve) {
                self.told.push((next.id.to_string(), decision.action));
                next.told = Told::At(now);
            }
            self.incident = Some(next);
        }
    }

    fn state(&self) -> Option<State> {
        self.incident.as_ref().map(|i| i.state)
    }

    fn reason(&self) -> Option<Reason> {
        self.incident.as_ref().and_then(|i| i.suppressed_because.clone())
    }
}

#[test]
fn a_confirmed_alert_opens_once_and_its_duplicates_only_count() {
    let mut world = World::default();
    for id in 0..10 {
        world.take(vec![alert(id, Status::Firing, i64::from(id))], Verdict::Confirmed, at(i64::from(id)));
    }
    assert_eq!(world.told.len(), 1);
    assert_eq!(world.incident.expect("an incident").occurrences, 10);
}

#[test]
fn an_inconclusive_verdict_pages_and_a_rejected_one_does_not() {
    let mut world = World::default();
    world.take(vec![alert(1, Status::Firing, 0)], Verdict::Rejected, at(0));
    assert_eq!((world.state(), world.told.len()), (Some(State::Pending), 0));
    let mut world = World::default();
    world.take(vec![alert(1, Status::Firing, 0)], Verdict::Inconclusive, at(0));
    assert_eq!((world.state(), world.told.len()), (Some(State::Open), 1));
}

#[test]
fn a_rejected_anomaly_is_looked_at_until_the_recheck_ends() {
    let mut world = World::default();
    world.take(vec![alert(1, Status::Firing, 0)], Verdict::Rejected, at(0));
    world.take(vec![alert(2, Status::Firing, 30)], Verdict::Confirmed, at(30));
    assert_eq!(world.state(), Some(State::Pending), "a duplicate before the next look asks no detector");
    world.step(&[], Verdict::Rejected, at(299));
    assert_eq!(world.state(), Some(State::Pending));
    world.step(&[], Verdict::Rejected, at(300));
    assert_eq!((world.state(), world.told.len()), (Some(State::Resolved), 0));
    world.step(&[], Verdict::Confirmed, at(301));
    assert_eq!(world.told.len(), 0, "a look at an ended episode opens nothing");
    world.take(vec![alert(3, Status::Firing, 400)], Verdict::Confirmed, at(400));
    assert_eq!(world.told.len(), 1, "nobody was told of the first, so nothing is cooling down");
}

#[test]
fn cooldown_counts_from_when_people_were_told() {
    let mut world = World::default();
    world.take(vec![alert(1, Status::Firing, 0)], Verdict::Confirmed, at(0));
    world.take(vec![alert(2, Status::Cleared, 100)], Verdict::Confirmed, at(100));
    world.take(vec![alert(3, Status::Firing, 699)], Verdict::Confirmed, at(699));
    assert_eq!(world.told.len(), 2);
    assert_eq!(world.reason(), Some(Reason::CoolingDown { until: at(700) }));
    world.take(vec![alert(4, Status::Firing, 700)], Verdict::Confirmed, at(700));
    assert_eq!(world.told.len(), 3);
    assert_ne!(world.told[0].0, world.told[2].0, "a new episode has a new id");
}

#[test]
fn an_episode_that_reached_nobody_silences_nothing() {
    let mut world = World::default();
    world.take(vec![alert(1, Status::Firing, 0)], Verdict::Confirmed, at(0));
    world.take(vec![alert(2, Status::Cleared, 1)], Verdict::Confirmed, at(1));
    world.incident.as_mut().expect("an incident").told = Told::Nobody;
    world.take(vec![alert(3, Status::Firing, 2)], Verdict::Confirmed, at(2));
    assert_eq!(world.told.iter().filter(|(_, action)| *action == Action::Open).count(), 2);
}

#[test]
fn a_clear_that_overtakes_its_alert_leaves_nothing_to_open() {
    let mut world = World::default();
    world.take(vec![alert(2, Status::Cleared, 10)], Verdict::Confirmed, at(10));
    world.take(vec![alert(1, Status::Firing, 5)], Verdict::Confirmed, at(11));
    assert_eq!((world.told.len(), world.reason()), (0, Some(Reason::StaleFiring)));
    world.take(vec![alert(3, Status::Firing, 20)], Verdict::Confirmed, at(20));
    assert_eq!(world.told.len(), 1);
}

#[test]
fn an_alert_brought_back_days_later_opens_nothing() {
    let mut world = World::default();
    world.take(vec![alert(1, Status::Firing, 0)], Verdict::Confirmed, at(0));
    world.take(vec![alert(2, Status::Cleared, 60)], Verdict::Confirmed, at(60));
    world.take(vec![alert(3, Status::Firing, 30)], Verdict::Confirmed, at(3 * 86_400));
    assert_eq!((world.told.len(), world.reason()), (2, Some(Reason::StaleFiring)));
}

#[test]
fn a_raised_severity_escalates_once() {
    let mut world = World::default();
    world.take(vec![alert(1, Status::Firing, 0)], Verdict::Confirmed, at(0));
    for id in 2..4 {
        let worse = Alert { severity: Severity::Critical, ..alert(id, Status::Firing, i64::from(id)) };
        world.take(vec![worse], Verdict::Confirmed, at(i64::from(id)));
    }
    let actions: Vec<Action> = world.told.iter().map(|(_, action)| *action).collect();
    assert_eq!(actions, [Action::Open, Action::Escalate]);
}

#[test]
fn an_alert_after_a_long_silence_reminds_and_opens_nothing() {
    let mut world = World::default();
    world.take(vec![alert(1, Status::Firing, 0)], Verdict::Confirmed, at(0));
    world.take(vec![alert(2, Status::Firing, 3599)], Verdict::Confirmed, at(3599));
    assert_eq!(world.told.len(), 1, "an hour has not passed");
    world.take(vec![alert(3, Status::Firing, 3599 + 3600)], Verdict::Confirmed, at(3599 + 3600));
    let actions: Vec<Action> = world.told.iter().map(|(_, action)| *action).collect();
    assert_eq!(actions, [Action::Open, Action::Remind]);
    assert_eq!(world.told[0].0, world.told[1].0, "it is the same episode");
}

#[test]
fn what_a_cooldown_holds_back_is_looked_at_when_it_ends_unless_it_cleared() {
    let held_back = || {
        let mut world = World::default();
        world.take(vec![alert(1, Status::Firing, 0)], Verdict::Confirmed, at(0));
        world.take(vec![alert(2, Status::Cleared, 100)], Verdict::Confirmed, at(100));
        world.take(vec![alert(3, Status::Firing, 200)], Verdict::Confirmed, at(200));
        assert_eq!(world.incident.as_ref().and_then(|i| i.next_check_at), Some(at(700)));
        world
    };
    let mut world = held_back();
    let before = world.incident.as_ref().map(Incident::left_behind).expect("an incident");
    assert_eq!(before.looks().count(), 0, "what the next episode takes the place of is looked at no more");
    assert_eq!((before.held_back_at, before.suppressed), (Some(at(200)), 1), "the rest stays on record");
    world.step(&[alert(3, Status::Firing, 200)], Verdict::Confirmed, at(700));
    assert_eq!((world.state(), world.told.len()), (Some(State::Open), 3));
    assert_eq!(world.incident.as_ref().map(|i| i.occurrences), Some(1));

    let mut world = held_back();
    world.take(vec![alert(4, Status::Cleared, 300)], Verdict::Confirmed, at(300));
    assert_eq!(world.incident.as_ref().and_then(|i| i.next_check_at), None);
}

#[test]
fn an_alert_that_is_held_back_at_every_look_is_one_suppressed_alert() {
    let mut world = World::default();
    world.take(vec![alert(1, Status::Firing, 0)], Verdict::Confirmed, at(0));
    world.take(vec![alert(2, Status::Cleared, 1)], Verdict::Confirmed, at(1));
    for now in [2, 602] {
        // What is told of the end is still on its way.
        world.incident.as_mut().expect("an incident").told = Told::UnderWay;
        world.step(&[alert(3, Status::Firing, 2)], Verdict::Confirmed, at(now));
    }
    let incident = world.incident.expect("an incident");
    assert_eq!((incident.next_check_at, incident.suppressed), (Some(at(1202)), 1));
    assert_eq!(incident.occurrences + incident.suppressed + 1, incident.seen.len() as u64, "one of them is the clear");
}

#[test]
fn a_message_on_its_way_holds_the_next_episode_back() {
    let mut world = World::default();
    world.take(vec![alert(1, Status::Firing, 0)], Verdict::Confirmed, at(0));
    world.take(vec![alert(2, Status::Cleared, 1)], Verdict::Confirmed, at(1));
    world.incident.as_mut().expect("an incident").told = Told::UnderWay;
    world.take(vec![alert(3, Status::Firing, 2)], Verdict::Confirmed, at(2));
    assert_eq!((world.told.len(), world.reason()), (2, Some(Reason::CoolingDown { until: at(602) })));
}

fn any_alerts() -> impl Strategy<Value = Vec<Alert>> {
    prop::collection::vec((any::<bool>(), 0_i64..2000, any::<bool>()), 1..20).prop_map(|rows| {
        rows.into_iter()
            .zip(0_u32..)
            .map(|((firing, secs, critical), id)| {
                let status = if firing { Status::Firing } else { Status::Cleared };
                let severity = if critical { Severity::Critical } else { Severity::Error };
                Alert { severity, ..alert(id, status, secs) }
            })
            .collect()
    })
}

fn any_verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![Just(Verdict::Confirmed), Just(Verdict::Rejected), Just(Verdict::Inconclusive)]
}

proptest! {
    #[test]
    fn the_same_alerts_once_twice_or_in_another_order_give_the_same_effects(
        alerts in any_alerts(), verdict in any_verdict(), seed in any::<u64>(),
    ) {
        let mut once = World::default();
        once.take(alerts.clone(), verdict, at(2000));
        let mut again = once.incident.clone().map(|i| World { incident: Some(i), told: once.told.clone() })
            .unwrap_or_default();
        again.take(alerts.clone(), verdict, at(2000));
        prop_assert_eq!(&again.told, &once.told, "given again, nothing more is told");

        let mut shuffled: Vec<Alert> = alerts.iter().chain(&alerts).cloned().collect();
        let len = shuffled.len();
        for i in 0..len {
            let j = usize::try_from(seed.rotate_left(u32::try_from(i).unwrap_or(0)) % len as u64).unwrap_or(0);
            shuffled.swap(i, j);
        }
        let mut other = World::default();
        other.take(shuffled, verdict, at(2000));
        prop_assert_eq!(other, once);
    }

    #[test]
    fn nothing_reopens_after_its_resolve(
        alerts in any_alerts(), verdicts in prop::collection::vec(any_verdict(), 20), splits in any::<u32>(),
    ) {
        let mut world = World::default();
        for (i, alert) in alerts.into_iter().enumerate() {
            let now = at(2000 + i64::from(splits % 400) * i64::try_from(i).unwrap_or(0));
            world.take(vec![alert], verdicts[i], now);
        }
        let mut ended: Vec<&String> = Vec::new();
        let mut opened: Vec<&String> = Vec::new();
        for (id, action) in &world.told {
            prop_assert!(!ended.contains(&id), "{} was told of after its resolve", id);
            match action {
                Action::Open => {
                    prop_assert!(!opened.contains(&id), "{} opened twice", id);
                    opened.push(id);
                }
                Action::Resolve => ended.push(id),
                _ => prop_assert!(opened.contains(&id)),
            }
        }
    }

    #[test]
    fn no_two_episodes_open_within_one_cooldown(alerts in any_alerts()) {
        let mut world = World::default();
        let mut opened: Vec<i64> = Vec::new();
        for run in runs(alerts) {
            let now = run.iter().map(|a| a.received_at).max().expect("a run is never empty");
            let before = world.told.len();
            world.step(&run, Verdict::Confirmed, now);
            if world.told[before..].iter().any(|(_, action)| *action == Action::Open) {
                opened.push(now.as_second());
            }
        }
        let cooldown_secs = i64::try_from(POLICY.cooldown_secs).expect("small");
        prop_assert!(opened.windows(2).all(|pair| pair[1] - pair[0] >= cooldown_secs));
    }
}
