//! The adapters against servers on loopback: scripted ones for failures, stand-ins for the vendors' own behaviour.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod arize;
mod arize_history;
mod datadog;
mod github;
mod prometheus;
mod redirects;
mod sender;
mod sns;
mod stand_ins_answer;
mod wire;
