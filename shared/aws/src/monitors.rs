//! What was heard last of a source's monitors.
//!
//! Invariant: a record is written over only by who knows what stands there, or by news that are not older.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use pipeline::ports::{Marked, MonitorRecord, StoreError};

use crate::Store;
use crate::deliveries::query;
use crate::items::{MONITOR_PREFIX, millis, monitor_item, monitor_key, read_monitor, source_partition, text};
use crate::store::unavailable;

pub(crate) async fn read(store: &Store, source: &str) -> Result<Vec<MonitorRecord>, StoreError> {
    let items = query(store, source_partition(source), MONITOR_PREFIX).await?;
    items.iter().map(|item| read_monitor(source, item)).collect()
}

pub(crate) async fn read_one(store: &Store, source: &str, id: &str) -> Result<Option<MonitorRecord>, StoreError> {
    let answer = store
        .client
        .get_item()
        .table_name(&store.table)
        .set_key(Some(monitor_key(source, id)))
        .consistent_read(true)
        .send()
        .await
        .map_err(|error| unavailable("GetItem", &error))?;
    answer.item.as_ref().map(|item| read_monitor(source, item)).transpose()
}

pub(crate) async fn write(
    store: &Store,
    record: &MonitorRecord,
    before: Option<&MonitorRecord>,
) -> Result<Marked, StoreError> {
    let put = store.client.put_item().table_name(&store.table).set_item(Some(monitor_item(record)));
    let put = match before {
        None => put.condition_expression("attribute_not_exists(PK)"),
        Some(before) => {
            let put = put
                .expression_attribute_names("#status", "status")
                .expression_attribute_values(":status", text(before.status.as_str()))
                .expression_attribute_values(":observed_at", millis(before.observed_at));
            let same = "#status = :status AND observed_at = :observed_at AND ";
            match before.missed_since {
                None => put.condition_expression(format!("{same}attribute_not_exists(missed_since)")),
                Some(since) => put
                    .condition_expression(format!("{same}missed_since = :missed_since"))
                    .expression_attribute_values(":missed_since", millis(since)),
            }
        }
    };
    write_if(put).await
}

/// True where nothing newer stands; compared with `:observed_at`.
pub(crate) const NOT_NEWER: &str = "attribute_not_exists(PK) OR observed_at <= :observed_at";

pub(crate) async fn hear_of(store: &Store, record: &MonitorRecord) -> Result<(), StoreError> {
    let put = store.client.put_item().table_name(&store.table).set_item(Some(monitor_item(record)));
    let put = put.condition_expression(NOT_NEWER);
    write_if(put.expression_attribute_values(":observed_at", millis(record.observed_at))).await?;
    Ok(())
}

async fn write_if(put: PutItemFluentBuilder) -> Result<Marked, StoreError> {
    match put.send().await {
        Ok(_) => Ok(Marked::Done),
        Err(SdkError::ServiceError(newer))
            if newer.err().is_conditional_check_failed_exception()
                || newer.err().is_transaction_conflict_exception() =>
        {
            Ok(Marked::TakenOver)
        }
        Err(error) => Err(unavailable("PutItem", &error)),
    }
}
