//! Step 4: the detectors are asked whether the metric is really unusual.
//!
//! Invariant: there is always an answer, in time. A metric that cannot be read is a gap, and a gap pages.

use std::time::Duration;

use config::Confirm;
use domain::{Alert, Confirmation, Gap, Timestamp};
use tokio::time::{Instant, timeout};

use crate::Triage;
use crate::metric;

impl Triage {
    /// What the rule's detectors say of the alert's metric. Of the time that is left until `until` a third at most is
    /// spent on it, so that a slow metric source never costs the page.
    pub(crate) async fn confirm(&self, alert: &Alert, until: Instant) -> Confirmation {
        let now = self.clock.now();
        let Some(confirm) = &self.config.rule_of(alert).confirm else {
            return Confirmation::not_configured(now);
        };
        let deadline = Duration::from_secs(self.config.deadlines.confirm_secs).min(time_left(until) / 3);
        let read = timeout(deadline, self.read_and_judge(alert, confirm, now)).await;
        let missed = || Err(Gap::new("metric", format!("no answer within {:.1} s", deadline.as_secs_f64())));
        match read.unwrap_or_else(|_| missed()) {
            Ok(confirmation) => confirmation,
            Err(gap) => Confirmation::unavailable(gap, now),
        }
    }

    async fn read_and_judge(&self, alert: &Alert, confirm: &Confirm, now: Timestamp) -> Result<Confirmation, Gap> {
        let reader = self.metrics.as_ref().ok_or_else(|| Gap::new("metric", "no metric source is configured"))?;
        let query = metric::query(alert, confirm, metric::span(confirm, now))?;
        let series = reader.read(&query).await.map_err(|error| Gap::new("metric", error.why))?;
        let (verdict, evidence) = confirm.panel.confirm(&series);
        Ok(Confirmation { verdict, checked: true, evidence, gap: None, at: now })
    }
}

/// What is left until `until`.
pub(crate) fn time_left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}
