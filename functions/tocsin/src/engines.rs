//! `tocsin engines`: only the embedded `DynamoDB` and SQS.
//!
//! Invariant: it makes no table and no queue: what stands in the engines, whoever uses them made.

use anyhow::Context;
use embedded::{Embedded, Storage};

use crate::cli::EnginesArgs;
use crate::run::Answer;

/// Prints where the engines are and what to export, and serves until it is told to stop.
pub(crate) async fn engines(args: EnginesArgs, say: &mut impl FnMut(String)) -> anyhow::Result<Answer> {
    let storage = args.data.map_or(Storage::Memory, Storage::Directory);
    let engines = Embedded::start_at(storage, args.listen)
        .await
        .with_context(|| format!("the engines do not start on {}: another --listen or --data may help", args.listen))?;
    lines(&engines).into_iter().for_each(say);
    tokio::signal::ctrl_c().await?;
    Ok(Answer::Done)
}

/// What a shell can read whole: comments and exports.
fn lines(engines: &Embedded) -> [String; 7] {
    [
        format!("# DynamoDB listens on {}", engines.dynamodb_url()),
        format!("# SQS listens on {}", engines.sqs_url()),
        format!("export AWS_ENDPOINT_URL_DYNAMODB={}", engines.dynamodb_url()),
        format!("export AWS_ENDPOINT_URL_SQS={}", engines.sqs_url()),
        "export AWS_REGION=us-east-1".to_owned(),
        "export AWS_ACCESS_KEY_ID=local".to_owned(),
        "export AWS_SECRET_ACCESS_KEY=local".to_owned(),
    ]
}
