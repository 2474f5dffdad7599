//! Who is not told now, and why: silences, maintenance windows, a rule's time intervals.
//!
//! Invariant: each answer is named and says until when. What mutes an alert holds back its opening, not its end.

use domain::{Alert, Interval, Matcher, Reason, Silence, Timestamp};
use jiff::SignedDuration;

use crate::{Config, Rule};

/// When something that has no end in sight is looked at again.
const LOOK_AGAIN_HOURS: i64 = 24;

/// Work on a system, during which its alerts are told to nobody.
#[derive(Debug, Clone, PartialEq)]
pub struct Maintenance {
    /// Its name.
    pub name: String,
    /// Which alerts; at least one.
    pub matchers: Vec<Matcher>,
    /// When.
    pub when: When,
}

/// Once, or again and again.
#[derive(Debug, Clone, PartialEq)]
pub enum When {
    /// Once.
    Once {
        /// From then on.
        from: Timestamp,
        /// Until then.
        until: Timestamp,
    },
    /// In any of these.
    During(Vec<Interval>),
}

/// An open incident that explains others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inhibition {
    /// What explains; at least one matcher.
    pub source: Vec<Matcher>,
    /// What is explained, unless it could explain as well; at least one matcher.
    pub target: Vec<Matcher>,
    /// Labels that both have alike; one that neither has is alike.
    pub equal: Vec<String>,
}

impl Inhibition {
    /// Whether an alert, once its incident is open, explains others.
    #[must_use]
    pub fn has_source(&self, alert: &Alert) -> bool {
        take(&self.source, alert)
    }

    /// Whether an open incident may explain an alert.
    #[must_use]
    pub fn has_target(&self, alert: &Alert) -> bool {
        take(&self.target, alert) && !take(&self.source, alert)
    }
}

impl Maintenance {
    /// Until when it is under way, if it is.
    fn until(&self, now: Timestamp) -> Option<Timestamp> {
        match &self.when {
            When::Once { from, until } => (*from <= now && now < *until).then_some(*until),
            When::During(intervals) => within(intervals, now).map(|(_, until)| until),
        }
    }
}

impl Config {
    /// Why people are not told of an alert now, if so. `silences` are those that stand beside the config's own.
    #[must_use]
    pub fn muted(&self, alert: &Alert, silences: &[Silence], now: Timestamp) -> Option<Reason> {
        let silence = self.silences.iter().chain(silences).filter(|silence| silence.mutes(alert, now));
        if let Some(silence) = silence.max_by_key(|silence| silence.until) {
            return Some(Reason::Silenced { silence: silence.id.to_string(), until: silence.until });
        }
        let under_way = |window: &Maintenance| {
            let until = if take(&window.matchers, alert) { window.until(now) } else { None };
            until.map(|until| Reason::Maintenance { window: window.name.clone(), until })
        };
        if let Some(reason) = self.maintenance.iter().find_map(under_way) {
            return Some(reason);
        }
        // Rules that follow one another each have their own times: it is held back where none of them tells anyone.
        let reasons: Option<Vec<Reason>> = self.hours(alert, now).map(|(_, against)| against).collect();
        reasons?.into_iter().min_by_key(Reason::held_back_until)
    }

    /// The rules that an alert came to, each with why it tells nobody at this time, if so.
    pub(crate) fn hours<'c>(
        &'c self,
        alert: &'c Alert,
        now: Timestamp,
    ) -> impl Iterator<Item = (&'c Rule, Option<Reason>)> {
        let also = alert.also.iter().filter_map(|name| self.rule(name));
        std::iter::once(self.rule_of(alert)).chain(also).map(move |rule| (rule, rule.out_of_hours(now)))
    }
}

impl Rule {
    /// Why the rule tells nobody at this time, if so.
    fn out_of_hours(&self, now: Timestamp) -> Option<Reason> {
        if let Some((interval, until)) = within(&self.mute_times, now) {
            return Some(Reason::MutedTime { interval: interval.name.clone(), until });
        }
        if self.active_times.is_empty() || within(&self.active_times, now).is_some() {
            return None;
        }
        let begins = self.active_times.iter().filter_map(|interval| interval.next_change(now)).min();
        Some(Reason::OutsideActiveTime { until: begins.unwrap_or_else(|| later(now)) })
    }
}

/// The interval that a moment is in, and when none of them is any more, as far as one step tells.
fn within(intervals: &[Interval], now: Timestamp) -> Option<(&Interval, Timestamp)> {
    let interval = intervals.iter().find(|interval| interval.contains(now))?;
    Some((interval, interval.next_change(now).unwrap_or_else(|| later(now))))
}

fn later(now: Timestamp) -> Timestamp {
    now.checked_add(SignedDuration::from_hours(LOOK_AGAIN_HOURS)).unwrap_or(now)
}

/// Whether all of what has to hold does.
pub(crate) fn take(matchers: &[Matcher], alert: &Alert) -> bool {
    matchers.iter().all(|matcher| matcher.takes(alert.label(&matcher.label)))
}
