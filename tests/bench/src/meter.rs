//! Stands before an embedded engine and writes down what AWS would bill for each call.
//!
//! Invariant: a call goes on as it came, but that `DynamoDB` is asked for the capacity it consumed; what is billed is what
//! the engine answers by AWS's rules (per item rounded up to 1 KB or 4 KB, twice in transactions, once more for an index).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use serde_json::{Map, Value};
use tokio::net::{TcpListener, TcpStream};

use crate::wire::{self, Connection};

/// SQS bills every 64 KB of a request as one.
const SQS_CHUNK_BYTES: usize = 64 * 1024;

/// `DynamoDB` bills writing by this many bytes.
const WRITE_UNIT_BYTES: usize = 1024;

/// Operations that read.
const READS: [&str; 5] = ["BatchGetItem", "GetItem", "Query", "Scan", "TransactGetItems"];

/// What was billed of one operation.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Bill {
    /// Calls.
    pub(crate) calls: u64,
    /// SQS requests: more than calls where bodies are long.
    pub(crate) requests: u64,
    /// `DynamoDB` write units.
    pub(crate) write_units: f64,
    /// `DynamoDB` read units.
    pub(crate) read_units: f64,
}

/// What was billed so far, by operation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meter(Arc<Mutex<BTreeMap<String, Bill>>>);

impl Meter {
    /// Listens in front of an engine (`http://127.0.0.1:<port>`) and returns the address to use in its place.
    pub(crate) async fn before(&self, engine: &str) -> anyhow::Result<String> {
        let engine: SocketAddr = engine.trim_start_matches("http://").parse()?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let meter = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let meter = meter.clone();
                // A connection that breaks is the client's to make anew.
                tokio::spawn(async move { meter.pass(stream, engine).await });
            }
        });
        Ok(url)
    }

    /// What was billed since the last time, by operation.
    pub(crate) fn take(&self) -> BTreeMap<String, Bill> {
        std::mem::take(&mut *self.lock())
    }

    async fn pass(&self, stream: TcpStream, engine: SocketAddr) -> anyhow::Result<()> {
        let (mut client, mut engine) = (Connection::over(stream)?, Connection::open(engine).await?);
        while let Some(request) = client.read().await? {
            let target = target(request.head).context("no X-Amz-Target")?.to_owned();
            let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
            let dynamodb = target.starts_with("DynamoDB");
            let body = if dynamodb { asking_for_capacity(request.body)? } else { request.body.to_vec() };
            let sent = body.len();
            let headers = format!("X-Amz-Target: {target}\r\n");
            engine.write(&wire::message("/", "application/x-amz-json-1.0", &headers, &body)).await?;
            let answer = engine.read().await?.context("the engine closed the connection")?;
            self.note(&operation, dynamodb, sent, answer.body);
            let answer = [answer.head, answer.body].concat();
            client.write(&answer).await?;
        }
        Ok(())
    }

    fn note(&self, operation: &str, dynamodb: bool, sent: usize, answer: &[u8]) {
        let mut bills = self.lock();
        let bill = bills.entry(operation.to_owned()).or_default();
        bill.calls += 1;
        if !dynamodb {
            bill.requests += sent.max(answer.len()).div_ceil(SQS_CHUNK_BYTES) as u64;
        } else if READS.contains(&operation) {
            bill.read_units += units(answer);
        } else {
            bill.write_units += units(answer);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Bill>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn target(head: &[u8]) -> Option<&str> {
    let lines = str::from_utf8(head).ok()?.lines();
    let mut headers = lines.filter_map(|line| line.split_once(':'));
    headers.find(|(name, _)| name.eq_ignore_ascii_case("x-amz-target")).map(|(_, value)| value.trim())
}

fn asking_for_capacity(body: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut request: Map<String, Value> = serde_json::from_slice(body)?;
    // Calls on tables know no such field; the engine reads over it.
    request.insert("ReturnConsumedCapacity".to_owned(), "TOTAL".into());
    Ok(serde_json::to_vec(&request)?)
}

/// The units of an answer. A refused condition is billed as well, by the item that stands there, and its answer tells no
/// units: each begun KB of it counts, which holds the item where it was asked for.
fn units(answer: &[u8]) -> f64 {
    let Ok(json) = serde_json::from_slice::<Value>(answer) else { return 0.0 };
    let of = |table: &Value| table["CapacityUnits"].as_f64().unwrap_or(0.0);
    match &json["ConsumedCapacity"] {
        Value::Array(tables) => tables.iter().map(of).sum(),
        Value::Null if json["__type"].is_string() => {
            f64::from(u32::try_from(answer.len().div_ceil(WRITE_UNIT_BYTES)).unwrap_or(u32::MAX))
        }
        table => of(table),
    }
}

#[cfg(test)]
mod tests {
    use aws::{Clients, Endpoints};
    use embedded::{Embedded, Storage};

    use super::*;

    #[test]
    fn units_are_what_the_engine_tells_and_a_refusal_counts_its_item() {
        for (answer, expected) in [
            (r#"{"ConsumedCapacity":{"TableName":"t","CapacityUnits":3.0}}"#, 3.0),
            (r#"{"ConsumedCapacity":[{"CapacityUnits":8.0},{"CapacityUnits":2.0}]}"#, 10.0),
            (r#"{"__type":"ConditionalCheckFailedException"}"#, 1.0),
            ("{}", 0.0),
        ] {
            assert!((units(answer.as_bytes()) - expected).abs() < f64::EPSILON, "{answer}");
        }
    }

    #[tokio::test]
    async fn calls_pass_and_are_billed_by_size_and_index() -> anyhow::Result<()> {
        let embedded = Embedded::start(Storage::Memory).await?;
        let meter = Meter::default();
        let dynamodb = meter.before(embedded.dynamodb_url()).await?;
        let sqs = meter.before(embedded.sqs_url()).await?;
        let clients = Clients::local(&Endpoints::at(&dynamodb, &sqs));
        let queue = clients.sqs.create_queue().queue_name("q").send().await?.queue_url.unwrap_or_default();
        meter.take();
        clients.sqs.send_message().queue_url(queue).message_body("x".repeat(100_000)).send().await?;
        assert_eq!(meter.take()["SendMessage"], Bill { calls: 1, requests: 2, ..Bill::default() });
        let store = aws::Store::new(clients.dynamodb.clone(), "tocsin");
        aws::provision_table(&store).await?;
        meter.take();
        let text = |value: &str| aws_sdk_dynamodb::types::AttributeValue::S(value.to_owned());
        let put = clients.dynamodb.put_item().table_name("tocsin").item("PK", text("p")).item("SK", text("s"));
        put.item("body", text(&"x".repeat(2000))).send().await?;
        let billed = meter.take();
        assert_eq!(billed["PutItem"], Bill { calls: 1, write_units: 2.0, ..Bill::default() });
        Ok(())
    }
}
