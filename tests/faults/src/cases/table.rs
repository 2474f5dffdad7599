//! The table refuses, forgets to answer, or keeps what has expired; and leases that run out.
//!
//! Invariant: what the table was told stands there or does not; no case looks into it but through the audit.

use std::time::Duration;

use domain::ReceiverKind::{Jira, Pagerduty, Slack};

use crate::audit::Invariant::{B, C, E, G};
use crate::cases::Case;
use crate::fault::{Fault, Harm, Point, Where};
use crate::process::Role;
use crate::setup::Setup;
use crate::storm::{Storm, problem};
use crate::world::World;

pub(super) const CASES: &[Case] = &[
    Case { name: "table-throttled", keeps: &[B, G], setup: Setup::any, play: |world| Box::pin(throttled(world)) },
    Case {
        name: "write-applied-answer-lost",
        keeps: &[B, C],
        setup: everyone,
        play: |world| Box::pin(answer_lost(world)),
    },
    Case { name: "expired-not-deleted", keeps: &[B], setup: Setup::any, play: |world| Box::pin(expired(world)) },
    Case {
        name: "lease-expires-while-slow",
        keeps: &[B, C],
        setup: |rng| Setup::telling(vec![Pagerduty, Slack], rng),
        play: |world| Box::pin(lease_expires(world)),
    },
    Case { name: "stale-worker-writes", keeps: &[C, E], setup: everyone, play: |world| Box::pin(stale(world)) },
];

fn everyone(rng: &mut fastrand::Rng) -> Setup {
    Setup::telling(vec![Pagerduty, Slack, Jira], rng)
}

async fn throttled(world: &World) -> anyhow::Result<()> {
    let at = if world.pick(2) == 0 { Where::Table } else { Where::TableWrites };
    let secs = 1 + i64::try_from(world.pick(400))?;
    let fault = Fault::for_secs(at, secs, Harm::Throttle(None));
    world.inject(Fault { skip: world.pick(30), ..fault });
    world.storm(Storm::default()).await
}

async fn answer_lost(world: &World) -> anyhow::Result<()> {
    for _ in 0..=world.pick(4) {
        let harm = [Harm::LoseAnswer, Harm::HalfAnswer, Harm::HangAfter].get(world.pick(3)).cloned();
        let fault = Fault::times(Where::TableWrites, 1 + world.pick(4), harm.unwrap_or(Harm::LoseAnswer));
        world.inject(Fault { skip: world.pick(12), ..fault });
    }
    world.storm(Storm::default()).await
}

/// An incident that is over, its cooldown past, and a lease that has run out still stand in the table.
async fn expired(world: &World) -> anyhow::Result<()> {
    world.inject(Fault::once(Where::At(Point::Claim), world.pick(2), Harm::CrashAfter));
    let name = problem(0);
    for _ in 0..2 {
        world.fire(&name).await;
        world.rest().await?;
        world.clear(&name).await;
        world.rest().await?;
        world.pass(world.setup.cooldown_secs + 1 + world.pick(600) as u64).await;
    }
    world.fire(&name).await;
    world.rest().await?;
    let opened = world.vendors.pagerduty.alerts().len();
    world.require(B, opened == 3, format!("three episodes far apart woke people {opened} times"));
    Ok(())
}

/// While one worker waits for a vendor its lease runs out, and another one takes over.
async fn lease_expires(world: &World) -> anyhow::Result<()> {
    let kind = if world.pick(2) == 0 { Pagerduty } else { Slack };
    let slow = Fault::once(Where::At(Point::Tell(kind)), 0, Harm::Slow(6 + world.pick(3) as u64));
    world.inject(slow);
    world.fire(&problem(0)).await;
    world.round().await?;
    world.copy(Role::Deliver(kind)).await?;
    let other = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        world.jump(61 + i64::try_from(world.pick(300)).unwrap_or(0));
        world.copy(Role::Deliver(kind)).await?;
        world.round().await
    };
    let (one, two) = futures::join!(world.round(), other);
    one?;
    two?;
    world.storm(Storm { ends: false, ..Storm::default() }).await
}

/// A worker's write under its lease arrives long after it was given up for lost.
async fn stale(world: &World) -> anyhow::Result<()> {
    for _ in 0..=world.pick(3) {
        let late = Harm::Late(1 + world.pick(240) as u64);
        world.inject(Fault::once(Where::At(Point::Mark), world.pick(8), late));
    }
    let kind = [Pagerduty, Slack, Jira].get(world.pick(3)).copied().unwrap_or(Pagerduty);
    world.inject(Fault::once(Where::At(Point::Tell(kind)), world.pick(3), Harm::Throttle(Some(1))));
    world.storm(Storm::default()).await
}
