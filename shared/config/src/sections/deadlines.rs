//! `deadlines:` how long the steps before a page may take.
//!
//! Invariant: no step is without time, and none holds a page back for longer than 20 s.

use crate::Deadlines;
use crate::duration::Bounds;
use crate::fields::Fields;
use crate::reader::Value;

/// Each deadline's bounds and default.
const BOUNDS: Bounds = Bounds { secs_min: 1, secs_max: 20 };
const DEFAULT_SECS: u64 = 5;

pub(crate) fn read(root: &Fields<'_>) -> Option<Deadlines> {
    let defaults = Deadlines { confirm_secs: DEFAULT_SECS, enrich_secs: DEFAULT_SECS };
    root.or("deadlines", defaults, |value| {
        let fields = value.fields(&["confirm", "enrich"])?;
        let read = |value: &Value<'_>| value.duration(BOUNDS);
        let confirm = fields.or("confirm", DEFAULT_SECS, read);
        let enrich = fields.or("enrich", DEFAULT_SECS, read);
        Some(Deadlines { confirm_secs: confirm?, enrich_secs: enrich? })
    })
}
