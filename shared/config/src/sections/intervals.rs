//! `time_intervals:` – times of the week or the year under a name.
//!
//! Invariant: a time zone is one of the IANA database, which is part of the binary; a range that could never hold is a
//! mistake.

use domain::{Interval, Times};
use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::shared::check_name;
use crate::mistake::choose;
use crate::reader::{Value, all};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Every interval of the file.
pub(super) fn read(value: &Value<'_>) -> Option<Vec<Interval>> {
    all(value.entries()?.iter().map(|(name, value)| {
        let named = check_name(value, name);
        let fields = value.fields(&["time_zone", "times"])?;
        let time_zone = fields.or("time_zone", TimeZone::UTC, time_zone);
        let times = fields.required("times", |value| all(value.one_or_more()?.iter().map(times)));
        named?;
        Some(Interval { name: name.clone(), time_zone: time_zone?, times: times? })
    }))
}

/// One interval or several, by name.
pub(super) fn named(value: &Value<'_>, known: Option<&[Interval]>) -> Option<Vec<Interval>> {
    let names = all(value.one_or_more()?.iter().map(|item| Some((item.clone(), item.text()?))))?;
    let Some(known) = known else { return Some(Vec::new()) };
    let all_names: Vec<&str> = known.iter().map(|interval| interval.name.as_str()).collect();
    all(names.into_iter().map(|(item, name)| {
        let found = known.iter().find(|interval| interval.name == name).cloned();
        let what = format!("there is no time interval `{name}`");
        found.or_else(|| item.fail(what, format!("{} (time_intervals)", choose(&name, &all_names))))
    }))
}

fn time_zone(value: &Value<'_>) -> Option<TimeZone> {
    let name = value.text()?;
    let found = TimeZone::get(&name).ok();
    found.or_else(|| value.fail(format!("there is no time zone `{name}`"), "write for instance Europe/Berlin or UTC"))
}

fn times(value: &Value<'_>) -> Option<Times> {
    let fields = value.fields(&["days", "from", "to", "days_of_month", "months", "years"])?;
    let weekdays = fields.optional("days", weekdays);
    let from = fields.optional("from", clock);
    let to = fields.or("to", None, until);
    let days_of_month = fields.or("days_of_month", Vec::new(), days_of_month);
    let months = fields.or("months", Vec::new(), months);
    let years = fields.or("years", Vec::new(), |value| ranges(value, |text| text.parse().ok(), "2026 or 2026-2027"));
    Some(Times {
        from: from?,
        to: to?,
        weekdays: weekdays?,
        days_of_month: days_of_month?,
        months: months?,
        years: years?,
    })
}

fn clock(value: &Value<'_>) -> Option<Time> {
    let text = value.text()?;
    let parse = || {
        let (hour, minute) = text.split_once(':')?;
        let digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        let fits = digits(hour) && digits(minute);
        fits.then(|| Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()).flatten()
    };
    parse().or_else(|| value.fail(format!("`{text}` is no time of day"), "write for instance \"09:00\", in quotes"))
}

/// `"24:00"` is the end of the day.
fn until(value: &Value<'_>) -> Option<Option<Time>> {
    if value.scalar_text() == Some("24:00") { Some(None) } else { clock(value).map(Some) }
}

fn weekdays(value: &Value<'_>) -> Option<[bool; 7]> {
    let mut days = [false; 7];
    for (first, last) in ranges(value, |text| position(&DAYS, text), "mon or mon-fri")? {
        for (index, day) in days.iter_mut().enumerate() {
            *day |= (first..=last).contains(&index);
        }
    }
    Some(days)
}

fn months(value: &Value<'_>) -> Option<Vec<(i8, i8)>> {
    let number = |text: &str| {
        let named = position(&MONTHS, text).map(|index| index + 1);
        let number = named.or_else(|| text.parse().ok()).filter(|month| (1..=12).contains(month))?;
        i8::try_from(number).ok()
    };
    ranges(value, number, "dec, 12 or jun-aug")
}

fn position(names: &[&str], text: &str) -> Option<usize> {
    names.iter().position(|name| *name == text)
}

/// `1`, `1-5`, and counted from the month's end `-1`, `-3--1`.
fn days_of_month(value: &Value<'_>) -> Option<Vec<(i8, i8)>> {
    let day = |text: &str| text.parse::<i8>().ok().filter(|day| *day != 0 && (-31..=31).contains(day));
    all(value.one_or_more()?.iter().map(|item| {
        let text = item.text_or_number()?;
        // The dash between two days is the first that is not a sign.
        let dash = text.char_indices().skip(1).find(|(_, c)| *c == '-').map(|(at, _)| at);
        let (first, last) = dash.map_or((text.as_str(), text.as_str()), |at| (&text[..at], &text[at + 1..]));
        match (day(first), day(last)) {
            (Some(first), Some(last)) if (first < 0) != (last < 0) || first <= last => Some((first, last)),
            _ => item.fail(format!("`{text}` is no day of the month"), "write for instance 1, 1-5 or -1 for the last"),
        }
    }))
}

fn ranges<T: PartialOrd + Copy>(
    value: &Value<'_>,
    parse: impl Fn(&str) -> Option<T>,
    example: &str,
) -> Option<Vec<(T, T)>> {
    all(value.one_or_more()?.iter().map(|item| {
        let text = item.text_or_number()?;
        let (first, last) = text.split_once('-').unwrap_or((&text, &text));
        match (parse(first), parse(last)) {
            (Some(first), Some(last)) if first <= last => Some((first, last)),
            _ => item.fail(format!("`{text}` does not fit here"), format!("write for instance {example}")),
        }
    }))
}
