//! What a replay came to in numbers, and how two of them differ.
//!
//! Invariant: an episode is known by its fingerprint and the moment in which it opened, so that one that only got another
//! number is the same. Whatever was told differently in an episode is one line.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Fingerprint, Medium, Timestamp, Transition};
use pipeline::{Replayed, Told};
use serde_json::{Value, json};

/// Which episode.
type Episode = (Timestamp, Fingerprint);

/// The numbers of one replay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Totals {
    incidents: u64,
    pages: u64,
    messages: u64,
    tickets: u64,
    suppressed: BTreeMap<String, u64>,
    unread: BTreeMap<String, u64>,
}

impl Totals {
    pub(super) fn of(replayed: &Replayed) -> Self {
        let episodes: BTreeSet<Episode> = replayed.told.iter().map(episode).collect();
        let count = |fits: fn(&Told) -> bool| replayed.told.iter().filter(|told| fits(told)).count() as u64;
        Self {
            incidents: episodes.len() as u64,
            pages: count(is_page),
            messages: count(|told| told.kind.medium() == Medium::Message),
            tickets: count(|told| told.kind.medium() == Medium::Ticket && told.transition == Transition::Opened),
            suppressed: replayed.suppressed.clone(),
            unread: replayed.unread.clone(),
        }
    }

    /// A row for each number; beside another's with the difference.
    pub(super) fn table(&self, old: Option<&Self>) -> Vec<String> {
        let mut rows = vec![
            ("incidents".to_owned(), self.incidents, old.map(|old| old.incidents)),
            ("pages".to_owned(), self.pages, old.map(|old| old.pages)),
            ("messages".to_owned(), self.messages, old.map(|old| old.messages)),
            ("tickets".to_owned(), self.tickets, old.map(|old| old.tickets)),
        ];
        let lists = [
            ("suppressed", &self.suppressed, old.map(|old| &old.suppressed)),
            ("unread", &self.unread, old.map(|old| &old.unread)),
        ];
        for (what, own, other) in lists {
            let words: BTreeSet<&String> = own.keys().chain(other.into_iter().flat_map(BTreeMap::keys)).collect();
            for word in words {
                let of = |list: &BTreeMap<String, u64>| list.get(word).copied().unwrap_or_default();
                rows.push((format!("{what}: {word}"), of(own), other.map(of)));
            }
        }
        rows.into_iter().map(|(what, new, old)| format!("{}  {}", row(&what, new, old), meaning(&what))).collect()
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "incidents": self.incidents, "pages": self.pages, "messages": self.messages, "tickets": self.tickets,
            "suppressed": self.suppressed, "unread": self.unread,
        })
    }
}

/// What is counted in a row.
fn meaning(what: &str) -> &'static str {
    match what {
        "incidents" => "problems that opened and were told to someone",
        "pages" => "calls that wake someone: an opening, to PagerDuty",
        "messages" => "to Slack and webhooks: openings, escalations, reminders and ends",
        "tickets" => "made in Jira and Linear",
        "suppressed: already_resolved" => "clears of what was over",
        "suppressed: cleared_unopened" => "clears of what never fired",
        "suppressed: cooling_down" => "alerts in the cooldown after an end; looked at when it is over",
        "suppressed: duplicate" => "alerts of an incident that was open: only counted",
        "suppressed: inhibited" => "alerts that another open incident explains",
        "suppressed: maintenance" => "alerts in a maintenance window",
        "suppressed: muted_time" | "suppressed: outside_active_time" => "alerts out of their rule's hours",
        "suppressed: silenced" => "alerts that a silence mutes",
        "suppressed: stale_clear" | "suppressed: stale_firing" => "alerts that a newer one had overtaken",
        what if what.starts_with("unread") => "webhooks that this config cannot read",
        _ => "alerts that nobody was told of",
    }
}

fn row(what: &str, new: u64, old: Option<u64>) -> String {
    match old {
        None => format!("{what:28} {new:8}"),
        Some(old) if old == new => format!("{what:28} {old:8} -> {new:8}"),
        Some(old) => format!("{what:28} {old:8} -> {new:8}  ({:+})", i128::from(new) - i128::from(old)),
    }
}

/// A call that wakes someone: a trigger for what is open there already does not.
fn is_page(told: &Told) -> bool {
    told.kind.pages() && matches!(told.transition, Transition::Opened | Transition::Reopened)
}

fn episode(told: &Told) -> Episode {
    (told.opened_at, told.fingerprint.clone())
}

/// One episode that was told differently.
pub(super) struct Difference {
    sign: char,
    subject: String,
    opened_at: Timestamp,
    old: Vec<String>,
    new: Vec<String>,
}

impl Difference {
    pub(super) fn line(&self) -> String {
        let list = |told: &[String]| if told.is_empty() { "nobody".to_owned() } else { told.join(", ") };
        let told = match self.sign {
            '+' => list(&self.new),
            '-' => list(&self.old),
            _ => format!("{} -> {}", list(&self.old), list(&self.new)),
        };
        format!("{} {} {}: {told}", self.sign, self.opened_at, self.subject)
    }

    pub(super) fn json(&self) -> Value {
        json!({ "sign": self.sign, "opened_at": self.opened_at, "incident": self.subject, "old": self.old, "new": self.new })
    }
}

/// Every episode that was not told alike, in the order of their openings.
pub(super) fn differences(old: &Replayed, new: &Replayed) -> Vec<Difference> {
    let (before, after) = (by_episode(old), by_episode(new));
    let episodes: BTreeSet<&Episode> = before.keys().chain(after.keys()).collect();
    let mut found = Vec::new();
    for episode in episodes {
        let (was, is) = (before.get(episode), after.get(episode));
        let (Some(any), false) = (is.or(was).and_then(|told| told.first()), words(was) == words(is)) else { continue };
        let sign = match (was, is) {
            (None, _) => '+',
            (_, None) => '-',
            _ => '~',
        };
        let fingerprint: String = any.fingerprint.as_str().chars().take(10).collect();
        let subject = format!("{} {} ({fingerprint}, rule {})", any.service, any.metric, any.rule);
        found.push(Difference { sign, subject, opened_at: episode.0, old: words(was), new: words(is) });
    }
    found
}

fn by_episode(replayed: &Replayed) -> BTreeMap<Episode, Vec<&Told>> {
    let mut found: BTreeMap<Episode, Vec<&Told>> = BTreeMap::new();
    for told in &replayed.told {
        found.entry(episode(told)).or_default().push(told);
    }
    found
}

/// What was told to whom and when; the moment of the opening stands before it.
fn words(told: Option<&Vec<&Told>>) -> Vec<String> {
    let word = |told: &&Told| {
        let page = if is_page(told) { "page " } else { "" };
        let later = if told.transition == Transition::Opened { String::new() } else { format!(" at {}", told.at) };
        format!("{page}{} {}{later}", told.receiver, told.transition.as_str())
    };
    told.into_iter().flatten().map(word).collect()
}
