//! Whether the books balance: what was accepted against what was told, and what was told against what the vendors have.
//!
//! Invariant: an alert is looked for by its own id; a line that does not hold says by how much and names examples.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::{AlertId, DeliveryState};
use stand_ins::StandIns;

use crate::found::{Found, Taken};
use crate::sender::Sent;

mod vendors;

/// Examples named of what does not hold.
const EXAMPLES_MAX: usize = 5;

/// One line of the reconciliation.
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) holds: bool,
}

impl Line {
    fn new(text: String, wrong: &[String]) -> Self {
        let examples: Vec<&str> = wrong.iter().take(EXAMPLES_MAX).map(String::as_str).collect();
        let text = if wrong.is_empty() { text } else { format!("{text}; not so: {}", examples.join("; ")) };
        Self { text, holds: wrong.is_empty() }
    }
}

/// Every line.
pub(crate) fn reconcile(
    sent: &Sent,
    found: &Found,
    vendors: &StandIns,
    dead_letters: u64,
) -> anyhow::Result<Vec<Line>> {
    let mut lines = vec![nothing_lost(sent, found), every_alert_counted(sent, found, dead_letters)?];
    lines.push(every_delivery_made(found, dead_letters));
    lines.extend(vendors::lines(found, vendors));
    let chains = format!("{} timelines, each with its chain whole", found.records.len());
    lines.push(Line::new(chains, &found.broken_chains()));
    Ok(lines)
}

/// The alerts that incidents remember, by fingerprint.
fn remembered(found: &Found) -> HashMap<&str, HashSet<&str>> {
    let mut remembered: HashMap<&str, HashSet<&str>> = HashMap::new();
    for record in &found.records {
        let ids = record.incident.seen.iter().map(domain::AlertId::as_str);
        remembered.entry(record.incident.fingerprint.as_str()).or_default().extend(ids);
    }
    remembered
}

fn nothing_lost(sent: &Sent, found: &Found) -> Line {
    let remembered = remembered(found);
    let is_there = |one: &&crate::sender::Accepted| {
        remembered.get(one.fingerprint.as_str()).is_some_and(|ids| ids.contains(one.alert.as_str()))
    };
    let lost: Vec<String> = sent
        .accepted
        .iter()
        .filter(|one| !is_there(one))
        .map(|one| format!("alert {} of {} stands in no incident", one.alert, one.fingerprint))
        .collect();
    let fingerprints: BTreeSet<&str> = sent.accepted.iter().map(|one| one.fingerprint.as_str()).collect();
    let with_incident = fingerprints.iter().filter(|one| remembered.contains_key(*one)).count();
    let text = format!(
        "{} alerts accepted, {} lost; {} fingerprints, {with_incident} with an incident",
        sent.accepted.len(),
        lost.len(),
        fingerprints.len(),
    );
    Line::new(text, &lost)
}

/// The alerts that the episode before remembers, by incident: the next one remembers them too and does not count them.
fn remembered_before(found: &Found) -> HashMap<&str, &BTreeSet<AlertId>> {
    let episodes: HashMap<(&str, u64), &BTreeSet<AlertId>> = found
        .records
        .iter()
        .map(|record| ((record.incident.fingerprint.as_str(), record.incident.episode), &record.incident.seen))
        .collect();
    let incidents = found.records.iter().map(|record| &record.incident);
    let before = incidents.filter_map(|incident| {
        let one_before = (incident.fingerprint.as_str(), incident.episode.checked_sub(1)?);
        Some((incident.id.as_str(), *episodes.get(&one_before)?))
    });
    before.collect()
}

/// Accepted = delivered + suppressed + dead letters. An alert counts in two episodes where a cooldown held it back and it
/// opened the next one when it was looked at.
fn every_alert_counted(sent: &Sent, found: &Found, dead_letters: u64) -> anyhow::Result<Line> {
    let (mut delivered, mut undelivered, mut suppressed, mut again) = (0, 0, 0, 0);
    let (before, none) = (remembered_before(found), BTreeSet::new());
    let mut by_reason: BTreeMap<String, u64> = BTreeMap::new();
    let mut wrong = Vec::new();
    for record in &found.records {
        let incident = &record.incident;
        let before = before.get(incident.id.as_str()).copied().unwrap_or(&none);
        let taken = Taken::of(record, before)?;
        let in_episode = incident.occurrences + taken.ended;
        let is_delivered = record.deliveries.iter().all(|d| d.state == DeliveryState::Delivered);
        if incident.opened_at.is_some() && is_delivered {
            delivered += in_episode;
        } else {
            undelivered += in_episode;
        }
        suppressed += incident.suppressed;
        let mut rest = incident.suppressed;
        for (reason, count) in taken.suppressed {
            rest = rest.saturating_sub(count);
            *by_reason.entry(reason).or_default() += count;
        }
        if rest > 0 {
            *by_reason.entry("the same again".to_owned()).or_default() += rest;
        }
        let own = u64::try_from(incident.seen.difference(before).count())?;
        let counted = in_episode + incident.suppressed;
        let twice = counted.saturating_sub(own);
        again += twice;
        if counted < own || twice > taken.again {
            wrong.push(format!(
                "{} took {own} alerts and {} that were held back before, and counts {counted}",
                incident.id, taken.again
            ));
        }
    }
    let distinct: usize = remembered(found).values().map(HashSet::len).sum();
    if delivered + undelivered + suppressed != u64::try_from(distinct)? + again {
        wrong.push(format!("{distinct} distinct alerts are remembered"));
    }
    let unanswered = distinct.saturating_sub(sent.accepted.len());
    if undelivered > 0 {
        wrong.push(format!("{undelivered} alerts stand in episodes that did not reach everyone"));
    }
    if unanswered > sent.sent_again {
        wrong
            .push(format!("{unanswered} alerts more than were accepted, and only {} were sent again", sent.sent_again));
    }
    let reasons: Vec<String> = by_reason.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    let text = format!(
        "{} accepted + {unanswered} taken without an answer = {delivered} delivered + {suppressed} suppressed ({}) + \
         {dead_letters} dead letters - {again} held back and taken by the next episode",
        sent.accepted.len(),
        reasons.join(", "),
    );
    Ok(Line::new(text, &wrong))
}

fn every_delivery_made(found: &Found, dead_letters: u64) -> Line {
    let mut by_state: BTreeMap<&str, usize> = BTreeMap::new();
    for delivery in found.deliveries() {
        *by_state.entry(delivery.state.as_str()).or_default() += 1;
    }
    let mut wrong: Vec<String> = found
        .deliveries()
        .filter(|delivery| delivery.state != DeliveryState::Delivered)
        .map(|delivery| {
            let answer = delivery.answer.as_deref().unwrap_or("no answer");
            format!("{} is {} after {} attempts: {answer}", delivery.id, delivery.state.as_str(), delivery.attempts)
        })
        .collect();
    if dead_letters > 0 {
        wrong.push(format!("{dead_letters} messages among the dead letters"));
    }
    let attempts: u64 = found.deliveries().map(|delivery| u64::from(delivery.attempts)).sum();
    let states: Vec<String> = by_state.iter().map(|(state, count)| format!("{count} {state}")).collect();
    Line::new(format!("deliveries: {} in {attempts} attempts", states.join(", ")), &wrong)
}
