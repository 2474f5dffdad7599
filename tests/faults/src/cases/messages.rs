//! Queues deliver twice, late, in vain, or what nobody can read; a send is taken and not answered.
//!
//! Invariant: a message's second coming changes nothing, and no message takes another one with it.

use domain::ReceiverKind;

use crate::audit::Invariant::{A, B, C, D, E};
use crate::cases::Case;
use crate::fault::{Fault, Harm, Point, Where};
use crate::process::Role;
use crate::setup::Setup;
use crate::storm::{Storm, problem};
use crate::webhook::{SentWith, payload};
use crate::world::World;

/// The largest body that is taken, in bytes.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

pub(super) const CASES: &[Case] = &[
    Case { name: "message-twice", keeps: &[C, D], setup: Setup::any, play: |world| Box::pin(twice(world)) },
    Case { name: "message-twice-at-once", keeps: &[C, D], setup: Setup::any, play: |world| Box::pin(at_once(world)) },
    Case {
        name: "send-timed-out-but-sent",
        keeps: &[A, C],
        setup: Setup::any,
        play: |world| Box::pin(sent_unanswered(world)),
    },
    Case { name: "event-source-throttled", keeps: &[D], setup: few_receives, play: |world| Box::pin(throttled(world)) },
    Case { name: "poison-in-a-batch-of-ten", keeps: &[D], setup: few_receives, play: |world| Box::pin(poison(world)) },
    Case {
        name: "redrive-after-days",
        keeps: &[C, E],
        setup: |rng| Setup { inbox_receives_max: Some(2), ..Setup::any(rng) },
        play: |world| Box::pin(redriven(world)),
    },
    Case { name: "message-of-900-kb", keeps: &[A, D], setup: Setup::any, play: |world| Box::pin(large(world)) },
    Case { name: "multibyte-cut", keeps: &[A, D], setup: Setup::any, play: |world| Box::pin(multibyte(world)) },
];

fn few_receives(rng: &mut fastrand::Rng) -> Setup {
    Setup { inbox_receives_max: Some(rng.u32(4..8)), ..Setup::any(rng) }
}

async fn twice(world: &World) -> anyhow::Result<()> {
    for _ in 0..2 {
        world.storm(Storm { webhooks: 5, ..Storm::default() }).await?;
        world.rest().await?;
        for (role, _) in world.taken() {
            world.copy(role).await?;
        }
        world.work(3).await?;
    }
    Ok(())
}

async fn at_once(world: &World) -> anyhow::Result<()> {
    for number in 0..4 {
        world.fire(&problem(number % 3)).await;
        world.copy(Role::Triage).await?;
        world.round().await?;
        for (role, _) in world.taken() {
            world.copy(role).await?;
        }
        world.round().await?;
    }
    world.storm(Storm { webhooks: 4, ..Storm::default() }).await
}

async fn sent_unanswered(world: &World) -> anyhow::Result<()> {
    for _ in 0..=world.pick(3) {
        let point = if world.pick(3) == 0 { Point::DeliverySend } else { Point::InboxSend };
        let harm = if world.pick(2) == 0 { Harm::HangAfter } else { Harm::LoseAnswer };
        let fault = Fault::times(Where::At(point), 1 + world.pick(4), harm);
        world.inject(Fault { skip: world.pick(4), ..fault });
    }
    world.storm(Storm::default()).await
}

async fn throttled(world: &World) -> anyhow::Result<()> {
    world.storm(Storm { webhooks: 4, ..Storm::default() }).await?;
    let receives_max = world.setup.inbox_receives_max.unwrap_or(4) as usize;
    for number in 0..2 {
        world.fire(&problem(number)).await;
        for _ in 0..world.pick(receives_max) {
            world.hand_out_in_vain().await?;
            world.pass(181).await;
        }
    }
    world.fire(&problem(3)).await;
    Ok(())
}

/// Nine messages and one that nobody can read come in one batch.
async fn poison(world: &World) -> anyhow::Result<()> {
    for number in 0..9 {
        world.fire(&problem(number)).await;
    }
    let bodies = ["{", "", "null", r#"{"kind":"alerts","items":[{}]}"#, r#"{"kind":"other"}"#, "\u{1f4a5}"];
    let body = bodies.get(world.pick(bodies.len())).copied().filter(|body| !body.is_empty()).unwrap_or("[]");
    world.put(world.inbox()?, body.to_owned()).await?;
    world.rest().await?;
    let pages = world.vendors.pagerduty.alerts().len();
    world.require(D, pages == 9, format!("of nine good alerts beside a bad one {pages} paged"));
    let dead = format!("{}-dead", world.inbox()?);
    let letters = world.held(&dead).await?;
    world.require(D, letters == 1, format!("the unreadable message is {letters} dead letters"));
    Ok(())
}

/// The table was away until alerts were dead letters; days later they are put back.
async fn redriven(world: &World) -> anyhow::Result<()> {
    let names: Vec<String> = (0..3).map(problem).collect();
    if world.pick(2) == 0 {
        world.inject(Fault::times(Where::Vendor(ReceiverKind::Pagerduty), 1 + world.pick(2), Harm::Status(400)));
    }
    world.inject(Fault::for_secs(Where::Table, 700, Harm::Unreachable));
    for name in &names {
        world.fire(name).await;
        if world.pick(3) == 0 {
            world.clear(name).await;
        }
    }
    world.work_until(720).await?;
    for name in names.iter().take(world.pick(3)) {
        world.fire(name).await;
        world.rest().await?;
        if world.pick(2) == 0 {
            world.clear(name).await;
            world.rest().await?;
        }
    }
    world.jump(86_400 * (1 + i64::try_from(world.pick(4))?));
    world.redrive().await?;
    world.rest().await?;
    let left = world.redrive().await?;
    world.require(B, left == 0, format!("{left} messages are dead letters again"));
    Ok(())
}

/// A body of 900 KB arrives, as the largest that is taken does; one that is larger is refused before anything is called.
async fn large(world: &World) -> anyhow::Result<()> {
    world.wire.strike();
    let mut body = payload(&problem(0), true);
    body["notes"] = "x".repeat(BODY_BYTES_MAX).into();
    let status = world.post(&problem(0), true, &body, SentWith::Old).await;
    world.require(A, status == 413, format!("a body of more than 4 MiB is answered with {status}"));
    world.require(A, world.wire.inbox_bodies().is_empty(), "a body that was refused is in the inbox");
    body["notes"] = "y".repeat(900_000 + world.pick(50_000)).into();
    let status = world.post(&problem(0), true, &body, SentWith::Old).await;
    world.require(A, status == 202, format!("a body of 900 KB is answered with {status}"));
    world.storm(Storm { webhooks: 4, ..Storm::default() }).await
}

/// Texts that are cut end between characters, whatever their width.
async fn multibyte(world: &World) -> anyhow::Result<()> {
    let wide = ["\u{1f4a5}", "é", "漢", "a\u{301}", "\u{202e}", "👩‍👩‍👧‍👦"];
    world.wire.strike();
    for number in 0..4 {
        let text = |most: usize| {
            let unit = wide.get(world.pick(wide.len())).copied().unwrap_or("é");
            format!("{}{}", "x".repeat(world.pick(7)), unit.repeat(1 + world.pick(most)))
        };
        let mut body = payload(&problem(number), true);
        body["monitor"]["name"] = text(3000).into();
        body["labels"]["endpoint"] = text(400).into();
        body["labels"]["note"] = text(3000).into();
        let status = world.post(&problem(number), true, &body, SentWith::Old).await;
        world.require(A, status == 202 || status == 400, format!("a wide text is answered with {status}"));
        world.work(3).await?;
    }
    world.rest().await?;
    for kind in ReceiverKind::ALL {
        let refused = world.dead(kind).await?;
        world.require(D, refused == 0, format!("{refused} deliveries to {} were refused", kind.as_str()));
    }
    Ok(())
}
