//! The current incident of a fingerprint: counted, read, changed.
//!
//! Invariant: a state change is one transaction under the version that it was decided on; a duplicate is one update that
//! leaves the version alone and refuses an alert that it has seen.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem};
use domain::{Fingerprint, Incident, SEEN_ALERTS_MAX};
use futures::future::join_all;
use pipeline::ports::{Absorbed, Committed, Duplicates, StateChange, StoreError};

use crate::Store;
use crate::children::child_write;
use crate::gather::{Gather, Limits, Part};
use crate::items::{
    Item, alert_ids, delivery_item, episode_item, fingerprint_key, incident_item, millis, monitor_item, number,
    read_incident, text,
};
use crate::monitors::NOT_NEWER;
use crate::mutes;
use crate::store::unavailable;
use crate::written::written_item;

pub(crate) async fn absorb(
    store: &Store,
    fingerprint: &Fingerprint,
    duplicates: &Duplicates,
) -> Result<Absorbed, StoreError> {
    if duplicates.ids.len() > SEEN_ALERTS_MAX {
        // There is no room for them, nor for a condition on so many.
        return Ok(Absorbed::Current(read(store, fingerprint).await?.map(Box::new)));
    }
    match count(store, fingerprint, duplicates, Newest::Ours).await? {
        // A newer alert was counted before these: they count as well, but its time stays.
        Absorbed::Current(Some(current)) if current.last_seen > duplicates.last_seen => {
            count(store, fingerprint, duplicates, Newest::Theirs).await
        }
        answer => Ok(answer),
    }
}

/// Whose alert is the newest, ours or one that was counted before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Newest {
    Ours,
    Theirs,
}

async fn count(
    store: &Store,
    fingerprint: &Fingerprint,
    duplicates: &Duplicates,
    newest: Newest,
) -> Result<Absorbed, StoreError> {
    let room = SEEN_ALERTS_MAX.saturating_sub(duplicates.ids.len());
    let mut unseen = String::new();
    let mut update = store.client.update_item().table_name(&store.table).set_key(Some(fingerprint_key(fingerprint)));
    for (index, id) in duplicates.ids.iter().enumerate() {
        unseen = format!("{unseen} AND NOT contains(seen, :id{index})");
        update = update.expression_attribute_values(format!(":id{index}"), text(id.as_str()));
    }
    let (set, in_order) = match newest {
        Newest::Ours => ("SET last_seen = :last_seen ", "last_seen BETWEEN :not_silent AND :last_seen"),
        Newest::Theirs => ("", "last_seen > :last_seen"),
    };
    if newest == Newest::Ours {
        update = update.expression_attribute_values(":not_silent", millis(duplicates.not_silent_since));
    }
    let mut of = "";
    if let Some(incident) = &duplicates.incident {
        of = " AND id = :incident";
        update = update.expression_attribute_values(":incident", text(incident.as_str()));
    }
    let result = update
        .update_expression(format!("{set}ADD occurrences :count, seen :ids"))
        .condition_expression(format!(
            "(#state IN (:open, :acknowledged) OR (#state = :pending AND next_check_at > :now)) \
             AND severity_rank >= :rank AND {in_order} \
             AND (attribute_not_exists(seen) OR size(seen) <= :room){unseen}{of}"
        ))
        .expression_attribute_names("#state", "state")
        .expression_attribute_values(":open", text("open"))
        .expression_attribute_values(":acknowledged", text("acknowledged"))
        .expression_attribute_values(":pending", text("pending"))
        .expression_attribute_values(":now", millis(duplicates.now))
        .expression_attribute_values(":rank", number(duplicates.severity.rank()))
        .expression_attribute_values(":room", number(room as u64))
        .expression_attribute_values(":last_seen", millis(duplicates.last_seen))
        .expression_attribute_values(":count", number(duplicates.ids.len() as u64))
        .expression_attribute_values(":ids", alert_ids(duplicates.ids.iter().cloned()))
        .return_values_on_condition_check_failure(OnFailure::AllOld)
        .send()
        .await;
    match result {
        Ok(_) => Ok(Absorbed::Counted),
        Err(SdkError::ServiceError(refused)) if refused.err().is_conditional_check_failed_exception() => {
            let UpdateItemError::ConditionalCheckFailedException(failed) = refused.into_err() else {
                return Ok(Absorbed::Current(None));
            };
            Ok(Absorbed::Current(failed.item.as_ref().map(read_incident).transpose()?.map(Box::new)))
        }
        // A transaction is writing this incident: read what it leaves and decide on that.
        Err(SdkError::ServiceError(busy)) if busy.err().is_transaction_conflict_exception() => {
            Ok(Absorbed::Current(read(store, fingerprint).await?.map(Box::new)))
        }
        Err(error) => Err(unavailable("UpdateItem", &error)),
    }
}

pub(crate) async fn read(store: &Store, fingerprint: &Fingerprint) -> Result<Option<Incident>, StoreError> {
    let answer = store
        .client
        .get_item()
        .table_name(&store.table)
        .set_key(Some(fingerprint_key(fingerprint)))
        .consistent_read(true)
        .send()
        .await
        .map_err(|error| unavailable("GetItem", &error))?;
    answer.item.as_ref().map(read_incident).transpose()
}

/// Writes of one state change, and how many actions they are.
pub(crate) struct Writes(Vec<TransactWriteItem>);

impl Part for Writes {
    fn size(&self) -> usize {
        self.0.len()
    }
}

/// State changes on their way to the table.
pub(crate) type Commits = Gather<Writes, Result<Option<Vec<String>>, StoreError>>;

/// State changes in one transaction: a lost race of one is one of all, so that they are few.
const CHANGES_MAX: usize = 10;

/// Actions that `DynamoDB` takes in one transaction.
const ACTIONS_MAX: usize = 100;

pub(crate) fn commits() -> Arc<Commits> {
    Gather::new(Limits { parts_max: CHANGES_MAX, size_max: ACTIONS_MAX })
}

pub(crate) async fn commit(store: &Store, change: &StateChange) -> Result<Committed, StoreError> {
    let mut writes = vec![incident_write(store, change)?];
    if let Some(written) = written_item(&change.incident, &change.entries, change.notification.as_ref())? {
        writes.push(new_item(store, written)?);
    }
    for child in &change.children {
        writes.push(child_write(store, &change.incident.id, child)?);
    }
    for delivery in &change.deliveries {
        writes.push(new_item(store, delivery_item(delivery)?)?);
    }
    for inhibits in &change.inhibits {
        writes.push(write(put(store, mutes::item(inhibits, &change.incident.id, change.written_at)))?);
    }
    if let Some(ended) = &change.ended {
        writes.push(write(put(store, episode_item(ended)?))?);
    }
    let with_monitor = writes.iter().cloned().chain(monitor_write(store, change)?).collect();
    let mut refused = gathered(store, with_monitor).await?;
    if refused.as_ref().is_some_and(|reasons| is_only_the_last(reasons)) && change.monitor.is_some() {
        // Newer news of the monitor stand there: they stay, and the incident is written without ours.
        refused = send(&store.client, writes).await?;
    }
    Ok(if refused.is_none() { Committed::Done } else { Committed::Conflict })
}

/// The same as [`send`], in one transaction with other changes that are ready at this moment.
async fn gathered(store: &Store, writes: Vec<TransactWriteItem>) -> Result<Option<Vec<String>>, StoreError> {
    let client = store.client.clone();
    let call = move |changes| send_all(client.clone(), changes);
    let why = || "its transaction was given up".to_owned();
    let none = || Err(StoreError::Unavailable { operation: "TransactWriteItems", why: why() });
    store.commits.join(Writes(writes), call).await.unwrap_or_else(none)
}

/// All changes in one transaction; where that is refused, each in its own, so that each hears of its own race.
async fn send_all(client: Client, mut changes: Vec<Writes>) -> Vec<Result<Option<Vec<String>>, StoreError>> {
    if let [Writes(alone)] = changes.as_mut_slice() {
        return vec![send(&client, std::mem::take(alone)).await];
    }
    let together = changes.iter().flat_map(|Writes(writes)| writes.iter().cloned()).collect();
    if let Ok(None) = send(&client, together).await {
        return changes.iter().map(|_| Ok(None)).collect();
    }
    join_all(changes.into_iter().map(|Writes(writes)| send(&client, writes))).await
}

/// One transaction; why each of its writes was refused, where someone else wrote first or is writing.
async fn send(client: &Client, writes: Vec<TransactWriteItem>) -> Result<Option<Vec<String>>, StoreError> {
    match client.transact_write_items().set_transact_items(Some(writes)).send().await {
        Ok(_) => Ok(None),
        Err(SdkError::ServiceError(refused)) if is_lost_race(refused.err()) => Ok(Some(reasons(refused.err()))),
        Err(error) => Err(unavailable("TransactWriteItems", &error)),
    }
}

/// What the newest alert says of its monitor, unless newer news stand there: queues keep no order.
fn monitor_write(store: &Store, change: &StateChange) -> Result<Option<TransactWriteItem>, StoreError> {
    let Some(monitor) = &change.monitor else { return Ok(None) };
    let put = put(store, monitor_item(monitor))
        .condition_expression(NOT_NEWER)
        .expression_attribute_values(":observed_at", millis(monitor.observed_at));
    write(put).map(Some)
}

/// True where every write but the last would have been taken.
fn is_only_the_last(reasons: &[String]) -> bool {
    reasons.split_last().is_some_and(|(last, others)| last == REFUSED && others.iter().all(|code| code == "None"))
}

/// The incident under the version that was decided on. The duplicate update leaves the version alone, so the alerts
/// seen since are in the condition too: a count must not be lost.
fn incident_write(store: &Store, change: &StateChange) -> Result<TransactWriteItem, StoreError> {
    let put = put(store, incident_item(&change.incident)?);
    let put = match change.expected_version {
        None => put.condition_expression("attribute_not_exists(PK)"),
        Some(version) => put
            .condition_expression("version = :version AND occurrences = :occurrences")
            .expression_attribute_values(":version", number(version))
            .expression_attribute_values(":occurrences", number(change.expected_occurrences)),
    };
    write(put)
}

fn new_item(store: &Store, item: Item) -> Result<TransactWriteItem, StoreError> {
    write(put(store, item).condition_expression("attribute_not_exists(PK)"))
}

pub(crate) fn put(store: &Store, item: Item) -> aws_sdk_dynamodb::types::builders::PutBuilder {
    Put::builder().table_name(&store.table).set_item(Some(item))
}

pub(crate) fn write(put: aws_sdk_dynamodb::types::builders::PutBuilder) -> Result<TransactWriteItem, StoreError> {
    let put = put.build().map_err(|error| unavailable("TransactWriteItems", &error))?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// Someone else wrote first, or is writing: read what stands there and decide again.
fn is_lost_race(error: &TransactWriteItemsError) -> bool {
    let known = |code: &String| matches!(code.as_str(), "None" | REFUSED | "TransactionConflict");
    error.is_transaction_in_progress_exception()
        || (error.is_transaction_canceled_exception() && reasons(error).iter().all(known))
}

/// A write's condition does not hold.
const REFUSED: &str = "ConditionalCheckFailed";

/// Why a transaction was cancelled, write by write.
fn reasons(error: &TransactWriteItemsError) -> Vec<String> {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else { return Vec::new() };
    let codes = cancelled.cancellation_reasons().iter();
    codes.map(|reason| reason.code().unwrap_or("None").to_owned()).collect()
}
