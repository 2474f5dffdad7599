//! Lambda `pull`: turns a schedule's tick into a pipeline call.
//!
//! Invariant: a run that failed says so, so that the schedule tries it again; what it had raised is known by its ids.

use std::time::Duration;

use lambda_runtime::Context;
use pipeline::ports::Clock;
use pipeline::{Pull, PullError, Pulled};
use serde_json::{Value, json};

/// Time kept back from Lambda's own deadline for the answer.
const SOFT_DEADLINE_MARGIN: Duration = Duration::from_secs(2);

/// Looks at every target once. What the schedule sends is not read.
///
/// # Errors
/// [`PullError`]: run it again.
pub async fn handle(pull: &Pull, clock: &dyn Clock, context: Context) -> Result<Value, PullError> {
    let deadline = Duration::from_millis(context.deadline);
    let now = Duration::from_millis(u64::try_from(clock.now().as_millisecond()).unwrap_or(0));
    let pulled = pull.pull(deadline.saturating_sub(now).saturating_sub(SOFT_DEADLINE_MARGIN)).await?;
    let Pulled { targets, firing, cleared, missed, unread } = pulled;
    tracing::info!(targets, firing, cleared, missed, unread, "pulled");
    Ok(json!({ "targets": targets, "firing": firing, "cleared": cleared, "missed": missed, "unread": unread }))
}
