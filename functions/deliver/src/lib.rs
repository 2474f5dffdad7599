//! Lambda `deliver`: turns an SQS batch into a pipeline call, and hides what must come again until it is due.
//!
//! Invariant: a message that is not done is always reported as failed; hiding it only chooses when it comes again.

use std::collections::HashMap;
use std::time::Duration;

use aws::Queues;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::LambdaEvent;
use pipeline::ports::Clock;
use pipeline::{Deliver, QueuedMessage};

/// Time kept back from Lambda's own deadline for the answer.
const SOFT_DEADLINE_MARGIN: Duration = Duration::from_secs(2);

/// Delivers one batch.
pub async fn handle(
    deliver: &Deliver,
    queues: &Queues,
    clock: &dyn Clock,
    event: LambdaEvent<SqsEvent>,
) -> SqsBatchResponse {
    let deadline = Duration::from_millis(event.context.deadline);
    let now = Duration::from_millis(u64::try_from(clock.now().as_millisecond()).unwrap_or(0));
    let time_left = deadline.saturating_sub(now).saturating_sub(SOFT_DEADLINE_MARGIN);
    let mut receipts = HashMap::new();
    let mut batch = Vec::new();
    for record in event.payload.records {
        let id = record.message_id.unwrap_or_default();
        receipts.insert(
            id.clone(),
            (record.event_source_arn.unwrap_or_default(), record.receipt_handle.unwrap_or_default()),
        );
        let receives = record.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
        let receives = receives.unwrap_or(u32::MAX);
        batch.push(QueuedMessage { id, body: record.body.unwrap_or_default(), receives });
    }
    let mut response = SqsBatchResponse::default();
    for unfinished in deliver.deliver(batch, time_left).await {
        if let (Some(secs), Some((arn, receipt))) = (unfinished.after_secs, receipts.get(&unfinished.id)) {
            hide(queues, arn, receipt, secs).await;
        }
        response.add_failure(unfinished.id);
    }
    response
}

async fn hide(queues: &Queues, arn: &str, receipt: &str, secs: u32) {
    let Some(url) = queues.url_of(arn) else { return };
    if let Err(error) = queues.hide(url, receipt, secs).await {
        tracing::warn!(%error, "a message could not be hidden; it comes again at the queue's own pace");
    }
}
