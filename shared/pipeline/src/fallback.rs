//! Whom people hear from when a receiver cannot tell them.
//!
//! Invariant: a call for help that will never reach its receiver has, before it is marked so, a delivery to each
//! `fallback` of the config, of the same number: told once, however often this runs. Who is called is told of the end
//! too, also where that came first. What stands in for another is not itself replaced, and an end or an update calls nobody.

use config::Config;
use domain::{Delivery, DeliveryId, Gap, Notification, Timestamp, Transition};
use receivers::Receiver;

use crate::dispatch::send_deliveries;
use crate::ports::{IncidentStore, Queue};
use crate::{DeliveryMessage, SweepError};

/// Writes and sends the deliveries that stand in for a dead one.
pub(crate) async fn tell_others(
    config: &Config,
    store: &dyn IncidentStore,
    queue: &dyn Queue,
    dead: &Delivery,
    told: &Notification,
    now: Timestamp,
) -> Result<(), SweepError> {
    let calls = !matches!(dead.transition, Transition::Resolved | Transition::Updated);
    if !calls || dead.in_place_of.is_some() {
        return Ok(());
    }
    let why = dead.answer.clone().unwrap_or_else(|| "it was handed out too often without coming to an end".to_owned());
    let gap = Gap::new(format!("told by {}", dead.id.receiver), why);
    let others = config.fallback.iter().filter(|name| **name != dead.id.receiver);
    let others: Vec<&Receiver> = others.filter_map(|name| config.receiver(name)).collect();
    tell(store, queue, &others, dead, told, &gap, now).await?;
    // What ends from now on is told to whoever has a delivery by now.
    let later = store.deliveries(&dead.id.incident, Some(&dead.id.receiver)).await?;
    let end = later.iter().find(|later| later.transition == Transition::Resolved && later.id.seq > dead.id.seq);
    if let Some(end) = end
        && let Some(words) = store.notification(&end.id.incident, end.id.seq).await?
    {
        tell(store, queue, &others, end, &words, &gap, now).await?;
    }
    Ok(())
}

/// Tells these receivers in place of one.
async fn tell(
    store: &dyn IncidentStore,
    queue: &dyn Queue,
    others: &[&Receiver],
    untold: &Delivery,
    told: &Notification,
    gap: &Gap,
    now: Timestamp,
) -> Result<(), SweepError> {
    for receiver in others {
        let id = DeliveryId { receiver: receiver.name.clone(), ..untold.id.clone() };
        let delivery = Delivery {
            in_place_of: Some(gap.clone()),
            ..Delivery::pending(id, receiver.kind(), untold.transition, now)
        };
        store.add_delivery(&delivery, told).await?;
        send_deliveries(queue, &[delivery], |delivery| DeliveryMessage::of(delivery.id.clone())).await?;
    }
    Ok(())
}
