//! Of a grouped incident: every child on record, counted once, as its newest alert says.
//!
//! Invariant: what the inbox took is compared with the children that stand in the table, and their number with what the
//! incident says.

use std::collections::BTreeMap;

use domain::{ChildState, State, Status, Timestamp};

use super::{Found, Invariant, Violation};

pub(super) fn check(found: &Found<'_>, violations: &mut Vec<Violation>) {
    if !found.world.setup.grouped {
        return;
    }
    let mut wrong = |invariant, what: String| violations.push(Violation { invariant, what });
    for known in &found.known {
        let (incident, children) = (&known.incident, &known.children);
        let of = |state| children.iter().filter(|child| child.state == state).count() as u64;
        let counted = children.iter().filter(|child| child.first_seen.is_some()).count() as u64;
        let fires = of(ChildState::Firing) + of(ChildState::HeldBack);
        if (counted, fires) != (incident.children.total, incident.children.firing) {
            let (id, said) = (&incident.id, incident.children);
            wrong(Invariant::D, format!("{id} says {said:?}, and {counted} children stand there, {fires} firing"));
        }
        let is_open = matches!(incident.state, State::Open | State::Acknowledged);
        if is_open != (of(ChildState::Firing) > 0) && incident.opened_at.is_some() {
            let (id, state) = (&incident.id, incident.state.as_str());
            wrong(Invariant::E, format!("{id} is {state}, and {} of its children fire", of(ChildState::Firing)));
        }
    }
    for (model, (status, _)) in newest(found) {
        let own = |child: &&domain::Child| child.labels.get("model") == Some(&model);
        let fires = found.known.iter().flat_map(|known| &known.children).filter(own);
        let fires = fires.filter(|child| child.state == ChildState::Firing).count();
        if fires != usize::from(status == Status::Firing) {
            wrong(Invariant::B, format!("{model} is {}, and {fires} children say that it fires", status.as_str()));
        }
    }
}

/// What the newest alert of each child says; none of a child whose alerts are among the dead letters, or that fired and
/// cleared at one and the same time.
fn newest(found: &Found<'_>) -> BTreeMap<String, (Status, Timestamp)> {
    let mut newest: BTreeMap<String, (Status, Timestamp)> = BTreeMap::new();
    let mut unsure: Vec<String> = Vec::new();
    for (id, heard) in &found.heard {
        let Some(model) = heard.model.clone() else { continue };
        if found.dead_alerts.contains(id) {
            unsure.push(model.clone());
        }
        let (status, at) = newest.entry(model.clone()).or_insert((heard.status, heard.received_at));
        if *at == heard.received_at && *status != heard.status {
            unsure.push(model);
        } else if *at < heard.received_at {
            (*status, *at) = (heard.status, heard.received_at);
        }
    }
    newest.retain(|model, _| !unsure.contains(model));
    newest
}

/// Whether a grouped problem is there: any child's newest alert says so. `None` where that is not sure.
pub(super) fn is_there(found: &Found<'_>) -> Option<bool> {
    let heard = found.heard.values().filter_map(|heard| heard.model.as_ref());
    let models: std::collections::BTreeSet<&String> = heard.collect();
    let newest = newest(found);
    (models.len() == newest.len()).then(|| newest.values().any(|(status, _)| *status == Status::Firing))
}
