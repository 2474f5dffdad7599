//! Step 4: the detectors are asked whether the metric is really unusual.
//!
//! Invariant: there is always an answer, in time. A metric that cannot be read is a gap, and a gap pages.

use std::time::Duration;

use config::Confirm;
use domain::{Alert, Confirmation, Gap, Timestamp};

use crate::Triage;
use crate::metric;
use crate::patience::Patience;

impl Triage {
    /// What the rule's detectors say of the alert's metric. Of the time that is left a third at most is spent
    /// on it, so that a slow metric source never costs the page.
    pub(crate) async fn confirm(&self, alert: &Alert, patience: &Patience) -> Confirmation {
        let now = self.clock.now();
        let Some(confirm) = &self.config.rule_of(alert).confirm else {
            return Confirmation::not_configured(now);
        };
        match self.read_and_judge(alert, confirm, now, patience).await {
            Ok(confirmation) => confirmation,
            Err(gap) => Confirmation::unavailable(gap, now),
        }
    }

    async fn read_and_judge(
        &self,
        alert: &Alert,
        confirm: &Confirm,
        now: Timestamp,
        patience: &Patience,
    ) -> Result<Confirmation, Gap> {
        let reader = self.metrics.as_ref().ok_or_else(|| Gap::new("metric", "no metric source is configured"))?;
        let query = metric::query(alert, confirm, metric::span(confirm, now))?;
        let deadline = Duration::from_secs(self.config.deadlines.confirm_secs);
        let source = query.query.source().as_str();
        let series = patience.wait_for(source, "metric", deadline, patience.left() / 3, reader.read(&query)).await?;
        let (verdict, evidence) = confirm.panel.confirm(&series);
        Ok(Confirmation { verdict, checked: true, evidence, gap: None, at: now })
    }
}
