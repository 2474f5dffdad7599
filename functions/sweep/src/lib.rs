//! Lambda `sweep`: turns a schedule's tick into a pipeline call.
//!
//! Invariant: a run that failed in part says so, so that the schedule's alarm hears of it; the next run finds the same.

use std::time::Duration;

use lambda_runtime::Context;
use pipeline::ports::Clock;
use pipeline::{Sweep, Swept};
use thiserror::Error;

/// Time kept back from Lambda's own deadline for the answer.
const SOFT_DEADLINE_MARGIN: Duration = Duration::from_secs(2);

/// A part of the run failed; the log says which.
#[derive(Debug, Error)]
#[error("{failed} parts of the sweep failed; the next run finds the same")]
pub struct Incomplete {
    failed: usize,
}

/// Sweeps once. What the schedule sends is not read.
///
/// # Errors
/// [`Incomplete`]: what could be done was done.
pub async fn handle(sweep: &Sweep, clock: &dyn Clock, context: Context) -> Result<Swept, Incomplete> {
    let deadline = Duration::from_millis(context.deadline);
    let now = Duration::from_millis(u64::try_from(clock.now().as_millisecond()).unwrap_or(0));
    let swept = sweep.sweep(deadline.saturating_sub(now).saturating_sub(SOFT_DEADLINE_MARGIN)).await;
    let Swept { deliveries, looks, dead, failed } = swept;
    tracing::info!(deliveries, looks, dead, failed, "swept");
    if failed > 0 { Err(Incomplete { failed }) } else { Ok(swept) }
}
