//! The SDK's clients, pointed at the engines: one attempt, so that an answer is the engine's and a call is one call.

use std::collections::HashMap;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use aws_smithy_http_client::Builder;
use tocsin_embedded::{Embedded, Storage};

pub(crate) type Dynamo = aws_sdk_dynamodb::Client;
pub(crate) type Sqs = aws_sdk_sqs::Client;
pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) const TABLE: &str = "tocsin";

pub(crate) async fn start() -> Embedded {
    Embedded::start(Storage::Memory).await.expect("both engines start on free ports")
}

pub(crate) fn dynamo(engines: &Embedded) -> Dynamo {
    use aws_sdk_dynamodb::config::{Config, Region, retry::RetryConfig};
    Dynamo::from_conf(
        Config::builder()
            .endpoint_url(engines.dynamodb_url())
            .region(Region::new("us-east-1"))
            .credentials_provider(credentials())
            .http_client(Builder::new().build_http())
            .retry_config(RetryConfig::disabled())
            .build(),
    )
}

pub(crate) fn sqs(engines: &Embedded) -> Sqs {
    use aws_sdk_sqs::config::{Config, Region, retry::RetryConfig};
    Sqs::from_conf(
        Config::builder()
            .endpoint_url(engines.sqs_url())
            .region(Region::new("us-east-1"))
            .credentials_provider(credentials())
            .http_client(Builder::new().build_http())
            .retry_config(RetryConfig::disabled())
            .build(),
    )
}

fn credentials() -> Credentials {
    Credentials::new("local", "local", None, None, "embedded")
}

pub(crate) fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

pub(crate) fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// An item with its key and some more attributes.
pub(crate) fn item(pk: &str, sk: &str, more: &[(&str, AttributeValue)]) -> Item {
    [("PK", text(pk)), ("SK", text(sk))]
        .into_iter()
        .chain(more.iter().cloned())
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The table of the design: PK, SK, and an index `due` with a number as its sort key.
pub(crate) async fn create_table(dynamo: &Dynamo) {
    let attribute = |name: &str, kind: ScalarAttributeType| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().expect("both are given")
    };
    let key = |name: &str, kind: KeyType| {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("both are given")
    };
    let due = GlobalSecondaryIndex::builder()
        .index_name("due")
        .key_schema(key("due_shard", KeyType::Hash))
        .key_schema(key("due_at", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
        .expect("name and keys are given");
    dynamo
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("PK", ScalarAttributeType::S))
        .attribute_definitions(attribute("SK", ScalarAttributeType::S))
        .attribute_definitions(attribute("due_shard", ScalarAttributeType::S))
        .attribute_definitions(attribute("due_at", ScalarAttributeType::N))
        .key_schema(key("PK", KeyType::Hash))
        .key_schema(key("SK", KeyType::Range))
        .global_secondary_indexes(due)
        .send()
        .await
        .expect("the table is created");
}

/// Reads one item, consistently.
pub(crate) async fn get(dynamo: &Dynamo, pk: &str, sk: &str) -> Option<Item> {
    dynamo
        .get_item()
        .table_name(TABLE)
        .set_key(Some(item(pk, sk, &[])))
        .consistent_read(true)
        .send()
        .await
        .expect("the item is read")
        .item
}
