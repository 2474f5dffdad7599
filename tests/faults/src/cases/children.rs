//! Many children of one problem, while messages come twice, workers crash, and leases are taken over.
//!
//! Invariant: the problem opens once, whatever becomes of each child's alerts, and the audit counts the children.

use domain::ReceiverKind::{Pagerduty, Slack};

use crate::audit::Invariant::{B, C, D, E};
use crate::cases::Case;
use crate::fault::{Fault, Harm, Point, Where};
use crate::setup::Setup;
use crate::storm::{Storm, problem};
use crate::world::World;

pub(super) const CASES: &[Case] = &[
    Case { name: "children-come-twice", keeps: &[C, D], setup: grouped, play: |world| Box::pin(twice(world)) },
    Case { name: "children-while-workers-crash", keeps: &[B, D], setup: grouped, play: |world| Box::pin(crash(world)) },
    Case { name: "children-taken-over", keeps: &[C, E], setup: grouped, play: |world| Box::pin(taken_over(world)) },
];

fn grouped(rng: &mut fastrand::Rng) -> Setup {
    Setup { grouped: true, workers_max: rng.usize(2..=3), ..Setup::telling(vec![Pagerduty, Slack], rng) }
}

fn many() -> Storm {
    Storm { problems: 6, webhooks: 14, ..Storm::default() }
}

async fn twice(world: &World) -> anyhow::Result<()> {
    for _ in 0..2 {
        world.storm(Storm { webhooks: 7, ..many() }).await?;
        for (role, _) in world.taken() {
            world.copy(role).await?;
        }
        world.work(3).await?;
        for (role, _) in world.taken() {
            world.copy(role).await?;
        }
    }
    Ok(())
}

async fn crash(world: &World) -> anyhow::Result<()> {
    for _ in 0..=world.pick(4) {
        let point = [Point::Commit, Point::Absorb, Point::Write, Point::DeliverySend, Point::InboxSend]
            .get(world.pick(5))
            .copied();
        let harm = [Harm::CrashBefore, Harm::CrashAfter, Harm::LoseAnswer].get(world.pick(3)).cloned();
        let at = Where::At(point.unwrap_or(Point::Commit));
        let fault = Fault::times(at, 1 + world.pick(2), harm.unwrap_or(Harm::CrashAfter));
        world.inject(Fault { skip: world.pick(10), ..fault });
    }
    world.storm(many()).await
}

/// Slack is slow while counts change, so that leases run out and updates pile up.
async fn taken_over(world: &World) -> anyhow::Result<()> {
    world.inject(Fault::times(Where::At(Point::Tell(Slack)), 1 + world.pick(3), Harm::HangAfter));
    for number in 0..5 {
        world.fire(&problem(number)).await;
        world.work(1 + world.pick(3)).await?;
    }
    world.storm(many()).await
}
