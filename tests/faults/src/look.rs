//! The harness's own look at the queues and the table: what they show and hold, asked of the engines themselves.
//!
//! Invariant: what is asked and answered is the services' own JSON. Only the SDK is left out, which a world would otherwise spend
//! half of its time in, to hear that nothing is there.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::engines::ask;
use crate::process::{Handed, TABLE};
use crate::world::World;

/// Messages that a queue hands out at once.
const RECEIVED_MAX: u32 = 10;

/// What a queue counts: visible, handed out, or delayed.
const COUNTS: [&str; 3] =
    ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"];

impl World {
    /// Every message that a queue shows, in an order of its own.
    pub(crate) async fn receive(&self, url: &str) -> anyhow::Result<Vec<Handed>> {
        let asked = json!({ "QueueUrl": url, "MaxNumberOfMessages": RECEIVED_MAX, "WaitTimeSeconds": 0,
            "MessageSystemAttributeNames": ["ApproximateReceiveCount"] });
        let mut handed = Vec::new();
        loop {
            let answer = self.ask("AmazonSQS.ReceiveMessage", &asked).await?;
            let Some(messages) = answer["Messages"].as_array().filter(|messages| !messages.is_empty()) else { break };
            for message in messages {
                handed.push(read(message).with_context(|| format!("a message without a part: {message}"))?);
            }
        }
        handed.sort_by(|a, b| a.body.cmp(&b.body));
        Ok(handed)
    }

    /// Messages in one queue.
    pub(crate) async fn held(&self, url: &str) -> anyhow::Result<u64> {
        let asked = json!({ "QueueUrl": url, "AttributeNames": COUNTS });
        let answer = self.ask("AmazonSQS.GetQueueAttributes", &asked).await?;
        let count = |name: &&str| answer["Attributes"][*name].as_str()?.parse::<u64>().ok();
        let counts: Vec<u64> = COUNTS.iter().filter_map(count).collect();
        ensure!(counts.len() == COUNTS.len(), "{url} does not say what it holds: {answer}");
        Ok(counts.iter().sum())
    }

    /// Whether a dead-letter queue holds anything.
    pub(crate) async fn has_dead_letters(&self) -> anyhow::Result<bool> {
        let urls = self.urls();
        for url in urls.inbox_dead_letters.iter().chain(urls.dead_letters.values()) {
            if self.held(url).await? > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the table holds a delivery that is not finished, or a look that is to be taken.
    pub(crate) async fn is_unfinished(&self) -> anyhow::Result<bool> {
        let asked = json!({ "TableName": TABLE, "IndexName": "unfinished", "Select": "COUNT" });
        let answer = self.ask("DynamoDB_20120810.Scan", &asked).await?;
        Ok(answer["Count"].as_u64().with_context(|| format!("the index does not count: {answer}"))? > 0)
    }

    async fn ask(&self, operation: &'static str, asked: &Value) -> anyhow::Result<Value> {
        let answer = ask(&self.wire, operation, asked).await;
        ensure!(answer.status().is_success(), "{operation} was answered with {}", answer.status());
        Ok(serde_json::from_slice(answer.body())?)
    }
}

fn read(message: &Value) -> Option<Handed> {
    let text = |name: &str| message[name].as_str().map(str::to_owned);
    let receives = message["Attributes"]["ApproximateReceiveCount"].as_str()?.parse().ok()?;
    Some(Handed { id: text("MessageId")?, receipt: text("ReceiptHandle")?, body: text("Body")?, receives })
}
