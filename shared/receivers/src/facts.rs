//! What a template can say: one JSON object, the same for every receiver.
//!
//! Invariant: every text in it is one line of at most 2,000 UTF-16 units and every list has at most 50 entries; what a
//! limit held back is itself a gap. Nothing in it is markup.
//!
//! | field | shape | meaning |
//! |---|---|---|
//! | `incident`, `fingerprint` | text | the episode's id; its dedup key |
//! | `transition` | text | `opened`, `escalated`, `reminded`, `updated`, `acknowledged`, `resolved`, `reopened` |
//! | `opened`, `escalated`, `reminded`, `updated`, `acknowledged`, `resolved`, `reopened` | true or absent | the same, to branch on |
//! | `state` | text | `open`, `acknowledged`, `resolved` |
//! | `severity` | text | `info`, `warning`, `error`, `critical` |
//! | `headline` | text | severity, service, metric, value and what is usual, on one line |
//! | `rule`, `source`, `monitor`, `service`, `metric` | text | as the incident has them |
//! | `labels` | object of texts | `{{labels.model}}`, or `{{#each labels}}{{@key}}: {{this}}{{/each}}` |
//! | `value`, `baseline`, `threshold` | text or null | four significant digits, in the metric's unit |
//! | `occurrences` | number | alerts folded into the episode so far |
//! | `children` | object or null | of a grouped incident: `total` that fired in the episode, `firing` that do now |
//! | `flapping` | text or null | UTC; until when it must be quiet to be over, where its state changed too often |
//! | `because` | text or null | why, where an end or an escalation has to say it |
//! | `opened_at`, `at` | text | UTC; when it opened, when this transition happened |
//! | `resolved_at` | text or null | UTC |
//! | `duration` | text | from opening to the end, or to this transition: `12 min` |
//! | `verdict` | text | `confirmed`, `rejected`, `inconclusive`, `not checked` |
//! | `unconfirmed` | true or false | a check was asked for and did not confirm |
//! | `unconfirmed_because` | text or null | why it did not |
//! | `confirmation` | object or null | `verdict`, `evidence[]`: `detector`, `verdict`, `score`, `value`, `expected`, `tested_points`, `baseline_points`, `since`, `because`; `gap`: `what`, `why` |
//! | `suspect` | text or null | the likeliest cause as a sentence |
//! | `no_suspect` | text or null | why there is none, where there is none |
//! | `suspects[]` | objects | a change (below) and `because` |
//! | `changes[]` | objects | `kind`, `id`, `at`, `title`, `environment`, `status`, `author`, `commit`, `url`; newest first |
//! | `commits` | object or null | `base`, `head`, `total`, `more`, `url`, `list[]`: `sha`, `short`, `title`, `author` |
//! | `runbook` | object or null | `url`, `first_steps[]` |
//! | `dashboards[]`, `links[]` | objects | `text`, `href` |
//! | `earlier[]` | objects | `incident`, `opened_at`, `resolved_at`, `duration`; newest first |
//! | `gaps[]` | objects | `what` is missing and `why` |
//!
//! Beside handlebars' own (`if`, `unless`, `each`, `with`, `lookup`, `eq`, `ne`, `and`, `or`, `not`, `gt`, `len` …) a
//! template has `{{link href text}}`, a link in the receiver's markup, `{{truncate text units}}`, and `{{encoded text}}`, a part
//! of an address. A template that writes JSON (`webhook/…`) has `{{json fact}}`, whatever the fact is, and `{{number fact}}`;
//! any other `{{fact}}` stands inside of quotes.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use domain::{Children, Notification};
use handlebars::{Context, RenderError};
use serde::Serialize;

mod build;
/// The object that templates see.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Facts {
    pub(crate) incident: String,
    pub(crate) fingerprint: String,
    pub(crate) transition: &'static str,
    /// The transition's word once more, as a field that is true.
    #[serde(flatten)]
    pub(crate) is: BTreeMap<&'static str, bool>,
    pub(crate) state: &'static str,
    pub(crate) severity: &'static str,
    pub(crate) headline: String,
    pub(crate) rule: String,
    pub(crate) source: String,
    pub(crate) monitor: String,
    pub(crate) service: String,
    pub(crate) metric: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: Option<String>,
    pub(crate) baseline: Option<String>,
    pub(crate) threshold: Option<String>,
    pub(crate) occurrences: u64,
    pub(crate) children: Option<Children>,
    pub(crate) flapping: Option<String>,
    pub(crate) because: Option<String>,
    pub(crate) opened_at: String,
    pub(crate) at: String,
    pub(crate) resolved_at: Option<String>,
    pub(crate) duration: String,
    pub(crate) verdict: &'static str,
    pub(crate) unconfirmed: bool,
    pub(crate) unconfirmed_because: Option<String>,
    pub(crate) confirmation: Option<Check>,
    pub(crate) suspect: Option<String>,
    pub(crate) no_suspect: Option<String>,
    pub(crate) suspects: Vec<Cause>,
    pub(crate) changes: Vec<Change>,
    pub(crate) commits: Option<Commits>,
    pub(crate) runbook: Option<Runbook>,
    pub(crate) dashboards: Vec<Link>,
    pub(crate) links: Vec<Link>,
    pub(crate) earlier: Vec<Earlier>,
    pub(crate) gaps: Vec<Gap>,
    /// All of it as the engine reads it, once for every template of a message.
    #[serde(skip)]
    read: OnceCell<Context>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Check {
    pub(crate) verdict: &'static str,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) gap: Option<Gap>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Evidence {
    pub(crate) detector: String,
    pub(crate) verdict: &'static str,
    pub(crate) score: Option<String>,
    pub(crate) value: Option<String>,
    pub(crate) expected: Option<String>,
    pub(crate) tested_points: usize,
    pub(crate) baseline_points: usize,
    pub(crate) since: Option<String>,
    pub(crate) because: String,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Change {
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    pub(crate) at: String,
    pub(crate) title: String,
    pub(crate) environment: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) author: Option<String>,
    pub(crate) commit: Option<String>,
    pub(crate) url: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Cause {
    #[serde(flatten)]
    pub(crate) change: Change,
    pub(crate) because: String,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Commits {
    pub(crate) base: String,
    pub(crate) head: String,
    pub(crate) total: usize,
    /// Commits of the range that `list` does not hold.
    pub(crate) more: usize,
    pub(crate) url: Option<String>,
    pub(crate) list: Vec<Commit>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Commit {
    pub(crate) sha: String,
    pub(crate) short: String,
    pub(crate) title: String,
    pub(crate) author: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Runbook {
    pub(crate) url: String,
    pub(crate) first_steps: Vec<String>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Link {
    pub(crate) text: String,
    pub(crate) href: String,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Earlier {
    pub(crate) incident: String,
    pub(crate) opened_at: String,
    pub(crate) resolved_at: String,
    pub(crate) duration: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Gap {
    pub(crate) what: String,
    pub(crate) why: String,
}

impl Facts {
    /// The facts of a notification.
    pub(crate) fn of(notification: &Notification) -> Self {
        build::facts(notification)
    }

    /// As a template reads them.
    pub(crate) fn read(&self) -> Result<&Context, RenderError> {
        if let Some(read) = self.read.get() {
            return Ok(read);
        }
        let read = Context::wraps(self)?;
        Ok(self.read.get_or_init(|| read))
    }

    /// Facts with every field and every list filled once, for trying a template before it is needed.
    pub(crate) fn sample() -> Self {
        let text = || "sample".to_owned();
        let url = || "https://example.com/".to_owned();
        Self {
            incident: text(),
            transition: "opened",
            is: BTreeMap::from([("opened", true)]),
            severity: "critical",
            headline: text(),
            service: text(),
            metric: text(),
            labels: BTreeMap::from([("model".to_owned(), text())]),
            value: Some(text()),
            baseline: Some(text()),
            threshold: Some(text()),
            children: Some(Children::default()),
            flapping: Some(text()),
            because: Some(text()),
            verdict: "inconclusive",
            unconfirmed: true,
            unconfirmed_because: Some(text()),
            confirmation: Some(Check { evidence: vec![Evidence::default()], ..Check::default() }),
            suspect: Some(text()),
            suspects: vec![Cause::default()],
            changes: vec![Change::default()],
            commits: Some(Commits { list: vec![Commit::default()], ..Commits::default() }),
            runbook: Some(Runbook { url: url(), first_steps: vec![text()] }),
            dashboards: vec![Link { text: text(), href: url() }],
            links: vec![Link { text: text(), href: url() }],
            earlier: vec![Earlier::default()],
            gaps: vec![Gap::default()],
            ..Self::default()
        }
    }
}
