//! Which places of a payload become which fields of an alert.
//!
//! Invariant: an allow-list. What no pointer here names never reaches an alert.

use std::collections::BTreeMap;

use domain::{Severity, Status};

use crate::link::address;
use crate::reading::decimal;

/// Labels on one alert.
pub const LABELS_MAX: usize = 32;

/// Pointers tried for one field or label.
const POINTERS_MAX: usize = 32;

/// Characters in a pointer and in a label's name.
const NAME_CHARS_MAX: usize = 256;

/// Names that [`domain::Alert::label`] answers from the alert's own fields.
const OWN_NAMES: [&str; 5] = ["source", "monitor", "service", "metric", "severity"];

/// A field of an alert that a payload may fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The monitor's name for people.
    Monitor,
    /// The monitor's id at its source.
    MonitorId,
    /// The service that the monitor watches.
    Service,
    /// The metric that the monitor watches.
    Metric,
    /// A word that means firing or cleared.
    Status,
    /// A word that [`Severity::parse`] reads.
    Severity,
    /// The metric's value, in the metric's own unit.
    Value,
    /// What is normal, in the metric's own unit.
    Baseline,
    /// What the monitor compares with, in the metric's own unit.
    Threshold,
    /// When the source saw it.
    ObservedAt,
    /// A web address, or a list of them. Every pointer's counts, not only the first.
    Link,
}

impl Field {
    /// Every field.
    pub const ALL: [Self; 11] = [
        Self::Monitor,
        Self::MonitorId,
        Self::Service,
        Self::Metric,
        Self::Status,
        Self::Severity,
        Self::Value,
        Self::Baseline,
        Self::Threshold,
        Self::ObservedAt,
        Self::Link,
    ];

    /// The word used in config.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Monitor => "monitor",
            Self::MonitorId => "monitor_id",
            Self::Service => "service",
            Self::Metric => "metric",
            Self::Status => "status",
            Self::Severity => "severity",
            Self::Value => "value",
            Self::Baseline => "baseline",
            Self::Threshold => "threshold",
            Self::ObservedAt => "observed_at",
            Self::Link => "link",
        }
    }

    /// The field of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == word)
    }
}

/// Which places of a payload become which fields; places are JSON pointers (RFC 6901), the first that holds something wins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping {
    /// Where the array of alerts is; the pointers below start inside each. `None`: the body is one alert.
    pub alerts: Option<String>,
    /// Pointers by field.
    pub fields: BTreeMap<Field, Vec<String>>,
    /// Pointers by label.
    pub labels: BTreeMap<String, Vec<String>>,
    /// What a field says when no pointer holds anything.
    pub defaults: BTreeMap<Field, String>,
    /// Words that mean firing, in any case.
    pub firing: Vec<String>,
    /// Words that mean cleared, in any case.
    pub cleared: Vec<String>,
}

impl Mapping {
    /// This mapping with `custom` over it: a field or label that it names is replaced, a list of words that it gives
    /// too, everything else stays.
    #[must_use]
    pub fn overlay(mut self, custom: Self) -> Self {
        self.alerts = custom.alerts.or(self.alerts);
        self.fields.extend(custom.fields);
        self.labels.extend(custom.labels);
        self.defaults.extend(custom.defaults);
        if !custom.firing.is_empty() {
            self.firing = custom.firing;
        }
        if !custom.cleared.is_empty() {
            self.cleared = custom.cleared;
        }
        self
    }

    /// Every mistake, each beginning with its place below the mapping (`fields.value: …`) and ending with the mend.
    /// Empty when there is none.
    #[must_use]
    pub fn check(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if let Some(pointer) = &self.alerts {
            mistakes.extend(pointer_mistake("alerts", pointer));
        }
        for (field, pointers) in &self.fields {
            mistakes.extend(pointers_mistakes(&format!("fields.{}", field.as_str()), pointers));
        }
        for (name, pointers) in &self.labels {
            mistakes.extend(label_mistake(name));
            mistakes.extend(pointers_mistakes(&format!("labels.{name}"), pointers));
        }
        if self.labels.len() > LABELS_MAX {
            mistakes.push(format!("labels: {} labels: map at most {LABELS_MAX}", self.labels.len()));
        }
        mistakes.extend(self.defaults.iter().filter_map(|(field, text)| self.default_mistake(*field, text)));
        mistakes.extend(self.word_mistakes());
        mistakes
    }

    /// What a word says of the monitor; `None` when it is in neither list.
    #[must_use]
    pub fn status(&self, word: &str) -> Option<Status> {
        let word = word.trim().to_lowercase();
        let listed = |words: &[String]| words.iter().any(|known| known.trim().to_lowercase() == word);
        match (listed(&self.firing), listed(&self.cleared)) {
            (true, _) => Some(Status::Firing),
            (false, true) => Some(Status::Cleared),
            (false, false) => None,
        }
    }

    /// The pointers of a field.
    pub(crate) fn pointers(&self, field: Field) -> &[String] {
        self.fields.get(&field).map_or(&[], Vec::as_slice)
    }

    fn default_mistake(&self, field: Field, text: &str) -> Option<String> {
        let mend = match field {
            Field::Severity => Severity::parse(text).is_none().then_some("use info, warning, error or critical"),
            Field::Status => self.status(text).is_none().then_some("use a word from firing or cleared"),
            Field::Value | Field::Baseline | Field::Threshold => decimal(text).is_none().then_some("use a number"),
            Field::Link => address(text).is_none().then_some("use an https:// address"),
            Field::ObservedAt => Some("leave it out: the time of reception is the default"),
            _ => text.trim().is_empty().then_some("leave it out, or give it text"),
        };
        mend.map(|mend| format!("defaults.{}: {text:?} does not fit: {mend}", field.as_str()))
    }

    fn word_mistakes(&self) -> Vec<String> {
        let lists = [("firing", &self.firing), ("cleared", &self.cleared)];
        let blank = |words: &[String]| words.iter().any(|word| word.trim().is_empty());
        let empty = lists.into_iter().filter(|(_, words)| blank(words));
        let mut mistakes: Vec<String> = empty.map(|(name, _)| format!("{name}: an empty word: take it out")).collect();
        let both = self.cleared.iter().filter(|word| self.status(word) == Some(Status::Firing));
        mistakes.extend(both.map(|word| format!("cleared: {word:?} is also in firing: take it out of one")));
        mistakes
    }
}

fn pointers_mistakes(place: &str, pointers: &[String]) -> Vec<String> {
    if pointers.len() > POINTERS_MAX {
        return vec![format!("{place}: {} pointers: give at most {POINTERS_MAX}", pointers.len())];
    }
    pointers.iter().filter_map(|pointer| pointer_mistake(place, pointer)).collect()
}

fn pointer_mistake(place: &str, pointer: &str) -> Option<String> {
    if pointer.chars().count() > NAME_CHARS_MAX {
        return Some(format!("{place}: a pointer is longer than {NAME_CHARS_MAX} characters: shorten it"));
    }
    if !pointer.is_empty() && !pointer.starts_with('/') {
        return Some(format!("{place}: {pointer:?} is no JSON pointer: write \"/{pointer}\""));
    }
    let escaped = pointer.split('~').skip(1).all(|after| after.starts_with(['0', '1']));
    (!escaped).then(|| format!("{place}: {pointer:?} has a bare ~: write ~0 for ~ and ~1 for / inside a key"))
}

fn label_mistake(name: &str) -> Option<String> {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if name.is_empty() || !plain || name.len() > NAME_CHARS_MAX {
        return Some(format!("labels: {name:?} is no label name: use letters, digits, _, - and ."));
    }
    let own = OWN_NAMES.contains(&name);
    own.then(|| format!("labels.{name}: the alert's own field answers to that name: map fields.{name} or rename it"))
}
