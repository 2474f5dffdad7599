//! Injected faults: Tocsin's invariants A to G, proved by dropping, doubling, delaying and refusing what they rest on.
//!
//! A [`World`] is the real functions, adapters, SDK and engines in one process and one thread, on a paused clock. Every
//! call over its [`wire`] is a point where a [`Fault`] can hit: the process gone before the effect or after it, the answer
//! lost, late, halved or refused. A [`Case`] injects what it is named after into a storm of alerts; when the world has come
//! to rest, the [`audit`](mod@audit) reconciles what vendors, table and queues hold.
//!
//! `cargo run --profile fast -p tocsin-faults -- --seeds 1000` runs every case; a violation is printed with the command that
//! replays it.
//!
//! Invariant: what happens follows from the case and the seed alone, and nothing of ours is replaced but the sockets.

#![allow(clippy::match_wildcard_for_single_variants, reason = "a new kind of receiver is told of as a webhook is")]

pub mod audit;
pub mod cases;
mod clock;
mod engines;
pub mod fault;
mod look;
mod mapping;
mod outside;
mod point;
mod process;
mod run;
pub mod setup;
mod storm;
mod vendors;
mod webhook;
pub mod wire;
mod world;

pub use audit::{Invariant, Violation, audit};
pub use cases::{CASES, Case};
pub use clock::WorldClock;
pub use fault::{Fault, Harm, Point, Where};
pub use process::Role;
pub use run::{Outcome, run};
pub use setup::Setup;
pub use storm::{Storm, problem};
pub use vendors::Vendors;
pub use webhook::{Posted, SentWith, payload};
pub use world::World;
