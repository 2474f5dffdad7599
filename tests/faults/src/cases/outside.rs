//! The outside that is asked before people are told does not do its part.
//!
//! Invariant: the page goes without it, in the time that a function has.

use crate::audit::Invariant::{B, G};
use crate::cases::Case;
use crate::setup::{Outside, Setup};
use crate::storm::{Storm, problem};
use crate::world::World;

/// Seconds after which a page is late, where everything that is asked for it hangs: both deadlines, and the way.
const PAGE_SECS_MAX: i64 = 20;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "enrichment-hangs",
        keeps: &[B, G],
        setup: |rng| Setup { outside: Outside::Hangs, ..Setup::any(rng) },
        play: |world| Box::pin(without(world)),
    },
    Case {
        name: "enrichment-answers-10-mb",
        keeps: &[B, G],
        setup: |rng| Setup { outside: Outside::Huge, ..Setup::any(rng) },
        play: |world| Box::pin(without(world)),
    },
];

async fn without(world: &World) -> anyhow::Result<()> {
    world.wire.strike();
    let begun_ms = world.clock.passed_ms();
    world.fire(&problem(0)).await;
    world.work(5).await?;
    let took_ms = world.clock.passed_ms() - begun_ms;
    let pages = world.vendors.pagerduty.triggers().len();
    world.require(B, pages == 1, format!("{pages} pages went out without enrichment"));
    world.require(G, took_ms < PAGE_SECS_MAX * 1000, format!("the page took {took_ms} ms"));
    world.storm(Storm { webhooks: 5, ..Storm::default() }).await
}
