//! A timeline's events in words.
//!
//! Invariant: a word says only what its event holds; every event has at least one line, but facts that are not there have none.

use domain::{Event, Verdict};

/// What an event of the timeline says, step by step.
pub(crate) fn told(event: &Event) -> Vec<(&'static str, String)> {
    match event {
        Event::Received { alert, alerts } => {
            vec![("received", format!("{}: {} of {} ({alerts} alerts)", alert.monitor, alert.metric, alert.service))]
        }
        Event::Verdict { confirmation } => {
            let evidence = confirmation.evidence.iter().map(|e| format!("{}: {}", e.detector, e.because));
            let gap = confirmation.gap.iter().map(|gap| format!("{}: {}", gap.what, gap.why));
            let step =
                if confirmation.verdict == Verdict::Confirmed { "confirmed" } else { confirmation.verdict.as_str() };
            evidence.chain(gap).map(|text| (step, text)).collect()
        }
        Event::Enriched { enrichment } => {
            let suspects = enrichment.suspects.iter().take(1).map(|s| {
                let by = s.change.author.as_deref().unwrap_or("unknown");
                ("enriched", format!("suspect: deployment {} by {by}, {}", s.change.title, s.because))
            });
            let commits = enrichment.commits.iter().map(|range| {
                let newest = range.commits.first().map_or("", |c| c.title.as_str());
                ("enriched", format!("{} commits since the deployment before; the newest: {newest}", range.total))
            });
            let runbook = enrichment.runbook.iter().map(|r| ("enriched", format!("runbook {}", r.url)));
            let gaps = enrichment.gaps.iter().map(|gap| ("gap", format!("{}: {}", gap.what, gap.why)));
            suspects.chain(commits).chain(runbook).chain(gaps).collect()
        }
        Event::Transitioned { transition, reason, receivers } => {
            let who = if receivers.is_empty() { "nobody".to_owned() } else { receivers.join(", ") };
            vec![(transition.as_str(), format!("{}; telling {who}", reason.explain()))]
        }
        Event::Watching { reason, next_check_at } => {
            vec![("watching", format!("{}; next look at {next_check_at}", reason.explain()))]
        }
        Event::Withheld { receivers } => {
            vec![("withheld", format!("not telling {}, by a rule's phase or hours", receivers.join(", ")))]
        }
        Event::Suppressed { reason } => vec![("suppressed", reason.explain())],
        Event::Dismissed { reason } => vec![("dismissed", reason.explain())],
    }
}
