//! An incident's deliveries, in order.
//!
//! Invariant: reads are consistent: what a worker decides on is what stands there.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Delivery, IncidentId};
use pipeline::ports::StoreError;

use crate::Store;
use crate::items::{Item, delivery_prefix, incident_partition, read_delivery};
use crate::store::unavailable;

pub(crate) async fn read(
    store: &Store,
    incident: &IncidentId,
    receiver: Option<&str>,
) -> Result<Vec<Delivery>, StoreError> {
    let items = query(store, incident_partition(incident), &delivery_prefix(receiver)).await?;
    items.iter().map(read_delivery).collect()
}

/// Every item of a partition whose sort key begins so, in sort-key order.
pub(crate) async fn query(store: &Store, partition: String, prefix: &str) -> Result<Vec<Item>, StoreError> {
    let mut items = Vec::new();
    let mut from: Option<Item> = None;
    loop {
        let page = store
            .client
            .query()
            .table_name(&store.table)
            .consistent_read(true)
            .key_condition_expression("PK = :partition AND begins_with(SK, :prefix)")
            .expression_attribute_values(":partition", AttributeValue::S(partition.clone()))
            .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
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
