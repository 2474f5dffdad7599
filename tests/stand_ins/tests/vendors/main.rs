//! Each stand-in as its vendor's clients see it: over HTTP, what it takes and what it refuses.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod faults;
mod github;
mod jira;
mod jira_search;
mod metric_sources;
mod pagerduty;
mod prometheus;
mod receivers;
mod slack;
mod slack_blocks;
mod wire;
