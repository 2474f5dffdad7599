//! Children that this process has seen fire.
//!
//! Invariant: this only chooses which call is made first. Whatever it says, the conditions of the writes decide.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use domain::{Fingerprint, IncidentId};

/// Children remembered, at most: all are forgotten then, and cost a read each when they come again.
const CHILDREN_MAX: usize = 32_768;

/// By the fingerprint of their incident.
#[derive(Debug, Default)]
pub(crate) struct KnownChildren(Mutex<HashMap<Fingerprint, (IncidentId, HashSet<Fingerprint>)>>);

impl KnownChildren {
    /// The incident in which all of these were seen to fire.
    pub(crate) fn incident_of(&self, fingerprint: &Fingerprint, children: &[Fingerprint]) -> Option<IncidentId> {
        let groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (incident, known) = groups.get(fingerprint)?;
        children.iter().all(|child| known.contains(child)).then(|| incident.clone())
    }

    /// These fire in that incident.
    pub(crate) fn learn(&self, fingerprint: &Fingerprint, incident: &IncidentId, children: &[Fingerprint]) {
        if children.is_empty() {
            return;
        }
        let mut groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if groups.values().map(|(_, known)| known.len() + 1).sum::<usize>() >= CHILDREN_MAX {
            groups.clear();
        }
        let (current, known) = groups.entry(fingerprint.clone()).or_insert_with(|| (incident.clone(), HashSet::new()));
        if current != incident {
            *current = incident.clone();
            known.clear();
        }
        known.extend(children.iter().cloned());
    }
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;

    fn fingerprint(n: usize) -> Fingerprint {
        Fingerprint::try_from(format!("{n:032x}")).unwrap()
    }

    fn incident(episode: u32) -> IncidentId {
        IncidentId::try_from(format!("a-{episode}")).unwrap()
    }

    #[test]
    fn children_are_known_in_their_own_incident_alone() {
        let known = KnownChildren::default();
        let [of, one, other] = [0, 1, 2].map(fingerprint);
        known.learn(&of, &incident(1), from_ref(&one));
        assert_eq!(known.incident_of(&of, from_ref(&one)), Some(incident(1)));
        assert_eq!(known.incident_of(&of, &[one.clone(), other.clone()]), None);
        known.learn(&of, &incident(2), from_ref(&other));
        assert_eq!(known.incident_of(&of, &[one]), None, "the episode before is over");
        assert_eq!(known.incident_of(&of, &[other]), Some(incident(2)));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let known = KnownChildren::default();
        for n in 0..2 * CHILDREN_MAX / 40 {
            let children: Vec<Fingerprint> = (0..40).map(|child| fingerprint(40 * n + child)).collect();
            known.learn(&fingerprint(n), &incident(1), &children);
            assert!(known.incident_of(&fingerprint(n), &children).is_some());
        }
        let groups = known.0.lock().unwrap();
        assert!(groups.values().map(|(_, known)| known.len()).sum::<usize>() <= CHILDREN_MAX + 40);
    }
}
