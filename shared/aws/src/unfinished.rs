//! What is not finished, by the index `unfinished`.
//!
//! Invariant: the index lags behind its table, so that what is found here is only a hint; whoever acts on it meets a
//! condition on the item itself.

use aws_sdk_dynamodb::types::Select;
use domain::{DeliveryId, ReceiverKind, Timestamp};
use pipeline::ports::{OverdueLook, StoreError, Unsent};

use crate::Store;
use crate::items::{DEAD, Item, LOOK, UNFINISHED_INDEX, delivery_id, fingerprint_of, millis, read_time, text};
use crate::store::unavailable;

/// Pages that a count reads at most, of 1 MiB of keys each: some ten thousand deliveries a page.
const COUNTED_PAGES_MAX: usize = 20;

/// The order in which the index has them.
const LONGEST_DUE_FIRST: bool = true;

pub(crate) async fn unsent(store: &Store, kind: ReceiverKind, due: Timestamp, most: u32) -> Result<Unsent, StoreError> {
    let overdue = due_before(store, kind.as_str(), due, most, LONGEST_DUE_FIRST).await?;
    if overdue.is_empty() {
        return Ok(Unsent::default());
    }
    let read = |item: &Item| Ok((delivery_id(item)?, read_time(item, "due")?));
    let overdue = overdue.iter().map(read).collect::<Result<Vec<_>, StoreError>>()?;
    Ok(Unsent { count: count(store, kind.as_str()).await?, overdue })
}

pub(crate) async fn dead(store: &Store, most: u32) -> Result<Vec<DeliveryId>, StoreError> {
    due_before(store, DEAD, Timestamp::MAX, most, !LONGEST_DUE_FIRST).await?.iter().map(delivery_id).collect()
}

pub(crate) async fn overdue_looks(store: &Store, due: Timestamp, most: u32) -> Result<Vec<OverdueLook>, StoreError> {
    let items = due_before(store, LOOK, due, most, LONGEST_DUE_FIRST).await?;
    let read = |item: &Item| Ok(OverdueLook { fingerprint: fingerprint_of(item)?, due: read_time(item, "due")? });
    items.iter().map(read).collect()
}

/// Keys of what was due at `due`, in that order or the other; at most `most`.
async fn due_before(
    store: &Store,
    what: &str,
    due: Timestamp,
    most: u32,
    longest_first: bool,
) -> Result<Vec<Item>, StoreError> {
    let mut items: Vec<Item> = Vec::new();
    let mut from: Option<Item> = None;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    loop {
        let page = store
            .client
            .query()
            .table_name(&store.table)
            .index_name(UNFINISHED_INDEX)
            .key_condition_expression(format!("{UNFINISHED_INDEX} = :what AND due <= :due"))
            .expression_attribute_values(":what", text(what))
            .expression_attribute_values(":due", millis(due))
            .scan_index_forward(longest_first)
            .limit(i32::try_from(most - items.len()).unwrap_or(i32::MAX))
            .set_exclusive_start_key(from.take())
            .send()
            .await
            .map_err(|error| unavailable("Query", &error))?;
        items.extend(page.items.unwrap_or_default());
        from = page.last_evaluated_key;
        if from.is_none() || items.len() >= most {
            return Ok(items);
        }
    }
}

async fn count(store: &Store, what: &str) -> Result<u64, StoreError> {
    let mut counted = 0_u64;
    let mut from: Option<Item> = None;
    for _ in 0..COUNTED_PAGES_MAX {
        let page = store
            .client
            .query()
            .table_name(&store.table)
            .index_name(UNFINISHED_INDEX)
            .select(Select::Count)
            .key_condition_expression(format!("{UNFINISHED_INDEX} = :what"))
            .expression_attribute_values(":what", text(what))
            .set_exclusive_start_key(from.take())
            .send()
            .await
            .map_err(|error| unavailable("Query", &error))?;
        counted += u64::try_from(page.count).unwrap_or(0);
        from = page.last_evaluated_key;
        if from.is_none() {
            break;
        }
    }
    Ok(counted)
}
