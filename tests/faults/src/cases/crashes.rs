//! A process that is gone between two effects.
//!
//! Invariant: the crash is at the named point, before or after its effect; which of the calls there it is follows from the
//! seed.

use domain::ReceiverKind;

use crate::audit::Invariant::{A, B, C, D};
use crate::cases::Case;
use crate::fault::Harm::{CrashAfter, CrashBefore};
use crate::fault::{Fault, Harm, Point, Where};
use crate::setup::Setup;
use crate::storm::Storm;
use crate::world::World;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "crash-before-inbox-send",
        keeps: &[A, C],
        setup: Setup::any,
        play: |world| Box::pin(crash(world, Where::At(Point::InboxSend), 9, CrashBefore)),
    },
    Case {
        name: "crash-after-inbox-send",
        keeps: &[A, C],
        setup: Setup::any,
        play: |world| Box::pin(crash(world, Where::At(Point::InboxSend), 9, CrashAfter)),
    },
    Case {
        name: "crash-after-receive",
        keeps: &[B, C, D],
        setup: Setup::any,
        play: |world| Box::pin(crash(world, Where::At(Point::Received), 20, CrashAfter)),
    },
    Case {
        name: "crash-after-claim",
        keeps: &[B, C, D],
        setup: Setup::everyone,
        play: |world| Box::pin(crash(world, Where::At(Point::Claim), 8, CrashAfter)),
    },
    Case {
        name: "crash-after-vendor-send",
        keeps: &[B, C, D],
        setup: Setup::everyone,
        play: |world| {
            let kinds = ReceiverKind::ALL;
            let kind = kinds.get(world.pick(kinds.len())).copied().unwrap_or(ReceiverKind::Pagerduty);
            Box::pin(crash(world, Where::At(Point::Tell(kind)), 4, CrashAfter))
        },
    },
    Case {
        name: "crash-after-mark",
        keeps: &[B, C, D],
        setup: Setup::everyone,
        play: |world| Box::pin(crash(world, Where::At(Point::Mark), 8, CrashAfter)),
    },
    Case {
        name: "crash-before-delete",
        keeps: &[B, C, D],
        setup: Setup::any,
        play: |world| Box::pin(crash(world, Where::At(Point::Delete), 14, CrashBefore)),
    },
    Case { name: "killed-in-a-storm", keeps: &[A, B, C, D], setup: Setup::any, play: |world| Box::pin(killed(world)) },
];

/// One crash, or two, at a point.
async fn crash(world: &World, at: Where, calls: usize, harm: Harm) -> anyhow::Result<()> {
    for _ in 0..=world.pick(2) {
        world.inject(Fault::once(at, world.pick(calls), harm.clone()));
    }
    world.storm(Storm::default()).await
}

/// Every process goes at some await, again and again.
async fn killed(world: &World) -> anyhow::Result<()> {
    for _ in 0..3 + world.pick(6) {
        let harm = if world.pick(2) == 0 { CrashBefore } else { CrashAfter };
        world.inject(Fault::once(Where::Anywhere, world.pick(60), harm));
    }
    world.storm(Storm { problems: 6, webhooks: 18, ..Storm::default() }).await
}
