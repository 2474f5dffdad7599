//! From a notification to its facts.
//!
//! Invariant: every text passes [`line`] or [`href`], every list [`Bounded::take`].

use std::cell::OnceCell;
use std::collections::BTreeMap;

use domain::{Band, ChangeKind, Notification};

use super::{Cause, Change, Check, Commit, Commits, Earlier, Evidence, Facts, Gap, Link, Runbook};
use crate::figures::{duration, number, time};
use crate::text::{cut, length, one_line};

/// Longest text of one fact, in UTF-16 units.
const TEXT_UNITS_MAX: usize = 2000;

/// Entries of one list.
const ENTRIES_MAX: usize = 50;

/// Characters of a commit's short name.
const SHORT_SHA: usize = 7;

pub(super) fn facts(n: &Notification) -> Facts {
    let mut bounded = Bounded::default();
    let confirmation = n.confirmation.as_ref().filter(|c| c.checked);
    let unconfirmed = n.confirmation.as_ref().is_some_and(domain::Confirmation::is_unconfirmed);
    let suspects = bounded
        .take("suspects", &n.enrichment.suspects, |s| Cause { change: change(&s.change), because: line(&s.because) });
    let mut facts = Facts {
        incident: line(n.incident.as_str()),
        fingerprint: line(n.fingerprint.as_str()),
        transition: n.transition.as_str(),
        is: BTreeMap::from([(n.transition.as_str(), true)]),
        state: n.state.as_str(),
        severity: n.severity.as_str(),
        headline: headline(n),
        rule: line(&n.rule),
        source: line(&n.source),
        monitor: line(&n.monitor),
        service: line(&n.service),
        metric: line(&n.metric),
        labels: labels(n, &mut bounded),
        value: n.value.map(number),
        baseline: n.baseline.map(number),
        threshold: n.threshold.map(number),
        occurrences: n.occurrences,
        flapping: n.held_until.map(time),
        because: some_line(n.because.as_ref()),
        children: (!n.children.is_none()).then_some(n.children),
        opened_at: time(n.opened_at),
        at: time(n.at),
        resolved_at: n.resolved_at.map(time),
        duration: duration(n.duration_secs()),
        verdict: confirmation.map_or("not checked", |c| c.verdict.as_str()),
        unconfirmed,
        unconfirmed_because: n.confirmation.as_ref().filter(|_| unconfirmed).map(unconfirmed_because),
        confirmation: confirmation.map(|c| check(c, &mut bounded)),
        suspect: suspects.first().map(sentence),
        no_suspect: suspects.is_empty().then(|| no_suspect(n)),
        suspects,
        changes: bounded.take("changes", &n.enrichment.changes, change),
        commits: n.enrichment.commits.as_ref().map(commits),
        runbook: n.enrichment.runbook.as_ref().map(|r| runbook(r, &mut bounded)),
        dashboards: bounded.take("dashboards", &n.enrichment.dashboards, link),
        links: bounded.take("links", &n.links, link),
        earlier: bounded.take("earlier episodes", &n.enrichment.earlier, earlier),
        gaps: Vec::new(),
        read: OnceCell::new(),
    };
    facts.gaps = gaps(n, bounded);
    facts
}

/// Takes lists up to their limit and remembers what it left.
#[derive(Default)]
struct Bounded {
    left: Vec<Gap>,
}

impl Bounded {
    fn take<'a, T: 'a, U>(
        &mut self,
        what: &str,
        all: impl IntoIterator<Item = &'a T, IntoIter: ExactSizeIterator>,
        shape: impl Fn(&'a T) -> U,
    ) -> Vec<U> {
        let all = all.into_iter();
        self.count(what, all.len());
        all.take(ENTRIES_MAX).map(shape).collect()
    }

    fn count(&mut self, what: &str, entries: usize) {
        if entries > ENTRIES_MAX {
            let why = format!("only {ENTRIES_MAX} of {entries} are shown");
            self.left.push(Gap { what: what.to_owned(), why });
        }
    }
}

fn line(text: &str) -> String {
    cut(&one_line(text), TEXT_UNITS_MAX)
}

fn some_line(text: Option<&String>) -> Option<String> {
    text.map(|t| line(t)).filter(|t| !t.is_empty())
}

/// An address is never cut: half an address leads elsewhere.
fn href(address: &str) -> String {
    let address = address.trim();
    if length(address) > TEXT_UNITS_MAX { String::new() } else { one_line(address) }
}

fn headline(n: &Notification) -> String {
    let mut text = format!("{} {} {}", n.severity.as_str().to_uppercase(), line(&n.service), line(&n.metric));
    if let Some(value) = n.value {
        text.push_str(" is ");
        text.push_str(&number(value));
    }
    let compared = [("baseline", n.baseline), ("threshold", n.threshold)];
    let compared: Vec<String> =
        compared.iter().filter_map(|(name, v)| v.map(|v| format!("{name} {}", number(v)))).collect();
    if !compared.is_empty() {
        text = format!("{text} ({})", compared.join(", "));
    }
    line(&text)
}

fn labels(n: &Notification, bounded: &mut Bounded) -> BTreeMap<String, String> {
    bounded.count("labels", n.labels.len());
    n.labels.iter().take(ENTRIES_MAX).map(|(name, value)| (line(name), line(value))).collect()
}

fn check(confirmation: &domain::Confirmation, bounded: &mut Bounded) -> Check {
    Check {
        verdict: confirmation.verdict.as_str(),
        evidence: bounded.take("evidence", &confirmation.evidence, evidence),
        gap: confirmation.gap.as_ref().map(gap),
    }
}

fn evidence(vote: &domain::Evidence) -> Evidence {
    Evidence {
        detector: line(&vote.detector),
        verdict: vote.verdict.as_str(),
        score: vote.score.map(number),
        value: vote.value.map(number),
        expected: vote.expected.and_then(band),
        tested_points: vote.tested_points,
        baseline_points: vote.baseline_points,
        since: vote.since.map(time),
        because: line(&vote.because),
    }
}

fn band(band: Band) -> Option<String> {
    match (band.low.map(number), band.high.map(number)) {
        (Some(low), Some(high)) => Some(format!("{low} to {high}")),
        (Some(low), None) => Some(format!("at least {low}")),
        (None, Some(high)) => Some(format!("at most {high}")),
        (None, None) => None,
    }
}

fn unconfirmed_because(confirmation: &domain::Confirmation) -> String {
    if let Some(gap) = &confirmation.gap {
        return line(&format!("{} could not be read: {}", gap.what, gap.why));
    }
    let doubts = confirmation.evidence.iter().filter(|e| e.verdict != domain::Verdict::Confirmed);
    let doubts: Vec<&str> = doubts.map(|e| e.because.as_str()).filter(|b| !b.trim().is_empty()).collect();
    if doubts.is_empty() { "no detector could say".to_owned() } else { line(&doubts.join("; ")) }
}

fn sentence(cause: &Cause) -> String {
    let mut text = format!("{} {}", cause.change.kind, cause.change.title);
    for (word, fact) in [("to", &cause.change.environment), ("by", &cause.change.author)] {
        if let Some(fact) = fact {
            text = format!("{text} {word} {fact}");
        }
    }
    line(&format!("{text} {}", cause.because))
}

fn no_suspect(n: &Notification) -> String {
    match n.enrichment.gaps.iter().find(|g| g.what == "deployments") {
        Some(gap) => line(&format!("deployments could not be read: {}", gap.why)),
        None if n.enrichment.changes.is_empty() => "no change is known".to_owned(),
        None => "no known change took effect in the 24 h before".to_owned(),
    }
}

fn change(change: &domain::Change) -> Change {
    Change {
        kind: match change.kind {
            ChangeKind::Deployment => "deployment",
        },
        id: line(&change.id),
        at: time(change.at),
        title: line(&change.title),
        environment: some_line(change.environment.as_ref()),
        status: some_line(change.status.as_ref()),
        author: some_line(change.author.as_ref()),
        commit: some_line(change.commit.as_ref()),
        url: change.url.as_deref().map(href).filter(|u| !u.is_empty()),
    }
}

fn commits(range: &domain::CommitRange) -> Commits {
    let list: Vec<Commit> = range.commits.iter().take(ENTRIES_MAX).map(commit).collect();
    Commits {
        base: line(&range.base),
        head: line(&range.head),
        total: range.total,
        more: range.total.max(range.commits.len()).saturating_sub(list.len()),
        url: range.url.as_deref().map(href).filter(|u| !u.is_empty()),
        list,
    }
}

fn commit(commit: &domain::Commit) -> Commit {
    Commit {
        sha: line(&commit.sha),
        short: line(&commit.sha).chars().take(SHORT_SHA).collect(),
        title: line(&commit.title),
        author: some_line(commit.author.as_ref()),
    }
}

fn runbook(runbook: &domain::Runbook, bounded: &mut Bounded) -> Runbook {
    let first_steps = bounded.take("runbook steps", &runbook.first_steps, |step| line(step));
    Runbook { url: href(&runbook.url), first_steps }
}

fn link(link: &domain::Link) -> Link {
    Link { text: line(&link.text), href: href(&link.href) }
}

fn earlier(episode: &domain::EarlierEpisode) -> Earlier {
    let secs = episode.resolved_at.as_second() - episode.opened_at.as_second();
    Earlier {
        incident: line(episode.incident.as_str()),
        opened_at: time(episode.opened_at),
        resolved_at: time(episode.resolved_at),
        duration: duration(secs),
    }
}

fn gap(gap: &domain::Gap) -> Gap {
    Gap { what: line(&gap.what), why: line(&gap.why) }
}

/// Those of the enrichment, that of the confirmation, and what was left of long lists.
fn gaps(n: &Notification, mut bounded: Bounded) -> Vec<Gap> {
    let confirmation = n.confirmation.iter().filter_map(|c| c.gap.as_ref());
    let mut gaps: Vec<Gap> = Vec::new();
    for gap in confirmation.chain(&n.enrichment.gaps).map(gap) {
        if !gaps.contains(&gap) {
            gaps.push(gap);
        }
    }
    bounded.count("gaps", gaps.len());
    gaps.truncate(ENTRIES_MAX);
    gaps.append(&mut bounded.left);
    gaps
}
