//! `PagerDuty` refuses, is down, or takes an event and does not say so.
//!
//! Invariant: people are called as soon as it takes events again, and never twice for one episode.

use domain::DeliveryState;
use domain::ReceiverKind::Pagerduty;

use crate::audit::Invariant::{B, C, D, G};
use crate::cases::Case;
use crate::fault::{Fault, Harm, Point, Where};
use crate::setup::Setup;
use crate::storm::{Storm, problem};
use crate::world::World;

pub(super) const CASES: &[Case] = &[
    Case { name: "pagerduty-429", keeps: &[B, G], setup: Setup::any, play: |world| Box::pin(limited(world)) },
    Case { name: "pagerduty-500-for-an-hour", keeps: &[B, G], setup: Setup::any, play: |world| Box::pin(down(world)) },
    Case {
        name: "pagerduty-timeout-after-accepting",
        keeps: &[B, C],
        setup: Setup::any,
        play: |world| Box::pin(unsaid(world, Harm::HangAfter)),
    },
    Case {
        name: "pagerduty-half-an-answer",
        keeps: &[B, C],
        setup: Setup::any,
        play: |world| Box::pin(unsaid(world, Harm::HalfAnswer)),
    },
    Case {
        name: "pagerduty-reset",
        keeps: &[B, C],
        setup: Setup::any,
        play: |world| Box::pin(unsaid(world, Harm::LoseAnswer)),
    },
    Case { name: "pagerduty-400", keeps: &[B, D], setup: Setup::any, play: |world| Box::pin(rejected(world)) },
];

async fn limited(world: &World) -> anyhow::Result<()> {
    let secs = 10 + i64::try_from(world.pick(300))?;
    let wait_secs = 1 + world.pick(90) as u64;
    world.inject(Fault::for_secs(Where::Vendor(Pagerduty), secs, Harm::Throttle(Some(wait_secs))));
    world.storm(Storm::default()).await?;
    world.work_until(secs).await?;
    told_within(world, 300 + wait_secs).await
}

async fn down(world: &World) -> anyhow::Result<()> {
    let harm = [Harm::Status(500), Harm::Status(503), Harm::Unreachable].get(world.pick(3)).cloned();
    world.inject(Fault::for_secs(Where::Vendor(Pagerduty), 3600, harm.unwrap_or(Harm::Status(500))));
    world.storm(Storm { webhooks: 4, ..Storm::default() }).await?;
    world.work_until(3600).await?;
    // Waits grow to five minutes; a queue's own pace is three.
    told_within(world, 320).await
}

/// Every page that was due has gone out after so many more seconds.
async fn told_within(world: &World, secs: u64) -> anyhow::Result<()> {
    world.work_for(secs).await?;
    for incident in world.store.incidents().await? {
        let record = world.store.record(&incident.id).await?;
        for delivery in record.map(|r| r.deliveries).unwrap_or_default() {
            let late = delivery.kind == Pagerduty && delivery.state != DeliveryState::Delivered;
            world.require(B, !late, format!("{} is not delivered {secs} s after PagerDuty came back", delivery.id));
        }
    }
    Ok(())
}

async fn unsaid(world: &World, harm: Harm) -> anyhow::Result<()> {
    for _ in 0..=world.pick(3) {
        world.inject(Fault::once(Where::At(Point::Tell(Pagerduty)), world.pick(4), harm.clone()));
    }
    world.storm(Storm::default()).await
}

/// What `PagerDuty` will never take is a dead letter at once.
async fn rejected(world: &World) -> anyhow::Result<()> {
    world.inject(Fault::times(Where::Vendor(Pagerduty), 1 + world.pick(3), Harm::Status(400)));
    world.fire(&problem(0)).await;
    world.work(4).await?;
    let buried = world.dead(Pagerduty).await?;
    world.require(D, buried == 1, format!("a rejected page is {buried} dead letters at once"));
    world.storm(Storm::default()).await
}
