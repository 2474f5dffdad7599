//! What AWS bills for a webhook, by kind of call: counted and sized in this run, priced by the published list.
//!
//! Invariant: every figure of the table comes from the meter or from the batches that were handed out. Lambda's duration,
//! which depends on memory and time, is not in it; its requests stand apart.

use std::collections::BTreeMap;

use embedded::Storage;

use crate::functions::{Batches, Functions};
use crate::meter::Bill;
use crate::{inputs, say};

/// US dollars for a million, us-east-1, on demand: <https://aws.amazon.com/sqs/pricing/>,
/// <https://aws.amazon.com/dynamodb/pricing/on-demand/>, <https://aws.amazon.com/lambda/pricing/>.
const SQS_REQUEST: f64 = 0.40;
const WRITE_UNIT: f64 = 0.625;
const READ_UNIT: f64 = 0.125;
const INVOCATION: f64 = 0.20;

/// Webhooks of each case.
const WEBHOOKS: u32 = 1000;

/// In which order the problems come.
#[derive(Debug, Clone, Copy)]
enum Order {
    /// All of one, then all of the next.
    Together,
    /// One of each, and again.
    InTurn,
}

pub(crate) async fn run() -> anyhow::Result<()> {
    say("AWS cost of webhooks, three receivers (PagerDuty, Slack, Jira), batches of ten");
    case("unique alerts", WEBHOOKS, Order::Together).await?;
    case("99.9 % duplicates", 1, Order::Together).await?;
    case("90 % duplicates, those of one problem one after another", WEBHOOKS / 10, Order::Together).await?;
    case("90 % duplicates, those of one problem far apart", WEBHOOKS / 10, Order::InTurn).await
}

async fn case(what: &str, problems: u32, order: Order) -> anyhow::Result<()> {
    let mut functions = Functions::start(Storage::Memory).await?;
    for webhook in 0..WEBHOOKS {
        let problem = match order {
            Order::Together => u64::from(webhook) * u64::from(problems) / u64::from(WEBHOOKS),
            Order::InTurn => u64::from(webhook % problems),
        };
        functions.receive(&inputs::alert(&format!("model-{problem:06}"))?).await?;
    }
    let batches = functions.drain().await?;
    let told = functions.stand_ins.pagerduty.triggers().len();
    anyhow::ensure!(told == problems as usize, "{told} pages for {problems} problems");
    table(what, &functions.meter.take(), batches);
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "a few thousand calls")]
fn table(what: &str, bills: &BTreeMap<String, Bill>, batches: Batches) {
    let webhooks = f64::from(WEBHOOKS);
    let mapping = Bill { calls: batches.polled, requests: batches.polled, ..Bill::default() };
    let mut rows: Vec<(String, Bill)> = bills.iter().map(|(name, bill)| (name.clone(), *bill)).collect();
    rows.push(("ReceiveMessage (by the mapping)".to_owned(), mapping));
    rows.push(("DeleteMessageBatch (by the mapping)".to_owned(), mapping));
    say(format!("\n{what}, for each webhook:\n"));
    say("| call | calls | SQS requests | write units | read units | US$ for 1M webhooks |\n|---|---|---|---|---|---|");
    let mut total = 0.0;
    for (name, bill) in rows {
        let requests = bill.requests as f64 / webhooks;
        let (calls, written, read) =
            (bill.calls as f64 / webhooks, bill.write_units / webhooks, bill.read_units / webhooks);
        let dollars = requests * SQS_REQUEST + written * WRITE_UNIT + read * READ_UNIT;
        total += dollars;
        say(format!("| {name} | {calls:.3} | {requests:.3} | {written:.3} | {read:.3} | {dollars:.3} |"));
    }
    say(format!("| together | | | | | **{total:.2}** |"));
    let invocations = (batches.polled + batches.received) as f64 / webhooks;
    say(format!("Lambda requests: {invocations:.3} for each webhook, {:.2} US$ for 1M.", invocations * INVOCATION));
}
