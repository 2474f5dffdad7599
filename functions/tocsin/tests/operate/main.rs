//! The commands as a user runs them: those that set up and try out a config, follow incidents, mend what was given up.
//!
//! Invariant: every test runs the command's own binary against engines and vendors on loopback.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod doctor;
mod follow;
mod redrive;
mod replay;
mod running;
mod setup;
mod silences;
mod tamper;
