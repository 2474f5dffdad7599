//! Changes a timeline behind Tocsin's back, as someone with the table's credentials could.
//!
//! Invariant: it touches nothing but the timeline's own items.

use std::collections::HashMap;

use aws::Clients;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::{Decompress, FlushDecompress, Status};
use serde_json::Value;

/// What long texts are packed with.
const DICTIONARY: &[u8] = include_bytes!("../../../../shared/aws/src/packed.dictionary");

/// More than any timeline of these tests has.
const TEXT_BYTES_MAX: usize = 64 * 1024;

type Item = HashMap<String, AttributeValue>;

/// The timeline's items, oldest first.
pub(crate) async fn timeline(clients: &Clients, id: &str) -> Vec<Item> {
    let query =
        clients.dynamodb.query().table_name("tocsin").key_condition_expression("PK = :pk AND begins_with(SK, :t)");
    let query = query.expression_attribute_values(":pk", AttributeValue::S(format!("INC#{id}")));
    let answer = query.expression_attribute_values(":t", AttributeValue::S("T#".to_owned())).send().await;
    let mut items = answer.expect("the table answers").items.expect("there are some");
    items.sort_by_key(|item| written(item)["first"].as_u64());
    items
}

/// What a write left in its item.
fn written(item: &Item) -> Value {
    let text = match &item["record"] {
        AttributeValue::S(text) => text.clone(),
        packed => {
            let (_format, packed) =
                packed.as_b().expect("a text that is long is packed").as_ref().split_first().expect("bytes");
            let (mut inflate, mut text) = (Decompress::new(false), Vec::with_capacity(TEXT_BYTES_MAX));
            inflate.set_dictionary(DICTIONARY).expect("deflate takes a dictionary");
            let end = inflate.decompress_vec(packed, &mut text, FlushDecompress::Finish);
            assert_eq!(end.expect("deflated text"), Status::StreamEnd);
            String::from_utf8(text).expect("a text")
        }
    };
    serde_json::from_str(&text).expect("an object")
}

/// Puts other words into the body of the first entry.
pub(crate) async fn change(clients: &Clients, items: &[Item], from: &str, to: &str) {
    let mut item = items.first().expect("there is one").clone();
    let mut written = written(&item);
    let body = written["entries"][0]["body"].as_str().expect("a text").to_owned();
    assert!(body.contains(from), "{body}");
    written["entries"][0]["body"] = body.replace(from, to).into();
    item.insert("record".to_owned(), AttributeValue::S(written.to_string()));
    put(clients, &item).await;
}

/// Puts everything back.
pub(crate) async fn restore(clients: &Clients, items: &[Item]) {
    for item in items {
        put(clients, item).await;
    }
}

/// Takes the newest item away.
pub(crate) async fn cut(clients: &Clients, items: &[Item]) {
    let newest = items.last().expect("there is one");
    let delete = clients.dynamodb.delete_item().table_name("tocsin");
    let delete = delete.key("PK", newest["PK"].clone()).key("SK", newest["SK"].clone());
    delete.send().await.expect("it is deleted");
}

async fn put(clients: &Clients, item: &Item) {
    let put = clients.dynamodb.put_item().table_name("tocsin").set_item(Some(item.clone()));
    put.send().await.expect("it is written");
}
