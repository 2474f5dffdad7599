//! Polls the queues as Lambda's event source mapping would, and keeps the schedule.
//!
//! Invariant: a message is deleted only after the handler returned without naming it; whatever else happens, it becomes
//! visible again and, after its tries, goes to the dead letters.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws::{Polled, Queues};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use lambda_runtime::{Context, LambdaEvent};
use pipeline::ports::{Clock, QueueError};
use pipeline::{Pull, Sweep};

/// Seconds that a poll waits for a first message.
const WAIT_SECS: u32 = 2;

/// What a deployed function is given for one batch.
const FUNCTION_TIMEOUT_SECS: i64 = 30;

/// The schedule of `pull` and `sweep`.
const EVERY: Duration = Duration::from_mins(1);

/// Messages that one call may bring: what a first batch holds, and one after a batch that took long.
const BATCH_LEAST: usize = 10;

/// A batch that took less was small, and the next may hold twice as many messages; one that took more was large: a function
/// has its timeout, and what it did not finish comes again.
const SMALL: Duration = Duration::from_secs(1);
const LARGE: Duration = Duration::from_secs(3);

/// How long a poller rests after the queue did not answer.
const REST: Duration = Duration::from_millis(500);

/// Hands one queue's messages to a handler, in batches of at most `most`, for as long as the process lives.
pub(crate) async fn poll<H, F>(queues: Arc<Queues>, url: String, most: usize, clock: Arc<dyn Clock>, handle: H)
where
    H: Fn(LambdaEvent<SqsEvent>) -> F,
    F: Future<Output = SqsBatchResponse>,
{
    let mut wanted = BATCH_LEAST.min(most);
    loop {
        match batch(&queues, &url, wanted).await {
            Ok(batch) if batch.is_empty() => {}
            Ok(batch) => {
                let begun = Instant::now();
                let response = handle(event(&batch, &url, clock.as_ref())).await;
                delete_done(&queues, &url, &batch, &response).await;
                wanted = next_wanted(wanted, most, batch.len(), begun.elapsed());
            }
            Err(error) => {
                tracing::warn!(%error, "polling failed");
                tokio::time::sleep(REST).await;
            }
        }
    }
}

/// Messages that the next batch is to hold.
fn next_wanted(wanted: usize, most: usize, brought: usize, took: Duration) -> usize {
    if took > LARGE {
        BATCH_LEAST.min(most)
    } else if took < SMALL && brought >= wanted {
        (wanted * 2).min(most)
    } else {
        wanted
    }
}

/// What waits, once a first message is there: about as many messages as are wanted. Fewer than one call may bring are all
/// that there are.
async fn batch(queues: &Queues, url: &str, wanted: usize) -> Result<Vec<Polled>, QueueError> {
    let mut batch = queues.poll(url, WAIT_SECS).await?;
    let mut brought = batch.len();
    while brought >= BATCH_LEAST && batch.len() < wanted {
        let more = match queues.poll(url, 0).await {
            Ok(more) => more,
            Err(error) => {
                tracing::warn!(%error, "polling for more failed; what was received already is handed on");
                break;
            }
        };
        brought = more.len();
        batch.extend(more);
    }
    Ok(batch)
}

/// Runs `pull` as its schedule would, for as long as the process lives.
pub(crate) async fn pull_every_minute(pull: Arc<Pull>, clock: Arc<dyn Clock>) {
    loop {
        tokio::time::sleep(EVERY).await;
        if let Err(error) = pull::handle(&pull, clock.as_ref(), context(clock.as_ref())).await {
            tracing::warn!(%error, "pulling failed; the next run finds the same");
        }
    }
}

/// Runs `sweep` as its schedule would, for as long as the process lives.
pub(crate) async fn sweep_every_minute(sweep: Arc<Sweep>, clock: Arc<dyn Clock>) {
    loop {
        tokio::time::sleep(EVERY).await;
        if let Err(error) = sweep::handle(&sweep, clock.as_ref(), context(clock.as_ref())).await {
            tracing::warn!(%error, "sweeping failed; the next run finds the same");
        }
    }
}

fn event(batch: &[Polled], url: &str, clock: &dyn Clock) -> LambdaEvent<SqsEvent> {
    let mut event = SqsEvent::default();
    let arn = format!("arn:aws:sqs:us-east-1:000000000000:{}", url.rsplit('/').next().unwrap_or_default());
    for polled in batch {
        let mut record = SqsMessage::default();
        record.message_id = Some(polled.id.clone());
        record.receipt_handle = Some(polled.receipt.clone());
        record.body = Some(polled.body.clone());
        record.event_source_arn = Some(arn.clone());
        record.attributes.insert("ApproximateReceiveCount".to_owned(), polled.receives.to_string());
        event.records.push(record);
    }
    LambdaEvent::new(event, context(clock))
}

fn context(clock: &dyn Clock) -> Context {
    let mut context = Context::default();
    context.deadline = u64::try_from(clock.now().as_millisecond() + FUNCTION_TIMEOUT_SECS * 1000).unwrap_or(0);
    context
}

async fn delete_done(queues: &Queues, url: &str, batch: &[Polled], response: &SqsBatchResponse) {
    let failed = |id: &str| response.batch_item_failures.iter().any(|failure| failure.item_identifier == id);
    let done: Vec<&str> =
        batch.iter().filter(|polled| !failed(&polled.id)).map(|polled| polled.receipt.as_str()).collect();
    if let Err(error) = queues.delete_all(url, &done).await {
        tracing::warn!(%error, "finished messages could not be deleted; they come again and are recognised");
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;
    use aws::provision_queues;
    use embedded::{InProcess, Storage};
    use pipeline::InboxMessage;
    use pipeline::ports::Queue;

    use super::*;
    use crate::local::engines;

    #[test]
    fn a_batch_grows_while_it_is_done_in_time_and_is_small_again_after_one_that_was_not() {
        let quick = Duration::from_millis(20);
        let grown: Vec<usize> =
            std::iter::successors(Some(10), |wanted| Some(next_wanted(*wanted, 60, *wanted, quick))).take(5).collect();
        assert_eq!(grown, [10, 20, 40, 60, 60]);
        assert_eq!(next_wanted(20, 60, 19, quick), 20, "there was no more to take");
        assert_eq!(next_wanted(20, 60, 20, Duration::from_secs(2)), 20);
        assert_eq!(next_wanted(60, 60, 60, Duration::from_secs(4)), 10);
        assert_eq!(next_wanted(10, 10, 10, quick), 10, "a kind of receiver has batches as they are deployed");
    }

    #[tokio::test]
    async fn a_batch_holds_what_waits_and_about_as_much_as_is_wanted() -> anyhow::Result<()> {
        let clients = engines::clients(&Arc::new(InProcess::open(&Storage::Memory)?));
        let urls = provision_queues(&clients.sqs, "test").await?;
        let inbox = urls.inbox.clone().context("the inbox was not made")?;
        let queues = Queues::new(clients.sqs, urls);
        for _ in 0..6 {
            queues.send_inbox(&vec![InboxMessage::Alerts { items: Vec::new() }; 10], 0).await?;
        }
        let mut sizes = Vec::new();
        for wanted in [10, 25, 60] {
            sizes.push(batch(&queues, &inbox, wanted).await?.len());
        }
        assert_eq!(sizes, [10, 30, 20], "in whole calls, and no longer than anything waits");
        queues.send_inbox(&[InboxMessage::Alerts { items: Vec::new() }], 0).await?;
        assert_eq!(batch(&queues, &inbox, 60).await?.len(), 1, "one message waits for no other");
        Ok(())
    }
}
