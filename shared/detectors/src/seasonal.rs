//! The same time of day over the last days.
//!
//! Invariant: it holds 7 days of slots, of a minute at least, and forgets by time: a slot is read only as what it was.

/// Days that are held.
const DAYS: i64 = 7;

const DAY_SECS: i64 = 86_400;

/// Slots that are looked at to either side of the same time of day.
const SLOTS_ASIDE: i64 = 2;

/// Slots of a day below which its neighbours are no longer the same time of day.
const DAY_SLOTS_MIN: i64 = 12;

/// Days that must have a value.
const DAYS_MIN: usize = 2;

/// The last value of each slot.
#[derive(Debug)]
pub(crate) struct Seasonal {
    slot_secs: i64,
    /// Slot number and value, at the slot number modulo the length.
    slots: Vec<Option<(i64, f64)>>,
}

impl Seasonal {
    /// For points of that step; steps below a minute share a slot.
    pub(crate) fn new(step_secs: u32) -> Self {
        let slot_secs = slot_secs(step_secs);
        let slots = usize::try_from(DAYS * DAY_SECS / slot_secs + SLOTS_ASIDE + 2).unwrap_or(1);
        Self { slot_secs, slots: vec![None; slots] }
    }

    pub(crate) fn push(&mut self, at_secs: i64, value: f64) {
        let slot = at_secs.div_euclid(self.slot_secs);
        if let Some(held) = self.index(slot).and_then(|index| self.slots.get_mut(index)) {
            *held = Some((slot, value));
        }
    }

    /// The median of the same time of day, two slots to either side included; `None` where fewer than two days have a
    /// value, or a day has no two slots.
    pub(crate) fn median(&self, at_secs: i64) -> Option<f64> {
        self.median_of(at_secs, DAYS_MIN)
    }

    /// The same where so many days have a value.
    pub(crate) fn median_of(&self, at_secs: i64, days_min: usize) -> Option<f64> {
        let day_slots = DAY_SECS / self.slot_secs;
        if day_slots < 2 {
            return None;
        }
        let aside = if day_slots < DAY_SLOTS_MIN { 0 } else { SLOTS_ASIDE };
        let mut values = Vec::with_capacity(35);
        let mut days = 0;
        for day in 1..=DAYS {
            let middle = (at_secs - day * DAY_SECS).div_euclid(self.slot_secs);
            let before = values.len();
            values.extend((middle - aside..=middle + aside).filter_map(|slot| self.at(slot)));
            days += usize::from(values.len() > before);
        }
        if days < days_min || values.is_empty() {
            return None;
        }
        values.sort_by(f64::total_cmp);
        let (lower, upper) = (values.get((values.len() - 1) / 2)?, values.get(values.len() / 2)?);
        Some(lower + (upper - lower) / 2.0)
    }

    fn at(&self, slot: i64) -> Option<f64> {
        let held = (*self.slots.get(self.index(slot)?)?)?;
        (held.0 == slot).then_some(held.1)
    }

    fn index(&self, slot: i64) -> Option<usize> {
        let length = i64::try_from(self.slots.len()).ok()?;
        usize::try_from(slot.rem_euclid(length)).ok()
    }
}

/// Width of a slot: the step, a minute at least.
pub(crate) fn slot_secs(step_secs: u32) -> i64 {
    i64::from(step_secs.max(60))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60;

    #[test]
    fn it_is_the_median_of_the_same_time_of_day() {
        let mut seasonal = Seasonal::new(60);
        for (day, level) in [(0, 10.0), (1, 30.0), (2, 20.0)] {
            for slot in -9..=9 {
                let value = if i64::abs(slot) <= 2 { level } else { 1000.0 };
                seasonal.push(day * DAY_SECS + slot * MINUTE + 50_000, value);
            }
        }
        assert_eq!(seasonal.median(3 * DAY_SECS + 50_000), Some(20.0));
        assert_eq!(seasonal.median(2 * DAY_SECS + 50_000), Some(20.0), "between the two days before");
        assert_eq!(seasonal.median(DAY_SECS + 50_000), None, "one day is no season");
        assert_eq!(seasonal.median(9 * DAY_SECS + 50_000), None, "only one of the last seven days");
    }

    #[test]
    fn a_step_of_a_day_has_no_time_of_day() {
        let mut seasonal = Seasonal::new(86_400);
        (0..9).for_each(|day| seasonal.push(day * DAY_SECS, 1.0));
        assert_eq!(seasonal.median(9 * DAY_SECS), None);
    }
}
