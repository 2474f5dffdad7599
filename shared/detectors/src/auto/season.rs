//! What is usual at this time of day: the median of the same time over the last seven days.
//!
//! Invariant: bounded memory, one slot for each interval of seven days; only slots of earlier days are read.
//!
//! - Formula: the median of the points at the same time of day, ± 2 slots, of each of the last seven days.
//! - Slots are as wide as the series' step, at least one minute; of several points in a slot the last one stays.
//! - History: one point of an earlier day. Gaps: an absent slot is left out, never taken as zero.

/// Days that are looked at.
const DAYS: i64 = 7;

/// Slots to either side of the same time of day.
const NEAR_SLOTS: i64 = 2;

/// The narrowest slot.
const SLOT_SECS_MIN: u32 = 60;

const SECS_PER_DAY: i64 = 86_400;

/// The days before.
#[derive(Debug, Clone)]
pub(super) struct Season {
    slot_secs: i64,
    /// The slot's number since the epoch, and its value.
    slots: Vec<(i64, f64)>,
    same: Vec<f64>,
}

impl Season {
    /// For a series of that step.
    pub(super) fn new(step_secs: u32) -> Self {
        let slot_secs = i64::from(step_secs.max(SLOT_SECS_MIN));
        let count = DAYS * SECS_PER_DAY / slot_secs + 2 * NEAR_SLOTS + 2;
        let slots = vec![(i64::MIN, 0.0); usize::try_from(count).unwrap_or(1)];
        Self { slot_secs, slots, same: Vec::new() }
    }

    /// The usual value at this time; `None` where no earlier day has one.
    pub(super) fn usual(&mut self, at_secs: i64) -> Option<f64> {
        self.same.clear();
        for day in 1..=DAYS {
            let then = at_secs.saturating_sub(day * SECS_PER_DAY).div_euclid(self.slot_secs);
            for slot in then.saturating_sub(NEAR_SLOTS)..=then.saturating_add(NEAR_SLOTS) {
                let held = self.slots.get(self.index(slot)).filter(|(held, _)| *held == slot);
                self.same.extend(held.map(|(_, value)| *value));
            }
        }
        median(&mut self.same)
    }

    /// Takes a point in.
    pub(super) fn push(&mut self, at_secs: i64, value: f64) {
        let slot = at_secs.div_euclid(self.slot_secs);
        let index = self.index(slot);
        if let Some(held) = self.slots.get_mut(index) {
            *held = (slot, value);
        }
    }

    fn index(&self, slot: i64) -> usize {
        let count = i64::try_from(self.slots.len()).unwrap_or(1).max(1);
        usize::try_from(slot.rem_euclid(count)).unwrap_or(0)
    }
}

/// The median; of an even count the mean of the two in the middle.
pub(super) fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    if values.is_empty() {
        return None;
    }
    let (below, high, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let high = *high;
    let low = below.iter().copied().max_by(f64::total_cmp).filter(|_| even);
    Some(low.map_or(high, |low| low + (high - low) / 2.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_time_of_earlier_days_is_read_and_today_is_not() {
        let mut season = Season::new(300);
        season.push(0, 5.0);
        assert_eq!(season.usual(3600), None);
        assert_eq!(season.usual(300), None);
        assert_eq!(season.usual(86_400), Some(5.0));
        assert_eq!(season.usual(86_400 + 600), Some(5.0));
        assert_eq!(season.usual(86_400 + 900), None);
        assert_eq!(season.usual(7 * 86_400), Some(5.0));
        assert_eq!(season.usual(8 * 86_400), None);
    }

    #[test]
    fn the_median_is_of_all_days() {
        let mut season = Season::new(300);
        for (day, value) in [(0, 1.0), (1, 9.0), (2, 2.0), (3, 3.0)] {
            season.push(day * 86_400, value);
        }
        assert_eq!(season.usual(4 * 86_400), Some(2.5));
    }

    #[test]
    fn times_at_the_ends_of_the_range_are_slots_too() {
        let mut season = Season::new(1);
        for at in [i64::MIN, i64::MAX, 0] {
            season.push(at, 1.0);
            season.usual(at);
        }
    }
}
