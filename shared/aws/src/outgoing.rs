//! Messages on their way to a queue, in batches of what is ready at one time.
//!
//! Invariant: each message is answered for itself: SQS can take a batch in part.

use std::sync::Arc;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;

use crate::gather::{Gather, Limits, Part};
use crate::store::first_causes;

/// What SQS takes in one `SendMessageBatch`: messages, and bytes over all of them.
const LIMITS: Limits = Limits { parts_max: 10, size_max: 256 * 1024 };

/// A queue to which nothing is on its way.
pub(crate) fn sends() -> Arc<Sends> {
    Gather::new(LIMITS)
}

/// A message on its way.
pub(crate) struct Outgoing {
    pub(crate) body: String,
    pub(crate) delay_secs: i32,
}

impl Part for Outgoing {
    fn size(&self) -> usize {
        self.body.len()
    }
}

/// Messages on their way to one queue; why one was not taken.
pub(crate) type Sends = Gather<Outgoing, Result<(), String>>;

/// Sends a batch, and says of each whether SQS took it.
pub(crate) async fn send(client: Client, url: String, batch: Vec<Outgoing>) -> Vec<Result<(), String>> {
    let count = batch.len();
    let sent = if count == 1 { send_one(&client, &url, batch).await } else { send_many(&client, &url, batch).await };
    sent.unwrap_or_else(|why| vec![Err(why); count])
}

async fn send_one(client: &Client, url: &str, batch: Vec<Outgoing>) -> Result<Vec<Result<(), String>>, String> {
    for Outgoing { body, delay_secs } in batch {
        let send = client.send_message().queue_url(url).message_body(body).delay_seconds(delay_secs);
        send.send().await.map_err(|error| first_causes(&error))?;
    }
    Ok(vec![Ok(())])
}

/// SQS can take a batch in part.
async fn send_many(client: &Client, url: &str, batch: Vec<Outgoing>) -> Result<Vec<Result<(), String>>, String> {
    let mut answers = vec![Ok(()); batch.len()];
    let entries = batch.into_iter().enumerate().map(|(index, Outgoing { body, delay_secs })| {
        let entry = SendMessageBatchRequestEntry::builder().id(index.to_string());
        entry.message_body(body).delay_seconds(delay_secs).build()
    });
    let entries: Vec<_> = entries.collect::<Result<_, _>>().map_err(|error| first_causes(&error))?;
    let sent = client.send_message_batch().queue_url(url).set_entries(Some(entries)).send().await;
    for refused in sent.map_err(|error| first_causes(&error))?.failed() {
        if let Some(answer) = refused.id().parse::<usize>().ok().and_then(|index| answers.get_mut(index)) {
            *answer = Err(format!("it was not taken: {}", refused.code()));
        }
    }
    Ok(answers)
}
