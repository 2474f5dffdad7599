//! The commands that follow incidents and mend what was given up, as a user runs them.
//!
//! Invariant: every test runs the command's own binary against engines and vendors on loopback.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod doctor;
mod follow;
mod redrive;
mod replay;
mod running;
mod setup;
mod tamper;
