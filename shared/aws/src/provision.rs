//! The table and the queues as `infra/` deploys them, made on engines that start empty.
//!
//! Invariant: what is there already is left as it is.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType,
};
use aws_sdk_sqs::types::QueueAttributeName;
use domain::ReceiverKind;
use thiserror::Error;

use crate::items::{PK, SK, UNFINISHED_INDEX};
use crate::store::first_causes;
use crate::{QueueUrls, Store};

/// Times that a queue of deliveries hands out one message before it goes to the dead letters. More than a delivery's
/// attempts, so that a delivery ends by its own count and with its reason written down. The most that SQS takes.
pub const DELIVERY_RECEIVES_MAX: u32 = 1000;

/// The same for the inbox: five hours in which the table may be away.
pub const INBOX_RECEIVES_MAX: u32 = 100;

/// Seconds for which a queue keeps a message: the most that SQS takes.
const RETENTION_SECS: u32 = 14 * 86_400;

/// Seconds for which a message handed out is hidden: six times what a function may take.
const VISIBILITY_SECS: u32 = 180;

/// The table or a queue could not be made.
#[derive(Debug, Error)]
#[error("{what} could not be made: {why}")]
pub struct ProvisionError {
    what: String,
    why: String,
}

fn failed<E: std::error::Error>(what: &str) -> impl FnOnce(E) -> ProvisionError {
    move |error| ProvisionError { what: what.to_owned(), why: first_causes(&error) }
}

/// Makes the table if it is not there.
///
/// # Errors
/// [`ProvisionError`] says what the engine said.
pub async fn provision_table(store: &Store) -> Result<(), ProvisionError> {
    let what = format!("the table {}", store.table);
    let there = store.client.describe_table().table_name(&store.table).send().await;
    if there.is_ok() {
        return Ok(());
    }
    let attribute = |name: &str, kind| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().map_err(failed(&what))
    };
    let key = |name: &str, kind| {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().map_err(failed(&what))
    };
    let index = GlobalSecondaryIndex::builder()
        .index_name(UNFINISHED_INDEX)
        .key_schema(key(UNFINISHED_INDEX, KeyType::Hash)?)
        .key_schema(key("due", KeyType::Range)?)
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
        .map_err(failed(&what))?;
    store
        .client
        .create_table()
        .table_name(&store.table)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute(PK, ScalarAttributeType::S)?)
        .attribute_definitions(attribute(SK, ScalarAttributeType::S)?)
        .attribute_definitions(attribute(UNFINISHED_INDEX, ScalarAttributeType::S)?)
        .attribute_definitions(attribute("due", ScalarAttributeType::N)?)
        .key_schema(key(PK, KeyType::Hash)?)
        .key_schema(key(SK, KeyType::Range)?)
        .global_secondary_indexes(index)
        .send()
        .await
        .map(drop)
        .map_err(failed(&what))
}

/// Makes the inbox, a queue for each receiver kind, and their dead letters.
///
/// # Errors
/// [`ProvisionError`] says what the engine said.
pub async fn provision_queues(client: &aws_sdk_sqs::Client, prefix: &str) -> Result<QueueUrls, ProvisionError> {
    let mut urls = QueueUrls::default();
    let there = existing(client, prefix).await?;
    let inbox = format!("{prefix}-inbox");
    let (inbox, inbox_dead_letters) = with_dead_letters(client, &there, &inbox, INBOX_RECEIVES_MAX).await?;
    urls.inbox = Some(inbox);
    urls.inbox_dead_letters = Some(inbox_dead_letters);
    for kind in ReceiverKind::ALL {
        let name = format!("{prefix}-{}", kind.as_str());
        let (queue, dead) = with_dead_letters(client, &there, &name, DELIVERY_RECEIVES_MAX).await?;
        urls.deliveries.insert(kind, queue);
        urls.dead_letters.insert(kind, dead);
    }
    Ok(urls)
}

/// The addresses of queues that are there, whatever their attributes: making one again with others would be refused. An
/// answer without a list says that there is none.
async fn existing(client: &aws_sdk_sqs::Client, prefix: &str) -> Result<Vec<String>, ProvisionError> {
    let listed = client.list_queues().queue_name_prefix(prefix).send().await.map_err(failed(prefix))?;
    Ok(listed.queue_urls().to_vec())
}

/// A part of an answer that must be there.
fn said<T>(part: Option<T>, of: &str, missing: &str) -> Result<T, ProvisionError> {
    part.ok_or_else(|| ProvisionError { what: of.to_owned(), why: format!("the answer has no {missing}") })
}

async fn with_dead_letters(
    client: &aws_sdk_sqs::Client,
    there: &[String],
    name: &str,
    receives_max: u32,
) -> Result<(String, String), ProvisionError> {
    let dead_name = format!("{name}-dead");
    let found = |name: &str| there.iter().find(|url| url.rsplit_once('/').is_some_and(|(_, own)| own == name));
    if let (Some(queue), Some(dead)) = (found(name), found(&dead_name)) {
        return Ok((queue.clone(), dead.clone()));
    }
    let retention = (QueueAttributeName::MessageRetentionPeriod, RETENTION_SECS.to_string());
    let dead = client
        .create_queue()
        .queue_name(&dead_name)
        .attributes(retention.0.clone(), retention.1.clone())
        .send()
        .await
        .map_err(failed(&dead_name))?;
    let dead_url = said(dead.queue_url, &dead_name, "address")?;
    let attributes = client
        .get_queue_attributes()
        .queue_url(&dead_url)
        .attribute_names(QueueAttributeName::QueueArn)
        .send()
        .await
        .map_err(failed(&dead_name))?;
    let arn = attributes.attributes().and_then(|attributes| attributes.get(&QueueAttributeName::QueueArn));
    let arn = said(arn, &dead_name, "ARN")?;
    let redrive = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":{receives_max}}}"#);
    let queue = client
        .create_queue()
        .queue_name(name)
        .attributes(retention.0, retention.1)
        .attributes(QueueAttributeName::VisibilityTimeout, VISIBILITY_SECS.to_string())
        .attributes(QueueAttributeName::RedrivePolicy, redrive)
        .send()
        .await
        .map_err(failed(name))?;
    Ok((said(queue.queue_url, name, "address")?, dead_url))
}
