//! The crate from outside: what goes to each vendor, and what each answer means. Expected values are written by hand
//! from the vendors' own rules.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod answers;
mod delivering;
mod fixtures;
mod incoming;
mod inert;
mod jira;
mod limits;
mod linear;
mod lookups;
mod pagerduty;
mod properties;
mod slack;
mod templates;
mod tickets;
mod vendor_rules;
mod webhook;
