//! The queues behind the pipeline's port, and polling them where no event source mapping does.
//!
//! Invariant: a send returns well only when SQS took every message. SQS can take a batch in part: the rest is an error,
//! and the caller's message comes again.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, MessageSystemAttributeName, QueueAttributeName};
use domain::ReceiverKind;
use futures::future::join_all;
use pipeline::ports::{DeadLetter, DeadLetterQueue, DeadLetters, Queue, QueueError};
use pipeline::{DeliveryMessage, InboxMessage};
use serde::Serialize;

use crate::outgoing::{self, Outgoing, Sends, sends};
use crate::store::first_causes;

/// Messages in one batch of deletions.
const BATCH_MAX: usize = 10;

/// The addresses of the queues that this process may use.
#[derive(Debug, Clone, Default)]
pub struct QueueUrls {
    /// Where alerts wait for triage.
    pub inbox: Option<String>,
    /// Where deliveries wait, by receiver kind.
    pub deliveries: BTreeMap<ReceiverKind, String>,
    /// Where alerts end that triage never finished.
    pub inbox_dead_letters: Option<String>,
    /// Where deliveries end that will never succeed.
    pub dead_letters: BTreeMap<ReceiverKind, String>,
}

impl QueueUrls {
    /// From `TOCSIN_INBOX_QUEUE_URL`, `TOCSIN_<KIND>_QUEUE_URL`, and the same with `DEAD_LETTER_QUEUE_URL` at its end.
    #[must_use]
    pub fn from_env() -> Self {
        let read = |name: String| std::env::var(name).ok().filter(|url| !url.is_empty());
        let by_kind = |suffix: &str| {
            let name = |kind: ReceiverKind| format!("TOCSIN_{}_{suffix}", kind.as_str().to_ascii_uppercase());
            ReceiverKind::ALL.into_iter().filter_map(|kind| Some((kind, read(name(kind))?))).collect()
        };
        Self {
            inbox: read("TOCSIN_INBOX_QUEUE_URL".to_owned()),
            inbox_dead_letters: read("TOCSIN_INBOX_DEAD_LETTER_QUEUE_URL".to_owned()),
            deliveries: by_kind("QUEUE_URL"),
            dead_letters: by_kind("DEAD_LETTER_QUEUE_URL"),
        }
    }
}

/// A message as it was handed out.
#[derive(Debug, Clone)]
pub struct Polled {
    /// SQS's id for it.
    pub id: String,
    /// What deletes or hides it.
    pub receipt: String,
    /// Its body.
    pub body: String,
    /// Times that it was handed out, this one included.
    pub receives: u32,
}

/// The queues of this process.
#[derive(Clone)]
pub struct Queues {
    client: Client,
    urls: QueueUrls,
    outgoing: Arc<Mutex<HashMap<String, Arc<Sends>>>>,
}

impl fmt::Debug for Queues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queues").field("urls", &self.urls).finish_non_exhaustive()
    }
}

impl Queues {
    /// Over the addresses that this process may use.
    #[must_use]
    pub fn new(client: Client, urls: QueueUrls) -> Self {
        Self { client, urls, outgoing: Arc::default() }
    }

    /// The addresses.
    #[must_use]
    pub fn urls(&self) -> &QueueUrls {
        &self.urls
    }

    /// The address of the queue that an event names by its ARN, if this process may use it.
    #[must_use]
    pub fn url_of(&self, arn: &str) -> Option<&str> {
        let name = arn.rsplit(':').next().filter(|name| !name.is_empty())?;
        let urls = self.urls.inbox.iter().chain(self.urls.deliveries.values());
        urls.map(String::as_str).find(|url| url.rsplit('/').next() == Some(name))
    }

    /// Up to ten messages, waiting up to `wait_secs` for the first. They are hidden for as long as the queue hides what it
    /// hands out.
    ///
    /// # Errors
    /// [`QueueError`] says what SQS said.
    pub async fn poll(&self, url: &str, wait_secs: u32) -> Result<Vec<Polled>, QueueError> {
        self.receive(url, wait_secs, None).await
    }

    async fn receive(&self, url: &str, wait_secs: u32, hidden_secs: Option<u32>) -> Result<Vec<Polled>, QueueError> {
        let answer = self
            .client
            .receive_message()
            .queue_url(url)
            .max_number_of_messages(10)
            .wait_time_seconds(wait_secs.cast_signed())
            .set_visibility_timeout(hidden_secs.map(u32::cast_signed))
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .send()
            .await
            .map_err(|error| failed(url, &error))?;
        let messages = answer.messages.unwrap_or_default();
        Ok(messages
            .into_iter()
            .map(|message| Polled {
                receives: message
                    .attributes()
                    .and_then(|a| a.get(&MessageSystemAttributeName::ApproximateReceiveCount)?.parse().ok())
                    .unwrap_or(1),
                id: message.message_id.unwrap_or_default(),
                receipt: message.receipt_handle.unwrap_or_default(),
                body: message.body.unwrap_or_default(),
            })
            .collect())
    }

    /// Deletes messages that are done, as they were handed out together.
    ///
    /// # Errors
    /// [`QueueError`] says what SQS said; what was not deleted comes again.
    pub async fn delete_all(&self, url: &str, receipts: &[&str]) -> Result<(), QueueError> {
        for batch in receipts.chunks(BATCH_MAX) {
            let entries = batch.iter().enumerate().map(|(index, receipt)| {
                DeleteMessageBatchRequestEntry::builder().id(index.to_string()).receipt_handle(*receipt).build()
            });
            let entries: Vec<_> = entries.collect::<Result<_, _>>().map_err(|error| failed(url, &error))?;
            let deleted = self.client.delete_message_batch().queue_url(url).set_entries(Some(entries)).send().await;
            if let Some(left) = deleted.map_err(|error| failed(url, &error))?.failed().first() {
                return Err(QueueError { queue: url.to_owned(), why: format!("not deleted: {}", left.code()) });
            }
        }
        Ok(())
    }

    /// Hides a message for that long, so that it comes again when it is due.
    ///
    /// # Errors
    /// [`QueueError`] says what SQS said; the message comes again at the queue's own pace.
    pub async fn hide(&self, url: &str, receipt: &str, secs: u32) -> Result<(), QueueError> {
        let secs = i32::try_from(secs.min(43_200)).unwrap_or(43_200);
        let hidden = self
            .client
            .change_message_visibility()
            .queue_url(url)
            .receipt_handle(receipt)
            .visibility_timeout(secs)
            .send()
            .await;
        hidden.map(drop).map_err(|error| failed(url, &error))
    }

    /// Messages that a queue holds: waiting or handed out. A delayed one is a later look, which is not due.
    ///
    /// # Errors
    /// [`QueueError`] says what SQS said.
    pub async fn held(&self, url: &str) -> Result<u64, QueueError> {
        let waiting = QueueAttributeName::ApproximateNumberOfMessages;
        self.count(url, &[waiting, QueueAttributeName::ApproximateNumberOfMessagesNotVisible]).await
    }

    async fn count(&self, url: &str, counts: &[QueueAttributeName]) -> Result<u64, QueueError> {
        let asked = self.client.get_queue_attributes().queue_url(url).set_attribute_names(Some(counts.to_vec()));
        let answer = asked.send().await.map_err(|error| failed(url, &error))?;
        let attributes = answer.attributes.unwrap_or_default();
        Ok(counts.iter().filter_map(|name| attributes.get(name)?.parse::<u64>().ok()).sum())
    }

    /// Each message joins a batch with whatever else goes to its queue in this moment.
    async fn send<T: Serialize>(
        &self,
        url: Option<&String>,
        name: &str,
        messages: &[T],
        delay_secs: u32,
    ) -> Result<(), QueueError> {
        let url = address(url, name)?;
        let unwritable = |e: serde_json::Error| QueueError { queue: name.to_owned(), why: e.to_string() };
        let bodies: Vec<String> =
            messages.iter().map(serde_json::to_string).collect::<Result<_, _>>().map_err(unwritable)?;
        let delay_secs = delay_secs.min(900).cast_signed();
        let sends = bodies.into_iter().map(|body| async move {
            let (client, own) = (self.client.clone(), url.to_owned());
            let call = move |batch| outgoing::send(client.clone(), own.clone(), batch);
            let sent = self.outgoing(url).join(Outgoing { body, delay_secs }, call).await;
            let why = sent.unwrap_or_else(|| Err("the call was given up".to_owned()));
            why.map_err(|why| QueueError { queue: name.to_owned(), why })
        });
        join_all(sends).await.into_iter().collect()
    }

    /// What waits to be sent to a queue.
    fn outgoing(&self, url: &str) -> Arc<Sends> {
        let mut queues = self.outgoing.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(queues.entry(url.to_owned()).or_insert_with(sends))
    }
}

/// A queue's address, if this process may use it.
fn address<'a>(url: Option<&'a String>, name: &str) -> Result<&'a str, QueueError> {
    let missing = || QueueError { queue: name.to_owned(), why: "its address is not configured".to_owned() };
    url.map(String::as_str).ok_or_else(missing)
}

fn failed<E: std::error::Error>(queue: &str, error: &E) -> QueueError {
    QueueError { queue: queue.to_owned(), why: first_causes(error) }
}

#[async_trait]
impl Queue for Queues {
    async fn send_inbox(&self, messages: &[InboxMessage], delay_secs: u32) -> Result<(), QueueError> {
        self.send(self.urls.inbox.as_ref(), "inbox", messages, delay_secs).await
    }

    async fn send_deliveries(&self, kind: ReceiverKind, messages: &[DeliveryMessage]) -> Result<(), QueueError> {
        self.send(self.urls.deliveries.get(&kind), kind.as_str(), messages, 0).await
    }

    async fn deliveries_held(&self, kind: ReceiverKind) -> Result<u64, QueueError> {
        self.held(address(self.urls.deliveries.get(&kind), kind.as_str())?).await
    }

    async fn resend_inbox(&self, body: &str) -> Result<(), QueueError> {
        let url = address(self.urls.inbox.as_ref(), "inbox")?;
        let sent = self.client.send_message().queue_url(url).message_body(body).send().await;
        sent.map(drop).map_err(|error| failed("inbox", &error))
    }

    async fn bury(&self, kind: ReceiverKind, message: &DeliveryMessage) -> Result<(), QueueError> {
        let name = format!("{} dead-letter", kind.as_str());
        self.send(self.urls.dead_letters.get(&kind), &name, std::slice::from_ref(message), 0).await
    }
}

impl Queues {
    fn dead_letters_url(&self, queue: DeadLetterQueue) -> Result<&str, QueueError> {
        match queue {
            DeadLetterQueue::Inbox => address(self.urls.inbox_dead_letters.as_ref(), "inbox dead-letter"),
            DeadLetterQueue::Deliveries(kind) => address(self.urls.dead_letters.get(&kind), "dead-letter"),
        }
    }
}

#[async_trait]
impl DeadLetters for Queues {
    async fn look(&self, queue: DeadLetterQueue, hidden_secs: u32) -> Result<Vec<DeadLetter>, QueueError> {
        let url = self.dead_letters_url(queue)?;
        let found = self.receive(url, 0, Some(hidden_secs)).await?;
        let letter = |Polled { id, receipt, body, .. }| DeadLetter { id, receipt, body };
        let mut letters: Vec<DeadLetter> = found.into_iter().map(letter).collect();
        // In one order, whichever the queue shows them in.
        letters.sort_by(|one, other| one.body.cmp(&other.body));
        Ok(letters)
    }

    async fn hidden(&self, queue: DeadLetterQueue) -> Result<u64, QueueError> {
        let url = self.dead_letters_url(queue)?;
        self.count(url, &[QueueAttributeName::ApproximateNumberOfMessagesNotVisible]).await
    }

    async fn remove(&self, queue: DeadLetterQueue, letter: &DeadLetter) -> Result<(), QueueError> {
        self.delete_all(self.dead_letters_url(queue)?, &[&letter.receipt]).await
    }
}
