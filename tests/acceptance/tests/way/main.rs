//! The whole way of an alert, against the embedded engines and the stand-ins.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod cut_short;
mod episodes;
mod escalated;
mod failures;
mod flapping;
mod grouped;
mod metric_sources;
mod missed;
mod muted;
mod once;
mod pulls;
mod receivers;
mod refusals;
mod sources;
mod swept;
