//! Times of the week or the year that config gives a name: working hours, a weekly deployment window.
//!
//! Invariant: what counts is the clock on the wall of the interval's time zone, so that daylight saving moves nothing.
//! `to` is the first minute that is outside; a range whose `to` is not after its `from` goes over midnight and belongs to
//! the day on which it begins.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// Days for which the next change is looked for.
const DAYS_MAX: i32 = 800;

/// Named times.
#[derive(Debug, Clone, PartialEq)]
pub struct Interval {
    /// Its name in config.
    pub name: String,
    /// Whose clock.
    pub time_zone: TimeZone,
    /// It is one of these.
    pub times: Vec<Times>,
}

/// Days, and a part of each. What is absent does not narrow it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Times {
    /// The first minute.
    pub from: Option<Time>,
    /// The first minute after; `None`: midnight.
    pub to: Option<Time>,
    /// Days of the week, Monday first.
    pub weekdays: Option<[bool; 7]>,
    /// Days of the month, both included; -1 is the last one.
    pub days_of_month: Vec<(i8, i8)>,
    /// Months from 1 to 12, both included.
    pub months: Vec<(i8, i8)>,
    /// Years, both included.
    pub years: Vec<(i16, i16)>,
}

impl Interval {
    /// Whether a moment is in it.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        let local = at.to_zoned(self.time_zone.clone());
        self.times.iter().any(|times| times.contains(local.date(), local.time()))
    }

    /// When it begins or ends next; `None` where it does not within two years.
    #[must_use]
    pub fn next_change(&self, at: Timestamp) -> Option<Timestamp> {
        let inside = self.contains(at);
        let today = at.to_zoned(self.time_zone.clone()).date();
        (0..DAYS_MAX).find_map(|days| {
            let date = today.checked_add(Span::new().try_days(days).ok()?).ok()?;
            self.turns(date).into_iter().find(|turn| *turn > at && self.contains(*turn) != inside)
        })
    }

    /// The moments of a day at which something may change, in order: a time that the clock shows twice is two of them, and
    /// where the clock jumps is one.
    fn turns(&self, date: Date) -> Vec<Timestamp> {
        let ends = self.times.iter().flat_map(|times| [times.from, times.to]).flatten();
        let on = |time: Time| {
            let at = self.time_zone.to_ambiguous_timestamp(date.to_datetime(time));
            [at.earlier(), at.later()]
        };
        let mut turns: Vec<Timestamp> =
            std::iter::once(Time::midnight()).chain(ends).flat_map(on).filter_map(Result::ok).collect();
        turns.extend(self.jumps(date));
        turns.sort_unstable();
        turns
    }

    /// When the clock is set on that day.
    fn jumps(&self, date: Date) -> impl Iterator<Item = Timestamp> {
        let day_of = |at: Timestamp| at.to_zoned(self.time_zone.clone()).date();
        let before = date.yesterday().ok().and_then(|date| date.to_zoned(self.time_zone.clone()).ok());
        let jumps = before.into_iter().flat_map(|before| self.time_zone.following(before.timestamp()));
        let jumps = jumps.map(|jump| jump.timestamp());
        jumps.take_while(move |at| day_of(*at) <= date).filter(move |at| day_of(*at) == date)
    }
}

impl Times {
    fn contains(&self, date: Date, time: Time) -> bool {
        let from = self.from.unwrap_or(Time::midnight());
        match self.to {
            None => time >= from && self.has_day(date),
            Some(to) if from < to => from <= time && time < to && self.has_day(date),
            Some(to) => {
                let of_yesterday = || date.yesterday().is_ok_and(|yesterday| self.has_day(yesterday));
                (time >= from && self.has_day(date)) || (time < to && of_yesterday())
            }
        }
    }

    fn has_day(&self, date: Date) -> bool {
        let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or_default();
        let day = |bound: i8| if bound < 0 { date.days_in_month() + 1 + bound } else { bound };
        self.weekdays.is_none_or(|days| days[weekday])
            && any(&self.days_of_month, |(first, last)| (day(first)..=day(last)).contains(&date.day()))
            && any(&self.months, |(first, last)| (first..=last).contains(&date.month()))
            && any(&self.years, |(first, last)| (first..=last).contains(&date.year()))
    }
}

/// True for an empty list, which does not narrow.
fn any<T: Copy>(ranges: &[T], holds: impl Fn(T) -> bool) -> bool {
    ranges.is_empty() || ranges.iter().any(|range| holds(*range))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(zone: &str, times: Times) -> Interval {
        Interval { name: "it".to_owned(), time_zone: TimeZone::get(zone).unwrap(), times: vec![times] }
    }

    fn clock(hour: i8) -> Time {
        Time::new(hour, 0, 0, 0).unwrap()
    }

    fn working_hours() -> Interval {
        let weekdays = Some([true, true, true, true, true, false, false]);
        interval("Europe/Berlin", Times { from: Some(clock(9)), to: Some(clock(17)), weekdays, ..Times::default() })
    }

    fn check(interval: &Interval, at: &str, contains: bool, next: &str) {
        let at: Timestamp = at.parse().unwrap();
        assert_eq!(interval.contains(at), contains, "{at}");
        assert_eq!(interval.next_change(at), Some(next.parse().unwrap()), "after {at}");
    }

    #[test]
    fn working_hours_are_those_of_the_wall_clock_in_summer_and_in_winter() {
        // Friday in winter (+1) and in summer (+2), then over a weekend on which the clock goes forward.
        check(&working_hours(), "2026-01-16T07:59:59Z", false, "2026-01-16T08:00:00Z");
        check(&working_hours(), "2026-01-16T08:00:00Z", true, "2026-01-16T16:00:00Z");
        check(&working_hours(), "2026-07-17T07:00:00Z", true, "2026-07-17T15:00:00Z");
        check(&working_hours(), "2026-03-27T16:00:00Z", false, "2026-03-30T07:00:00Z");
        check(&working_hours(), "2026-10-23T15:00:00Z", false, "2026-10-26T08:00:00Z");
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        let weekdays = Some([false, false, false, false, true, false, false]);
        let night = interval("UTC", Times { from: Some(clock(22)), to: Some(clock(6)), weekdays, ..Times::default() });
        check(&night, "2026-01-16T21:59:00Z", false, "2026-01-16T22:00:00Z");
        check(&night, "2026-01-16T23:00:00Z", true, "2026-01-17T06:00:00Z");
        check(&night, "2026-01-17T05:59:00Z", true, "2026-01-17T06:00:00Z");
        check(&night, "2026-01-17T22:30:00Z", false, "2026-01-23T22:00:00Z");
        check(&night, "2026-01-16T05:00:00Z", false, "2026-01-16T22:00:00Z");
    }

    #[test]
    fn an_hour_that_the_clock_skips_or_repeats_is_no_trap() {
        let hour = interval("Europe/Berlin", Times { from: Some(clock(2)), to: Some(clock(3)), ..Times::default() });
        // 2026-03-29: 01:59:59 is followed by 03:00.
        assert!(!hour.contains("2026-03-29T00:59:59Z".parse().unwrap()));
        assert!(!hour.contains("2026-03-29T01:00:00Z".parse().unwrap()));
        // 2026-10-25: the hour comes twice.
        assert!(hour.contains("2026-10-25T00:30:00Z".parse().unwrap()));
        assert!(hour.contains("2026-10-25T01:30:00Z".parse().unwrap()));
        assert!(!hour.contains("2026-10-25T02:00:00Z".parse().unwrap()));
    }

    #[test]
    fn what_ends_in_an_hour_that_the_clock_skips_or_repeats_ends_with_it() {
        let half_past_two = Time::new(2, 30, 0, 0).unwrap();
        let night = Times { from: Some(clock(22)), to: Some(half_past_two), ..Times::default() };
        let night = interval("Europe/Berlin", night);
        // 01:30, then 03:00 at once.
        check(&night, "2026-03-29T00:30:00Z", true, "2026-03-29T01:00:00Z");
        check(&night, "2026-03-29T01:00:00Z", false, "2026-03-29T20:00:00Z");
        // 02:10, 02:40, then 02:00 again.
        check(&night, "2026-10-25T00:10:00Z", true, "2026-10-25T00:30:00Z");
        check(&night, "2026-10-25T00:40:00Z", false, "2026-10-25T01:00:00Z");
        check(&night, "2026-10-25T01:10:00Z", true, "2026-10-25T01:30:00Z");
        check(&night, "2026-10-25T01:30:00Z", false, "2026-10-25T21:00:00Z");
    }

    #[test]
    fn days_of_the_month_count_from_either_end() {
        let last_days = Times { days_of_month: vec![(-3, -1)], ..Times::default() };
        check(&interval("UTC", last_days.clone()), "2026-02-25T12:00:00Z", false, "2026-02-26T00:00:00Z");
        check(&interval("UTC", last_days), "2028-02-29T12:00:00Z", true, "2028-03-01T00:00:00Z");
        let december = Times { months: vec![(12, 12)], years: vec![(2026, 2026)], ..Times::default() };
        check(&interval("UTC", december), "2026-11-26T00:00:00Z", false, "2026-12-01T00:00:00Z");
    }

    #[test]
    fn what_never_ends_has_no_next_change() {
        let always = interval("UTC", Times::default());
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        assert!(always.contains(now));
        assert_eq!(always.next_change(now), None);
    }
}
