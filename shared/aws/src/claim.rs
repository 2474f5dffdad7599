//! Leases on deliveries, and what is written under them.
//!
//! Invariant: a worker writes only while its own token stands in the item; a lease that has run out may be taken over,
//! and the worker that it was taken from can no longer write.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure as OnFailure};
use domain::{Delivery, DeliveryId, DeliveryState, Lease, MESSAGE_LEASE, Timestamp};
use pipeline::ports::{Claim, Marked, StoreError};

use crate::Store;
use crate::items::{UNFINISHED_INDEX, delivery_key, json, millis, number, read_delivery, read_time, text, unfinished};
use crate::store::unavailable;

/// A delivery that was never tried is due at once, whatever the clocks say; one that waits for its next attempt waits.
const CLAIMABLE: &str = "(#state = :pending AND (attempts = :none OR due <= :now)) \
                         OR (#state = :leased AND lease_until <= :now)";

/// The same for who holds the message that the delivery is leased to.
const CLAIMABLE_BY_MESSAGE: &str = " OR (#state = :leased AND lease_token = :message)";

pub(crate) async fn claim(
    store: &Store,
    id: &DeliveryId,
    lease: &Lease,
    now: Timestamp,
    holds_message: bool,
) -> Result<Claim, StoreError> {
    let mut update = store.client.update_item();
    let mut condition = CLAIMABLE.to_owned();
    if holds_message {
        condition.push_str(CLAIMABLE_BY_MESSAGE);
        update = update.expression_attribute_values(":message", text(MESSAGE_LEASE));
    }
    let result = update
        .table_name(&store.table)
        .set_key(Some(delivery_key(id)))
        .update_expression("SET #state = :leased, lease_token = :token, lease_until = :until ADD attempts :one")
        .condition_expression(condition)
        .expression_attribute_names("#state", "state")
        .expression_attribute_values(":pending", text("pending"))
        .expression_attribute_values(":leased", text("leased"))
        .expression_attribute_values(":none", number(0))
        .expression_attribute_values(":one", number(1))
        .expression_attribute_values(":now", millis(now))
        .expression_attribute_values(":token", text(&lease.token))
        .expression_attribute_values(":until", millis(lease.until))
        .return_values(ReturnValue::AllOld)
        .return_values_on_condition_check_failure(OnFailure::AllOld)
        .send()
        .await;
    match result {
        Ok(granted) => match granted.attributes {
            Some(item) => Ok(Claim::Granted(Box::new(read_delivery(&item)?))),
            None => Ok(Claim::Missing),
        },
        Err(SdkError::ServiceError(refused)) if refused.err().is_conditional_check_failed_exception() => {
            let UpdateItemError::ConditionalCheckFailedException(failed) = refused.into_err() else {
                return Ok(Claim::Missing);
            };
            let Some(item) = failed.item else { return Ok(Claim::Missing) };
            let mut delivery = read_delivery(&item)?;
            Ok(match delivery.state {
                // Our own claim, whose answer was lost on the way: what stood before it is not known.
                DeliveryState::Leased if delivery.lease.as_ref().is_some_and(|held| held.token == lease.token) => {
                    delivery.attempts = delivery.attempts.saturating_sub(1);
                    Claim::Granted(Box::new(delivery))
                }
                DeliveryState::Leased => Claim::Held { until: read_time(&item, "lease_until")? },
                DeliveryState::Pending => Claim::NotDue { until: read_time(&item, "due")? },
                DeliveryState::Delivered | DeliveryState::Rejected | DeliveryState::Dead => {
                    Claim::Finished(Box::new(delivery))
                }
            })
        }
        Err(error) => Err(unavailable("UpdateItem", &error)),
    }
}

pub(crate) async fn mark(store: &Store, delivery: &Delivery, token: &str) -> Result<Marked, StoreError> {
    let mut expression = "SET #state = :state, due = :due, delivery = :delivery".to_owned();
    let mut removed: Vec<&str> = Vec::new();
    if delivery.lease.is_none() {
        removed.extend(["lease_token", "lease_until"]);
    }
    let mut update = store.client.update_item();
    match unfinished(delivery) {
        None => removed.push(UNFINISHED_INDEX),
        Some(what) => {
            expression = format!("{expression}, {UNFINISHED_INDEX} = :what");
            update = update.expression_attribute_values(":what", text(what));
        }
    }
    if !removed.is_empty() {
        expression = format!("{expression} REMOVE {}", removed.join(", "));
    }
    let result = update
        .table_name(&store.table)
        .set_key(Some(delivery_key(&delivery.id)))
        .update_expression(expression)
        .condition_expression("lease_token = :token")
        .expression_attribute_names("#state", "state")
        .expression_attribute_values(":state", text(delivery.state.as_str()))
        .expression_attribute_values(":due", millis(delivery.due))
        .expression_attribute_values(":delivery", json(delivery, "delivery")?)
        .expression_attribute_values(":token", text(token))
        .send()
        .await;
    written(result.map(drop))
}

/// Only what is dead comes back to life, so that two redrives make one.
pub(crate) async fn revive(store: &Store, dead: &Delivery, now: Timestamp) -> Result<Marked, StoreError> {
    let revived = Delivery { state: DeliveryState::Pending, attempts: 0, due: now, lease: None, ..dead.clone() };
    let result = store
        .client
        .update_item()
        .table_name(&store.table)
        .set_key(Some(delivery_key(&dead.id)))
        .update_expression(format!(
            "SET #state = :state, attempts = :none, due = :due, delivery = :delivery, {UNFINISHED_INDEX} = :what"
        ))
        .condition_expression("#state IN (:rejected, :dead)")
        .expression_attribute_names("#state", "state")
        .expression_attribute_values(":state", text(revived.state.as_str()))
        .expression_attribute_values(":rejected", text(DeliveryState::Rejected.as_str()))
        .expression_attribute_values(":dead", text(DeliveryState::Dead.as_str()))
        .expression_attribute_values(":none", number(0))
        .expression_attribute_values(":due", millis(now))
        .expression_attribute_values(":delivery", json(&revived, "delivery")?)
        .expression_attribute_values(":what", text(revived.kind.as_str()))
        .send()
        .await;
    written(result.map(drop))
}

/// Whether a conditional update was taken.
fn written(result: Result<(), SdkError<UpdateItemError>>) -> Result<Marked, StoreError> {
    match result {
        Ok(()) => Ok(Marked::Done),
        Err(SdkError::ServiceError(refused)) if refused.err().is_conditional_check_failed_exception() => {
            Ok(Marked::TakenOver)
        }
        Err(error) => Err(unavailable("UpdateItem", &error)),
    }
}
