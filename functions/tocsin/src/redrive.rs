//! `tocsin redrive`: what was given up is tried again, on the table or by a running `tocsin local`.
//!
//! Invariant: whether a delivery is tried again, the pipeline decides: nobody is paged of an incident that is over.

use std::fmt::Write as _;

use anyhow::{Context, anyhow};
use domain::{DeliveryId, IncidentId};
use pipeline::{Redrive, SweepError};
use serde_json::{Value, json};

use crate::cli::RedriveArgs;
use crate::follow::{Place, list, table, word, write, write_json};
use crate::run::Answer;

/// Tries them again and says what became of each.
pub(crate) async fn redrive(args: &RedriveArgs) -> anyhow::Result<Answer> {
    let named = args.ids.iter().map(|text| read_id(text)).collect::<anyhow::Result<Vec<_>>>()?;
    let done = Place::new(&args.place)?.redrive((!args.all).then_some(named.as_slice())).await?;
    let deliveries = list(&done, "deliveries");
    if args.json {
        write_json(&done)?;
    } else {
        let row = |one: &Value| vec![word(&one["id"]), explain(&one["became"]).to_owned()];
        let mut text = table(&["DELIVERY", "NOW"], &deliveries.iter().map(row).collect::<Vec<_>>());
        if let Some(letters) = done.get("letters") {
            let [inbox, removed, left] = ["inbox", "removed", "left"].map(|name| word(&letters[name]));
            writeln!(text, "dead letters: {inbox} back in the inbox, {removed} taken out, {left} left")?;
            if let Some(hidden) = letters["hidden"].as_u64().filter(|hidden| *hidden > 0) {
                writeln!(
                    text,
                    "{hidden} more are hidden, since the sweep has just looked at them: do this again in 15 minutes"
                )?;
            }
        }
        if done["all"] == json!(false) {
            writeln!(
                text,
                "there are more dead deliveries, older than these: name them, as `tocsin deliveries --dead` does"
            )?;
        }
        write(&text)?;
    }
    // Who names a delivery wants that one; of all of them some may be over.
    let sent = deliveries.iter().all(|one| one["became"] == "sent");
    let all_seen = args.all && done["all"] == json!(true) && done["letters"]["hidden"].as_u64() == Some(0);
    Ok(if all_seen || (!args.all && sent) { Answer::Done } else { Answer::No })
}

/// What `POST /api/redrive` answers: what became of these deliveries, or of all that are dead and of the dead letters.
pub(crate) async fn redriven(redrive: &Redrive, named: Option<&[DeliveryId]>) -> Result<Value, SweepError> {
    let one = |id: &DeliveryId, became| json!({ "id": id.to_string(), "incident": id.incident, "became": became });
    let Some(named) = named else {
        let (all, are_all) = redrive.deliveries().await?;
        let deliveries: Vec<Value> = all.iter().map(|(id, became)| one(id, *became)).collect();
        return Ok(json!({ "deliveries": deliveries, "all": are_all, "letters": redrive.letters().await? }));
    };
    let mut deliveries = Vec::new();
    for id in named {
        deliveries.push(one(id, redrive.delivery(id).await?));
    }
    Ok(json!({ "deliveries": deliveries }))
}

/// `incident/receiver/number`, as `tocsin deliveries` names it.
pub(crate) fn read_id(text: &str) -> anyhow::Result<DeliveryId> {
    let parts: Vec<&str> = text.split('/').collect();
    let wrong =
        || anyhow!("{text:?} is no delivery: give it as `tocsin deliveries --dead` names it, INCIDENT/RECEIVER/NUMBER");
    let [incident, receiver, seq] = parts[..] else { return Err(wrong()) };
    let seq = seq.parse().map_err(|_| wrong())?;
    let incident = IncidentId::try_from(incident.to_owned()).with_context(|| format!("{text:?} is no delivery"))?;
    Ok(DeliveryId { incident, receiver: receiver.to_owned(), seq })
}

fn explain(became: &Value) -> &'static str {
    match became.as_str().unwrap_or_default() {
        "sent" => "on its way again",
        "over" => "left: its incident is over, and it would call people for nothing",
        "not_dead" => "left: it is not dead",
        "missing" => "there is no such delivery",
        _ => "unknown to this version",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_read_as_it_is_written() {
        let id = read_id("15c4f1e74e-1-6b043df7/on-call/2").expect("it is one");
        assert_eq!((id.to_string().as_str(), id.seq), ("15c4f1e74e-1-6b043df7/on-call/2", 2));
        for wrong in ["", "a/b", "a/b/c", "a/b/1/2", "a b/c/1", "a/b/-1"] {
            let error = read_id(wrong).expect_err(wrong);
            assert!(format!("{error:#}").contains(wrong), "{error:#}");
        }
    }
}
