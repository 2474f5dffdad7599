//! Single items: conditional writes, update expressions, queries.

use std::collections::HashSet;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure, TableStatus};

use crate::clients::{Dynamo, TABLE, create_table, dynamo, get, item, number, start, text};

/// DynamoDB: an item holds 400 KB at most, names included (Developer Guide, "Quotas").
const ITEM_BYTES_MAX: usize = 400 * 1024;

#[tokio::test]
async fn a_table_is_active_at_once_and_its_index_holds_only_items_with_its_keys() {
    let engines = start().await;
    let dynamo = dynamo(&engines);
    create_table(&dynamo).await;
    let table = dynamo.describe_table().table_name(TABLE).send().await.expect("the table is there").table;
    assert_eq!(table.and_then(|t| t.table_status), Some(TableStatus::Active));

    for (sk, more) in [
        ("D#late", vec![("due_shard", text("0")), ("due_at", number(200)), ("body", text("x"))]),
        ("D#soon", vec![("due_shard", text("0")), ("due_at", number(100)), ("body", text("x"))]),
        ("T#0", vec![("body", text("x"))]),
    ] {
        let put = dynamo.put_item().table_name(TABLE).set_item(Some(item("INC#1", sk, &more)));
        put.send().await.expect("the item is put");
    }
    let due = dynamo
        .query()
        .table_name(TABLE)
        .index_name("due")
        .key_condition_expression("due_shard = :s AND due_at <= :now")
        .expression_attribute_values(":s", text("0"))
        .expression_attribute_values(":now", number(150))
        .send()
        .await
        .expect("the index is queried");
    let expected = item("INC#1", "D#soon", &[("due_shard", text("0")), ("due_at", number(100))]);
    assert_eq!(due.items(), [expected], "KEYS_ONLY gives the keys of table and index, and no body");
}

#[tokio::test]
async fn a_failed_condition_hands_back_the_item_that_was_in_the_way() {
    let engines = start().await;
    let dynamo = dynamo(&engines);
    create_table(&dynamo).await;
    let first = item("SEEN#arize", "delivery-1", &[("expires", number(10))]);
    let claim = |claimed| {
        dynamo
            .put_item()
            .table_name(TABLE)
            .set_item(Some(claimed))
            .condition_expression("attribute_not_exists(PK) OR expires < :now")
            .expression_attribute_values(":now", number(5))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    };
    claim(first.clone()).send().await.expect("nothing is in the way");

    let refused = claim(item("SEEN#arize", "delivery-1", &[("expires", number(99))])).send().await;
    let error = refused.expect_err("the first claim stands").into_service_error();
    assert_eq!(error.code(), Some("ConditionalCheckFailedException"));
    assert_eq!(error.message(), Some("The conditional request failed"));
    let PutItemError::ConditionalCheckFailedException(failed) = error else { panic!("the SDK knows the error") };
    assert_eq!(failed.item(), Some(&first));
    assert_eq!(get(&dynamo, "SEEN#arize", "delivery-1").await, Some(first));
}

#[tokio::test]
async fn add_counts_and_collects_and_a_condition_bounds_the_set() {
    let engines = start().await;
    let dynamo = dynamo(&engines);
    create_table(&dynamo).await;
    for (alert, accepted) in [("a-1", true), ("a-1", false), ("a-2", true), ("a-3", false)] {
        assert_eq!(see(&dynamo, alert).await, accepted, "{alert}");
    }
    let incident = get(&dynamo, "FP#1", "INCIDENT").await.expect("the first alert made it");
    assert_eq!(incident["occurrences"], number(2));
    let seen = incident["seen"].as_ss().expect("a string set").iter().map(String::as_str).collect::<HashSet<_>>();
    assert_eq!(seen, HashSet::from(["a-1", "a-2"]));
}

/// Counts an alert unless it was seen, with room for two.
async fn see(dynamo: &Dynamo, alert: &str) -> bool {
    let update = dynamo
        .update_item()
        .table_name(TABLE)
        .set_key(Some(item("FP#1", "INCIDENT", &[])))
        .update_expression("ADD occurrences :one, seen :alerts SET #at = if_not_exists(#at, :now)")
        .condition_expression("attribute_not_exists(seen) OR (NOT contains(seen, :alert) AND size(seen) < :most)")
        .expression_attribute_names("#at", "at")
        .expression_attribute_values(":one", number(1))
        .expression_attribute_values(":alerts", AttributeValue::Ss(vec![alert.to_owned()]))
        .expression_attribute_values(":alert", text(alert))
        .expression_attribute_values(":most", number(2))
        .expression_attribute_values(":now", number(7))
        .send()
        .await;
    match update.map_err(aws_sdk_dynamodb::error::SdkError::into_service_error) {
        Ok(_) => true,
        Err(error) => {
            assert!(error.is_conditional_check_failed_exception(), "{error}");
            false
        }
    }
}

#[tokio::test]
async fn an_empty_set_is_refused_in_dynamodbs_words() {
    let engines = start().await;
    let dynamo = dynamo(&engines);
    create_table(&dynamo).await;
    let empty = item("FP#1", "INCIDENT", &[("seen", AttributeValue::Ss(Vec::new()))]);
    let refused = dynamo.put_item().table_name(TABLE).set_item(Some(empty)).send().await;
    let error = refused.expect_err("a set holds at least one member").into_service_error();
    assert_eq!(error.code(), Some("ValidationException"));
    let message = error.message().expect("the refusal has words");
    assert!(message.contains("An string set  may not be empty"), "{message}");
}

#[tokio::test]
async fn an_item_of_400_kib_is_taken_and_one_byte_more_is_refused() {
    let engines = start().await;
    let dynamo = dynamo(&engines);
    create_table(&dynamo).await;
    let names_and_keys = "PK".len() + "INC#1".len() + "SK".len() + "T#0".len() + "body".len();
    for (bytes, accepted) in [(ITEM_BYTES_MAX, true), (ITEM_BYTES_MAX + 1, false)] {
        let body = text(&"x".repeat(bytes - names_and_keys));
        let put = dynamo.put_item().table_name(TABLE).set_item(Some(item("INC#1", "T#0", &[("body", body)])));
        assert_eq!(put.send().await.is_ok(), accepted, "{bytes} bytes");
    }
}

#[tokio::test]
async fn a_consistent_query_reads_one_prefix_in_order_and_page_by_page() {
    let engines = start().await;
    let dynamo = dynamo(&engines);
    create_table(&dynamo).await;
    for sk in ["D#slack#0", "T#2", "T#0", "H#slack", "T#1"] {
        let put = dynamo.put_item().table_name(TABLE).set_item(Some(item("INC#1", sk, &[])));
        put.send().await.expect("the item is put");
    }
    let pages = dynamo
        .query()
        .table_name(TABLE)
        .consistent_read(true)
        .key_condition_expression("PK = :pk AND begins_with(SK, :prefix)")
        .expression_attribute_values(":pk", text("INC#1"))
        .expression_attribute_values(":prefix", text("T#"))
        .limit(2)
        .into_paginator()
        .items()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .expect("every page is read");
    let keys: Vec<_> = pages.iter().map(|found| found["SK"].clone()).collect();
    assert_eq!(keys, [text("T#0"), text("T#1"), text("T#2")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sixteen_racers_for_one_version_one_wins_and_no_increment_is_lost() {
    let engines = start().await;
    let dynamo = dynamo(&engines);
    create_table(&dynamo).await;
    let racers: Vec<_> = (0..16).map(|_| tokio::spawn(increment(dynamo.clone()))).collect();
    let mut lost = 0;
    for racer in racers {
        lost += racer.await.expect("no racer panics");
    }
    let counter = get(&dynamo, "FP#1", "INCIDENT").await.expect("the racers made it");
    assert_eq!(counter["version"], number(16), "each racer won once");
    let calls = engines.calls();
    assert_eq!(calls["UpdateItem"], 16 + lost, "each lost race was one more call");
}

/// Reads the version and writes the next under the condition that it still stands, until it wins. Returns lost races.
async fn increment(dynamo: Dynamo) -> u64 {
    let mut lost = 0;
    loop {
        let version = match get(&dynamo, "FP#1", "INCIDENT").await {
            Some(found) => found["version"].as_n().expect("a number").parse().expect("an integer"),
            None => 0_i64,
        };
        let update = dynamo
            .update_item()
            .table_name(TABLE)
            .set_key(Some(item("FP#1", "INCIDENT", &[])))
            .update_expression("SET version = :next")
            .condition_expression("attribute_not_exists(version) OR version = :read")
            .expression_attribute_values(":next", number(version + 1))
            .expression_attribute_values(":read", number(version))
            .return_values(ReturnValue::AllNew);
        match update.send().await.map_err(aws_sdk_dynamodb::error::SdkError::into_service_error) {
            Ok(written) => {
                let new = written.attributes.expect("ALL_NEW was asked for");
                assert_eq!(new["version"], number(version + 1));
                return lost;
            }
            Err(error) => {
                assert!(error.is_conditional_check_failed_exception(), "{error}");
                lost += 1;
            }
        }
    }
}

#[tokio::test]
async fn a_query_that_names_an_empty_key_is_refused_and_an_empty_filter_is_not() {
    let engines = start().await;
    let dynamo = dynamo(&engines);
    create_table(&dynamo).await;
    let put = dynamo.put_item().table_name(TABLE).set_item(Some(item("INC#1", "D#1", &[("body", text("x"))])));
    put.send().await.expect("the item is put");
    let query = |condition: &str, prefix: &str| {
        let query = dynamo.query().table_name(TABLE).key_condition_expression(condition);
        query.expression_attribute_values(":pk", text("INC#1")).expression_attribute_values(":prefix", text(prefix))
    };
    let refused = query("PK = :pk AND begins_with(SK, :prefix)", "").send().await.expect_err("no key is empty");
    let error = refused.into_service_error();
    assert_eq!(error.code(), Some("ValidationException"));
    assert!(error.message().is_some_and(|text| text.contains("cannot contain an empty string value")), "{error:?}");
    let filtered = query("PK = :pk", "").filter_expression("body <> :prefix").send().await.expect("it is no key");
    assert_eq!(filtered.count(), 1);
    let found = query("PK = :pk AND begins_with(SK, :prefix)", "D#").send().await.expect("it is not empty");
    assert_eq!(found.count(), 1);
}
