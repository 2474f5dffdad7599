//! Which transition of a ticket to take.
//!
//! Invariant: reopening never leads to a status that counts as done, closing never to one that does not, unless the
//! config names it.

use serde_json::Value;

use crate::answer::is_name;

/// Names that reopen a ticket where the config names none.
const REOPENING: [&str; 2] = ["To Do", "Reopen"];

/// One way out of the ticket's status.
struct Way<'a> {
    id: &'a str,
    name: &'a str,
    to: &'a str,
    done: bool,
}

/// The id of the transition that reopens: the configured one, else a usual name, else the first to a status not done.
pub(super) fn reopening<'a>(body: &'a Value, configured: Option<&str>) -> Option<&'a str> {
    let ways = ways(body)?;
    let named = |name: &str| ways.iter().find(|w| w.is_called(name));
    let usual = || REOPENING.iter().find_map(|name| named(name).filter(|w| !w.done));
    let way = configured.and_then(named).or_else(usual).or_else(|| ways.iter().find(|w| !w.done));
    way.map(|w| w.id)
}

/// The id of the transition that closes: the configured one and no other, else the first to a status that is done.
pub(super) fn closing<'a>(body: &'a Value, configured: Option<&str>) -> Option<&'a str> {
    let ways = ways(body)?;
    let way = match configured {
        Some(name) => ways.iter().find(|w| w.is_called(name)),
        None => ways.iter().find(|w| w.done),
    };
    way.map(|w| w.id)
}

/// True where the body is a list of transitions, be it empty.
pub(super) fn is_list(body: &Value) -> bool {
    body.get("transitions").is_some_and(Value::is_array)
}

fn ways(body: &Value) -> Option<Vec<Way<'_>>> {
    Some(body.get("transitions")?.as_array()?.iter().filter_map(way).collect())
}

fn way(transition: &Value) -> Option<Way<'_>> {
    let text = |path: &str| transition.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let id = transition.get("id")?.as_str().filter(|id| is_name(id))?;
    Some(Way { id, name: text("/name"), to: text("/to/name"), done: text("/to/statusCategory/key") == "done" })
}

impl Way<'_> {
    fn is_called(&self, name: &str) -> bool {
        let same = |own: &str| own.trim().to_lowercase() == name.trim().to_lowercase();
        same(self.name) || same(self.to)
    }
}
