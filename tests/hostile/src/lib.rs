//! Hostile input against a whole Tocsin: bodies that are no JSON, strings made to break software, both through every
//! source, every field and every receiver.
//!
//! `cargo run -p tocsin-hostile -- --json-suite DIR --naughty FILE` takes the `test_parsing` folder of `JSONTestSuite` and
//! the `blns.json` of the Big List of Naughty Strings, which are not part of this repository; `cargo test` takes the same
//! way with the small sets in [`small`].
//!
//! Invariant: nothing of ours is replaced. A finding is an error that quotes the input; a run without one has seen every
//! request answered and every message taken by its vendor.

pub mod carrier;
pub mod every_source;
pub mod json_bodies;
pub mod messages;
pub mod naughty;
pub mod receivers;
pub mod shown;
pub mod small;
pub mod target;
