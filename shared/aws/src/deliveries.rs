//! An incident's deliveries, in order.
//!
//! Invariant: reads are consistent: what a worker decides on is what stands there.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Alert, Delivery, DeliveryId, Event, IncidentId, Notification};
use pipeline::ports::StoreError;

use crate::Store;
use crate::items::{Item, delivery_item, delivery_key, delivery_prefix, incident_partition, read_delivery};
use crate::store::unavailable;
use crate::written::{RECORD_PREFIX, read_entries, read_told, told_item, told_key};

pub(crate) async fn read(
    store: &Store,
    incident: &IncidentId,
    receiver: Option<&str>,
) -> Result<Vec<Delivery>, StoreError> {
    let items = query(store, incident_partition(incident), &delivery_prefix(receiver)).await?;
    items.iter().map(read_delivery).collect()
}

/// Every item of a partition whose sort key begins so, in sort-key order; of the whole partition where the prefix is empty.
pub(crate) async fn query(store: &Store, partition: String, prefix: &str) -> Result<Vec<Item>, StoreError> {
    let mut items = Vec::new();
    let mut from: Option<Item> = None;
    let mut condition = "PK = :partition".to_owned();
    let mut values = HashMap::from([(":partition".to_owned(), AttributeValue::S(partition))]);
    if !prefix.is_empty() {
        // DynamoDB takes no empty text for a key.
        condition.push_str(" AND begins_with(SK, :prefix)");
        values.insert(":prefix".to_owned(), AttributeValue::S(prefix.to_owned()));
    }
    loop {
        let page = store
            .client
            .query()
            .table_name(&store.table)
            .consistent_read(true)
            .key_condition_expression(&condition)
            .set_expression_attribute_values(Some(values.clone()))
            .set_exclusive_start_key(from.take())
            .send()
            .await
            .map_err(|error| unavailable("Query", &error))?;
        items.extend(page.items.unwrap_or_default());
        from = page.last_evaluated_key;
        if from.is_none() {
            return Ok(items);
        }
    }
}

pub(crate) async fn read_one(store: &Store, id: &DeliveryId) -> Result<Option<Delivery>, StoreError> {
    get(store, delivery_key(id)).await?.as_ref().map(read_delivery).transpose()
}

pub(crate) async fn notification(
    store: &Store,
    incident: &IncidentId,
    seq: u32,
) -> Result<Option<Notification>, StoreError> {
    Ok(get(store, told_key(incident, seq)).await?.as_ref().map(read_told).transpose()?.flatten())
}

/// The newest alert that a timeline tells of.
pub(crate) async fn newest_alert(store: &Store, incident: &IncidentId) -> Result<Option<Alert>, StoreError> {
    let entries = read_entries(&query(store, incident_partition(incident), RECORD_PREFIX).await?)?;
    let alerts = entries.iter().rev().filter_map(|entry| match entry.event() {
        Ok(Event::Received { alert, .. }) => Some(*alert),
        _ => None,
    });
    Ok(alerts.into_iter().next())
}

/// Writes what is told before the delivery that tells it; either may stand there already.
pub(crate) async fn add(store: &Store, delivery: &Delivery, told: &Notification) -> Result<(), StoreError> {
    for item in [told_item(told, delivery.id.seq)?, delivery_item(delivery)?] {
        let put = store.client.put_item().table_name(&store.table).set_item(Some(item));
        put_if_absent(put).await?;
    }
    Ok(())
}

async fn put_if_absent(put: PutItemFluentBuilder) -> Result<(), StoreError> {
    match put.condition_expression("attribute_not_exists(PK)").send().await {
        Ok(_) => Ok(()),
        Err(SdkError::ServiceError(there)) if there.err().is_conditional_check_failed_exception() => Ok(()),
        Err(error) => Err(unavailable("PutItem", &error)),
    }
}

pub(crate) async fn get(store: &Store, key: Item) -> Result<Option<Item>, StoreError> {
    let answer = store.client.get_item().table_name(&store.table).set_key(Some(key)).consistent_read(true).send().await;
    Ok(answer.map_err(|error| unavailable("GetItem", &error))?.item)
}
