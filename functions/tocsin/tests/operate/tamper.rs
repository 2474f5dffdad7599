//! Changes a timeline behind Tocsin's back, as someone with the table's credentials could.
//!
//! Invariant: it touches nothing but the timeline's own items.

use std::collections::HashMap;
use std::io::Read;

use aws::Clients;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::read::DeflateDecoder;
use serde_json::Value;

type Item = HashMap<String, AttributeValue>;

/// The timeline's items, oldest first.
pub(crate) async fn timeline(clients: &Clients, id: &str) -> Vec<Item> {
    let query =
        clients.dynamodb.query().table_name("tocsin").key_condition_expression("PK = :pk AND begins_with(SK, :t)");
    let query = query.expression_attribute_values(":pk", AttributeValue::S(format!("INC#{id}")));
    let answer = query.expression_attribute_values(":t", AttributeValue::S("T#".to_owned())).send().await;
    answer.expect("the table answers").items.expect("there are some")
}

/// Puts other words into the body of the first entry.
pub(crate) async fn change(clients: &Clients, items: &[Item], from: &str, to: &str) {
    let mut item = items.first().expect("there is one").clone();
    let entries = match &item["entries"] {
        AttributeValue::S(text) => text.clone(),
        packed => {
            let mut text = String::new();
            let packed = packed.as_b().expect("a text that is long is packed");
            DeflateDecoder::new(packed.as_ref()).read_to_string(&mut text).expect("deflated text");
            text
        }
    };
    let mut entries: Vec<Value> = serde_json::from_str(&entries).expect("a list");
    let body = entries[0]["body"].as_str().expect("a text").to_owned();
    assert!(body.contains(from), "{body}");
    entries[0]["body"] = body.replace(from, to).into();
    item.insert("entries".to_owned(), AttributeValue::S(Value::from(entries).to_string()));
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
