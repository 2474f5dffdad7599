//! What comes in the wrong order, or again after its end.
//!
//! Invariant: a page opens before it ends, and what has ended stays so.

use domain::ReceiverKind::Pagerduty;

use crate::audit::Invariant::{A, B, E};
use crate::cases::Case;
use crate::fault::{Fault, Harm, Point, Where};
use crate::process::Role;
use crate::setup::{Secrets, Setup};
use crate::storm::{Storm, problem};
use crate::webhook::{SentWith, payload};
use crate::world::World;

pub(super) const CASES: &[Case] = &[
    Case { name: "resolve-before-trigger", keeps: &[E], setup: Setup::any, play: |world| Box::pin(early(world)) },
    Case { name: "retry-after-resolve", keeps: &[E], setup: Setup::any, play: |world| Box::pin(late(world)) },
    Case {
        name: "flapping-faster-than-cooldown",
        keeps: &[B, E],
        setup: |rng| Setup { cooldown_secs: 300 + rng.u64(0..600), ..Setup::any(rng) },
        play: |world| Box::pin(flapping(world)),
    },
    Case { name: "secret-rotated", keeps: &[A], setup: Setup::any, play: |world| Box::pin(rotated(world)) },
];

/// The end comes while the page has not gone out, or before its alert.
async fn early(world: &World) -> anyhow::Result<()> {
    let name = problem(0);
    world.wire.strike();
    if world.pick(3) == 0 {
        world.clear(&name).await;
        world.work(world.pick(3)).await?;
        world.fire(&name).await;
        return world.storm(Storm { webhooks: 4, ..Storm::default() }).await;
    }
    let secs = 30 + i64::try_from(world.pick(200))?;
    world.inject(Fault::for_secs(Where::Vendor(Pagerduty), secs, Harm::Unreachable));
    world.fire(&name).await;
    world.work(3).await?;
    world.clear(&name).await;
    world.work(3).await?;
    world.copy(Role::Deliver(Pagerduty)).await?;
    world.work_until(secs).await?;
    world.rest().await?;
    world.copy(Role::Deliver(Pagerduty)).await
}

/// A trigger that may have arrived is sent again while its episode ends.
async fn late(world: &World) -> anyhow::Result<()> {
    let harm = [Harm::LoseAnswer, Harm::HangAfter, Harm::CrashAfter, Harm::HalfAnswer].get(world.pick(4)).cloned();
    let harm = harm.unwrap_or(Harm::LoseAnswer);
    world.inject(Fault::times(Where::At(Point::Tell(Pagerduty)), 1 + world.pick(2), harm));
    let name = problem(0);
    world.fire(&name).await;
    world.work(2).await?;
    world.clear(&name).await;
    let (one, two) = futures::join!(world.round(), world.copy(Role::Deliver(Pagerduty)));
    one?;
    two?;
    world.work(3).await?;
    world.pass(1 + world.pick(200) as u64).await;
    world.copy(Role::Deliver(Pagerduty)).await?;
    world.rest().await?;
    world.copy(Role::Deliver(Pagerduty)).await
}

async fn flapping(world: &World) -> anyhow::Result<()> {
    let name = problem(0);
    world.wire.strike();
    for _ in 0..2 + world.pick(4) {
        world.fire(&name).await;
        world.work(world.pick(4)).await?;
        world.pass(1 + world.pick(30) as u64).await;
        world.clear(&name).await;
        world.work(world.pick(4)).await?;
        world.pass(1 + world.pick(30) as u64).await;
    }
    if world.pick(2) == 0 {
        world.fire(&name).await;
    }
    Ok(())
}

/// A sender's secret is replaced while alerts come in; who has the wrong one is refused before anything is called.
async fn rotated(world: &World) -> anyhow::Result<()> {
    for (taken, old, new) in [(Secrets::Old, 202, 401), (Secrets::Both, 202, 202), (Secrets::New, 401, 202)] {
        world.rotate(taken)?;
        for (with, expected) in [(SentWith::Old, old), (SentWith::New, new), (SentWith::Wrong, 401)] {
            let name = problem(world.pick(3));
            let before = world.wire.inbox_bodies().len();
            let status = world.post(&name, true, &payload(&name, true), with).await;
            world.require(A, status == expected, format!("{with:?} under {taken:?} is answered with {status}"));
            let took = world.wire.inbox_bodies().len() - before;
            let durable = took == usize::from(status == 202);
            world.require(A, durable, format!("the answer {status} put {took} messages into the inbox"));
            world.work(world.pick(3)).await?;
        }
    }
    Ok(())
}
