//! Several items at once: all or nothing, with a reason for each item.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};

use crate::clients::{Item, TABLE, create_table, dynamo, get, item, number, start, text};

/// DynamoDB: "up to 100 distinct items" in one transaction (API reference, `TransactWriteItems`).
const ITEMS_MAX: usize = 100;

fn put_new(new: Item) -> TransactWriteItem {
    let put = Put::builder()
        .table_name(TABLE)
        .set_item(Some(new))
        .condition_expression("attribute_not_exists(PK)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
        .expect("table and item are given");
    TransactWriteItem::builder().put(put).build()
}

fn update_version(read: i64) -> TransactWriteItem {
    let update = Update::builder()
        .table_name(TABLE)
        .set_key(Some(item("FP#1", "INCIDENT", &[])))
        .update_expression("SET version = :next")
        .condition_expression("version = :read")
        .expression_attribute_values(":next", number(read + 1))
        .expression_attribute_values(":read", number(read))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
        .expect("table, key and expression are given");
    TransactWriteItem::builder().update(update).build()
}

#[tokio::test]
async fn a_transaction_writes_all_or_nothing_and_tells_the_reason_of_each_item() {
    let engines = start().await;
    let dynamo = dynamo(&engines);
    create_table(&dynamo).await;
    let incident = item("FP#1", "INCIDENT", &[("version", number(4)), ("state", text("open"))]);
    dynamo.put_item().table_name(TABLE).set_item(Some(incident.clone())).send().await.expect("the item is put");

    let write = |read| {
        dynamo
            .transact_write_items()
            .transact_items(put_new(item("INC#1", "T#0", &[])))
            .transact_items(update_version(read))
    };
    let error = write(3).send().await.expect_err("the version has moved on").into_service_error();
    assert_eq!(error.code(), Some("TransactionCanceledException"));
    let TransactWriteItemsError::TransactionCanceledException(canceled) = error else {
        panic!("the SDK knows the error")
    };
    let reasons = canceled.cancellation_reasons();
    let codes: Vec<_> = reasons.iter().map(|reason| reason.code().unwrap_or_default()).collect();
    assert_eq!(codes, ["None", "ConditionalCheckFailed"]);
    assert_eq!(reasons.last().and_then(|reason| reason.item()), Some(&incident));
    assert_eq!(get(&dynamo, "INC#1", "T#0").await, None, "the first item was not written either");

    write(4).send().await.expect("the version stands");
    assert!(get(&dynamo, "INC#1", "T#0").await.is_some());
    assert_eq!(get(&dynamo, "FP#1", "INCIDENT").await.expect("it is there")["version"], number(5));
}

#[tokio::test]
async fn the_same_token_writes_once_and_another_request_under_it_is_refused() {
    let engines = start().await;
    let dynamo = dynamo(&engines);
    create_table(&dynamo).await;
    let write = |sk: &str| {
        dynamo.transact_write_items().client_request_token("token-1").transact_items(put_new(item("INC#1", sk, &[])))
    };
    write("T#0").send().await.expect("the first is written");
    write("T#0").send().await.expect("the second is the first again, so its condition is not asked");
    let error = write("T#1").send().await.expect_err("another request").into_service_error();
    assert!(error.is_idempotent_parameter_mismatch_exception(), "{error}");
}

#[tokio::test]
async fn a_transaction_takes_a_hundred_items_and_not_one_more() {
    let engines = start().await;
    let dynamo = dynamo(&engines);
    create_table(&dynamo).await;
    for (count, accepted) in [(ITEMS_MAX, true), (ITEMS_MAX + 1, false)] {
        let items = (0..count).map(|at| put_new(item(&format!("INC#{count}"), &format!("T#{at}"), &[])));
        let written = dynamo.transact_write_items().set_transact_items(Some(items.collect())).send().await;
        assert_eq!(written.is_ok(), accepted, "{count} items: {written:?}");
    }
}
