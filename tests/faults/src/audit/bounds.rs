//! G: what one event may cost.
//!
//! Invariant: a bound counts everything that was sent, what failed and what came twice included.

use std::collections::BTreeMap;

use super::{Found, Invariant, Violation};
use crate::fault::Point;

/// Largest request to the table: four writes of what an item may hold, 400 KB.
const TABLE_BYTES_MAX: usize = 1_600_000;

/// Largest request to a queue: 256 KiB and its envelope in JSON, whose escapes may double it.
const QUEUE_BYTES_MAX: usize = 2 * 256 * 1024;

/// Largest request to a vendor: `PagerDuty` takes 512 KB.
const VENDOR_BYTES_MAX: usize = 512_000;

/// AWS calls for one call of a function, and for each message that the world ever had.
const CALLS_MAX: usize = 40;

/// Times that a vendor is told of one thing: a delivery has an end.
const TELLS_MAX: usize = 320;

pub(super) fn check(found: &Found<'_>, violations: &mut Vec<Violation>) {
    let mut wrong = |what: String| violations.push(Violation { invariant: Invariant::G, what });
    for record in &found.log {
        let bytes_max = match record.point {
            Point::Tell(_) | Point::Ask(_) => VENDOR_BYTES_MAX,
            point if point.is_table() => TABLE_BYTES_MAX,
            _ => QUEUE_BYTES_MAX,
        };
        if record.bytes > bytes_max {
            wrong(format!("{:?} of {} has {} bytes", record.point, record.subject, record.bytes));
        }
    }
    let begun = found.log.iter().filter(|record| record.point == Point::Received).count();
    let calls = found.log.iter().filter(|r| r.point != Point::Received && !r.point.is_vendor()).count();
    let calls_max = CALLS_MAX * (begun + found.heard.len() + 1);
    if calls > calls_max {
        wrong(format!("{begun} calls of functions made {calls} AWS calls; {calls_max} are the bound"));
    }
    let mut tells: BTreeMap<(Point, &str), usize> = BTreeMap::new();
    for record in found.log.iter().filter(|r| matches!(r.point, Point::Tell(_)) && !r.subject.is_empty()) {
        *tells.entry((record.point, &record.subject)).or_default() += 1;
    }
    for ((point, subject), times) in tells.into_iter().filter(|(_, times)| *times > TELLS_MAX) {
        wrong(format!("{point:?} of {subject} was made {times} times"));
    }
    let timed_out = found.world.timed_out.get();
    if timed_out > 0 {
        wrong(format!("Lambda had to end {timed_out} calls of functions at their timeout"));
    }
}
