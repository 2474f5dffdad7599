//! Clocks that are wrong.
//!
//! Invariant: time that is wrong by ten minutes, on any machine and in any direction, loses no page and doubles none.

use crate::audit::Invariant::{B, C};
use crate::cases::Case;
use crate::fault::{Fault, Harm, Where};
use crate::setup::Setup;
use crate::storm::Storm;
use crate::world::World;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "clocks-ten-minutes-off",
        keeps: &[B, C],
        setup: |rng| Setup { skew_secs_max: 600, ..Setup::any(rng) },
        play: |world| Box::pin(off(world)),
    },
    Case { name: "clock-backwards", keeps: &[B, C], setup: Setup::any, play: |world| Box::pin(backwards(world)) },
];

async fn off(world: &World) -> anyhow::Result<()> {
    world.wire.strike();
    if world.pick(2) == 0 {
        world.inject(Fault::once(Where::Anywhere, world.pick(60), Harm::CrashAfter));
    }
    world.storm(Storm { ends: false, ..Storm::default() }).await
}

async fn backwards(world: &World) -> anyhow::Result<()> {
    for _ in 0..3 {
        world.storm(Storm { webhooks: 3, ends: false, ..Storm::default() }).await?;
        let secs = i64::try_from(world.pick(600))?;
        world.jump(if world.pick(3) == 0 { secs } else { -secs });
    }
    Ok(())
}
