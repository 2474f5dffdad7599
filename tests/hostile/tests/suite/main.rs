//! Hostile input: the small sets the whole way, links, what is written to the socket, and what vendors answer.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod answers;
mod bodies;
mod fetches;
mod strings;
mod wire;
