//! Every case by name: what goes wrong in it, and what it must keep all the same.
//!
//! Invariant: a case decides by its seed alone, and a run of it is judged by the whole audit, not only by what it is named
//! to keep.

mod children;
mod crashes;
mod messages;
mod order;
mod outside;
mod pagerduty;
mod receivers;
mod table;
mod time;

use futures::future::LocalBoxFuture;

use crate::audit::Invariant;
use crate::setup::Setup;
use crate::world::World;

/// What a case does to its world.
pub type Play = for<'a> fn(&'a World) -> LocalBoxFuture<'a, anyhow::Result<()>>;

/// One case.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// The invariants that it is about.
    pub keeps: &'static [Invariant],
    /// How its world begins.
    pub setup: fn(&mut fastrand::Rng) -> Setup,
    /// What happens in it.
    pub play: Play,
}

/// All of them.
pub static CASES: std::sync::LazyLock<Vec<Case>> = std::sync::LazyLock::new(|| {
    let groups: [&[Case]; 9] = [
        children::CASES,
        crashes::CASES,
        messages::CASES,
        table::CASES,
        pagerduty::CASES,
        receivers::CASES,
        order::CASES,
        time::CASES,
        outside::CASES,
    ];
    groups.concat()
});
