//! Lambda `triage`: turns an SQS batch into a pipeline call and names the messages that must come again.
//!
//! Invariant: it ends before Lambda ends it, so that what is not done is reported and not cut off.

use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::LambdaEvent;
use pipeline::ports::Clock;
use pipeline::{QueuedMessage, Triage};

/// Time kept back from Lambda's own deadline for the answer.
const SOFT_DEADLINE_MARGIN: Duration = Duration::from_secs(2);

/// Settles one batch.
pub async fn handle(triage: &Triage, clock: &dyn Clock, event: LambdaEvent<SqsEvent>) -> SqsBatchResponse {
    let deadline = Duration::from_millis(event.context.deadline);
    let now = Duration::from_millis(u64::try_from(clock.now().as_millisecond()).unwrap_or(0));
    let time_left = deadline.saturating_sub(now).saturating_sub(SOFT_DEADLINE_MARGIN);
    let batch = event.payload.records.into_iter().map(|record| QueuedMessage {
        id: record.message_id.unwrap_or_default(),
        body: record.body.unwrap_or_default(),
        receives: record
            .attributes
            .get("ApproximateReceiveCount")
            .and_then(|count| count.parse().ok())
            .unwrap_or(u32::MAX),
    });
    let mut response = SqsBatchResponse::default();
    for unfinished in triage.triage(batch.collect(), time_left).await {
        response.add_failure(unfinished.id);
    }
    response
}
