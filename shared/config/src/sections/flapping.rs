//! `flapping:` – how many changes of state within how long are too many.
//!
//! Invariant: an episode that opens and ends once never flaps: that is two changes.

use domain::{CHANGES_MAX, Flapping};

use crate::duration::Bounds;
use crate::reader::Value;

/// Changes: the least; the most is what an incident remembers.
const CHANGES_MIN: u64 = 3;

/// The window: bounds.
const WITHIN: Bounds = Bounds { secs_min: 60, secs_max: 86_400 };

pub(super) fn read(value: &Value<'_>) -> Option<Flapping> {
    let fields = value.fields(&["changes", "within"])?;
    let changes = fields.required("changes", |value| value.whole(CHANGES_MIN, CHANGES_MAX as u64));
    let within = fields.required("within", |value| value.duration(WITHIN));
    Some(Flapping { changes: usize::try_from(changes?).ok()?, within_secs: within? })
}
