//! The children of a grouped incident, one item each.
//!
//! Invariant: a child is written only in its incident's transaction, on the time that was read of it; beside that only
//! the time of its newest alert moves on, and only while it fires.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use domain::{Child, Fingerprint, IncidentId, Timestamp};
use futures::future::try_join_all;
use pipeline::ports::StoreError;

use crate::Store;
use crate::deliveries::{get, query};
use crate::incidents::{put, write};
use crate::items::{Item, PK, incident_partition, json, key, millis, parse, read_time, text};
use crate::store::unavailable;

/// Begins the sort key of a child.
const CHILD_PREFIX: &str = "C#";

fn child_key(incident: &IncidentId, child: &Fingerprint) -> Item {
    key(incident_partition(incident), format!("{CHILD_PREFIX}{child}"))
}

fn child_item(incident: &IncidentId, child: &Child) -> Result<Item, StoreError> {
    let mut item = child_key(incident, &child.key);
    item.extend([
        ("state".to_owned(), text(child.state.as_str())),
        ("last_seen".to_owned(), millis(child.last_seen)),
        ("child".to_owned(), json(child, "child")?),
    ]);
    Ok(item)
}

fn read_child(item: &Item) -> Result<Child, StoreError> {
    let mut child: Child = parse(item, "child")?;
    let last_seen = read_time(item, "last_seen")?;
    child.last_seen = child.last_seen.max(last_seen);
    child.read_last_seen = Some(last_seen);
    Ok(child)
}

/// The write of a child, on what was read of it.
pub(crate) fn child_write(
    store: &Store,
    incident: &IncidentId,
    child: &Child,
) -> Result<TransactWriteItem, StoreError> {
    let put = put(store, child_item(incident, child)?);
    write(match child.read_last_seen {
        None => put.condition_expression(format!("attribute_not_exists({PK})")),
        Some(before) => {
            put.condition_expression("last_seen = :before").expression_attribute_values(":before", millis(before))
        }
    })
}

/// Those of these children that there are.
pub(crate) async fn read(store: &Store, incident: &IncidentId, keys: &[Fingerprint]) -> Result<Vec<Child>, StoreError> {
    let items = try_join_all(keys.iter().map(|child| get(store, child_key(incident, child)))).await?;
    items.iter().flatten().map(read_child).collect()
}

/// Every child, by key.
pub(crate) async fn all(store: &Store, incident: &IncidentId) -> Result<Vec<Child>, StoreError> {
    query(store, incident_partition(incident), CHILD_PREFIX).await?.iter().map(read_child).collect()
}

/// Up to `most` children that a cooldown holds back. Each page is read whole: an incident that is over has its children
/// in one or two.
pub(crate) async fn held_back(store: &Store, incident: &IncidentId, most: usize) -> Result<Vec<Child>, StoreError> {
    let mut held = all(store, incident).await?;
    held.retain(|child| child.state == domain::ChildState::HeldBack);
    held.sort_by_key(|child| child.last_seen);
    held.truncate(most);
    Ok(held)
}

/// Notes when a child that fires was seen again.
pub(crate) async fn see(
    store: &Store,
    incident: &IncidentId,
    child: &Fingerprint,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let result = store
        .client
        .update_item()
        .table_name(&store.table)
        .set_key(Some(child_key(incident, child)))
        .update_expression("SET last_seen = :at")
        .condition_expression("#state = :firing AND last_seen <= :at")
        .expression_attribute_names("#state", "state")
        .expression_attribute_values(":firing", AttributeValue::S("firing".to_owned()))
        .expression_attribute_values(":at", millis(at))
        .send()
        .await;
    match result {
        Ok(_) => Ok(true),
        Err(SdkError::ServiceError(refused))
            if refused.err().is_conditional_check_failed_exception()
                || refused.err().is_transaction_conflict_exception() =>
        {
            Ok(false)
        }
        Err(error) => Err(unavailable("UpdateItem", &error)),
    }
}

impl Store {
    /// Every child of an incident, the first that was counted first.
    ///
    /// # Errors
    /// When the table does not answer, or holds what is no child.
    pub async fn children_of(&self, incident: &IncidentId) -> Result<Vec<Child>, StoreError> {
        let mut children = all(self, incident).await?;
        children.sort_by(|a, b| (a.first_seen, &a.key).cmp(&(b.first_seen, &b.key)));
        Ok(children)
    }
}
