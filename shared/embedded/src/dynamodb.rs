//! DynamoDB: the engine behind the wire protocol.
//!
//! Invariant: what the engine answers goes out as it is; nothing of DynamoDB's semantics is decided here, but that a
//! transaction's token is remembered by us (`tokens.rs` says why), and that a query names no empty key, which the engine
//! would let pass.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs;
use std::path::Path;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use dynoxide::actions::transact_write_items::TransactWriteItemsRequest;
use dynoxide::{Database, DynoxideError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::front::Engine;
use crate::tokens::{Asked, Tokens};
use crate::{StartError, Storage};

const TARGET_PREFIX: &str = "DynamoDB_20120810.";
const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

/// The operation that a token makes idempotent.
const TRANSACTION: &str = "TransactWriteItems";

/// How DynamoDB refuses an empty key.
const EMPTY_KEY: &str = "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value.";

/// The operation whose key condition may name an empty key.
const QUERY: &str = "Query";

/// A longer token is refused, which the engine does in AWS's words.
const TOKEN_BYTES_MAX: usize = 36;

/// The file that holds all tables of a [`Storage::Directory`].
const FILE: &str = "dynamodb.sqlite3";

/// A file that only this connection sees, in memory. `SQLite`'s own in-memory tables go through every page that they
/// have whenever a change moves pages of an index: at some ten thousand incidents that is most of what a write costs.
const MEMORY: &str = "file:tocsin?vfs=memdb";

type Answer = Result<Vec<u8>, DynoxideError>;
type Operation = fn(&Database, &[u8]) -> Answer;

/// What is served. Streams and `PartiQL` are left out: the engine's do not suffice, and nothing here uses them.
const OPERATIONS: [(&str, Operation); 19] = [
    ("BatchGetItem", |db, body| call(body, |q| db.batch_get_item(q))),
    ("BatchWriteItem", |db, body| call(body, |q| db.batch_write_item(q))),
    ("CreateTable", |db, body| call(body, |q| db.create_table(q))),
    ("DeleteItem", |db, body| call(body, |q| db.delete_item(q))),
    ("DeleteTable", |db, body| call(body, |q| db.delete_table(q))),
    ("DescribeTable", |db, body| call(body, |q| db.describe_table(q))),
    ("DescribeTimeToLive", |db, body| call(body, |q| db.describe_time_to_live(q))),
    ("GetItem", |db, body| call(body, |q| db.get_item(q))),
    ("ListTables", |db, body| call(body, |q| db.list_tables(q))),
    ("ListTagsOfResource", |db, body| call(body, |q| db.list_tags_of_resource(q))),
    ("PutItem", |db, body| call(body, |q| db.put_item(q))),
    (QUERY, |db, body| call(body, |q| db.query(q))),
    ("Scan", |db, body| call(body, |q| db.scan(q))),
    ("TagResource", |db, body| call(body, |q| db.tag_resource(q))),
    ("TransactGetItems", |db, body| call(body, |q| db.transact_get_items(q))),
    (TRANSACTION, |db, body| call(body, |q| db.transact_write_items(q))),
    ("UpdateItem", |db, body| call(body, |q| db.update_item(q))),
    ("UpdateTable", |db, body| call(body, |q| db.update_table(q))),
    ("UpdateTimeToLive", |db, body| call(body, |q| db.update_time_to_live(q))),
];

/// The embedded DynamoDB.
pub(crate) struct DynamoDb {
    database: Database,
    tokens: Tokens,
    /// Whose turn it is. The engine runs one request at a time and blocks its thread for it: waited for here, a busy
    /// engine takes one thread of the runtime and not all of them.
    turn: tokio::sync::Mutex<()>,
}

impl DynamoDb {
    /// Opens the tables there are, or begins with none.
    pub(crate) fn open(storage: &Storage) -> Result<Self, StartError> {
        let database = match storage {
            Storage::Memory => Database::new(MEMORY).map_err(|error| StartError::Memory { why: error.to_string() }),
            Storage::Directory(directory) => open_in(directory),
        }?;
        Ok(Self { database, tokens: Tokens::default(), turn: tokio::sync::Mutex::new(()) })
    }

    fn run(&self, name: &str, operation: Operation, body: &[u8]) -> Answer {
        if name == QUERY && names_empty_key(body) {
            return Err(DynoxideError::ValidationException(EMPTY_KEY.to_owned()));
        }
        if name != TRANSACTION {
            return operation(&self.database, body);
        }
        let Ok(Peeked { token: Some(token), items: Some(items) }) = serde_json::from_slice(body) else {
            // What cannot be read is refused by the engine, in its words.
            return operation(&self.database, body);
        };
        if token.len() > TOKEN_BYTES_MAX {
            return operation(&self.database, body);
        }
        self.tokens.once(&token, items, || {
            call(body, |q: TransactWriteItemsRequest| {
                self.database.transact_write_items(TransactWriteItemsRequest { client_request_token: None, ..q })
            })
        })
    }
}

/// What is read of a transaction before the engine reads it.
#[derive(Deserialize)]
struct Peeked<'a> {
    #[serde(rename = "ClientRequestToken", borrow)]
    token: Option<Cow<'a, str>>,
    #[serde(rename = "TransactItems")]
    items: Option<Asked>,
}

/// What is read of a query before the engine reads it.
#[derive(Deserialize)]
struct PeekedQuery<'a> {
    #[serde(rename = "KeyConditionExpression", borrow)]
    condition: Option<Cow<'a, str>>,
    #[serde(rename = "ExpressionAttributeValues")]
    values: Option<HashMap<String, HashMap<String, Value>>>,
}

fn names_empty_key(body: &[u8]) -> bool {
    let Ok(PeekedQuery { condition: Some(condition), values: Some(values) }) = serde_json::from_slice(body) else {
        return false;
    };
    let is_empty = |value: &HashMap<String, Value>| value.get("S").is_some_and(|text| text == "");
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '_');
    condition.split(|c| !is_name(c)).filter_map(|word| values.get(word)).any(is_empty)
}

fn open_in(directory: &Path) -> Result<Database, StartError> {
    fs::create_dir_all(directory)
        .map_err(|source| StartError::Directory { directory: directory.to_owned(), source })?;
    let file = directory.join(FILE);
    let why = match file.to_str().map(Database::new) {
        Some(Ok(database)) => return Ok(database),
        Some(Err(error)) => error.to_string(),
        None => "the path is not UTF-8".to_owned(),
    };
    Err(StartError::File { file, why })
}

impl Engine for DynamoDb {
    fn operation(headers: &HeaderMap) -> Option<&'static str> {
        find(headers).map(|(name, _)| name)
    }

    async fn answer(&self, headers: &HeaderMap, body: Bytes) -> Response {
        let _turn = self.turn.lock().await;
        let answer = match find(headers) {
            Some((name, operation)) => self.run(name, operation, &body),
            None => Err(DynoxideError::ValidationException("unknown operation".to_owned())),
        };
        let (status, json) = match answer {
            Ok(json) => (StatusCode::OK, json),
            Err(error) => (status(&error), error.to_json().into_bytes()),
        };
        (status, [("content-type", CONTENT_TYPE)], json).into_response()
    }
}

fn find(headers: &HeaderMap) -> Option<(&'static str, Operation)> {
    let name = headers.get("x-amz-target")?.to_str().ok()?.strip_prefix(TARGET_PREFIX)?;
    OPERATIONS.into_iter().find(|(known, _)| *known == name)
}

fn status(error: &DynoxideError) -> StatusCode {
    StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn call<Q, A>(body: &[u8], run: impl FnOnce(Q) -> Result<A, DynoxideError>) -> Answer
where
    Q: DeserializeOwned,
    A: Serialize,
{
    let request = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    let answer = run(request)?;
    serde_json::to_vec(&answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

/// The engine's own readers put a marker before the words they refuse a value with (`VALIDATION:`,
/// `SERIALIZATION_AS_READ:` …); what has none was refused by its shape.
fn unreadable(error: &serde_json::Error) -> DynoxideError {
    let text = error.to_string();
    match text.split_once(':') {
        Some((marker, words)) if marker.starts_with("VALIDATION") => {
            DynoxideError::ValidationException(words.to_owned())
        }
        Some((marker, words)) if marker.starts_with("SERIALIZATION") => {
            DynoxideError::SerializationException(words.to_owned())
        }
        _ if text.contains("missing field") || text.contains("Supplied AttributeValue") => {
            DynoxideError::ValidationException(text)
        }
        _ => DynoxideError::SerializationException(text),
    }
}
