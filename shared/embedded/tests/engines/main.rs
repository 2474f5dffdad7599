//! The embedded engines, asked over the wire by the real AWS SDK.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod clients;
mod dynamodb_items;
mod dynamodb_transactions;
mod lifecycle;
mod sqs_messages;
mod sqs_redrive;
