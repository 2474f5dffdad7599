//! Durations as people write them: `30s`, `5m`, `1h30m`, `2d`.
//!
//! Invariant: units stand from large to small, each at most once; the result is whole seconds inside named bounds.

/// The shortest and longest that a field allows, in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Seconds, at least.
    pub(crate) secs_min: u64,
    /// Seconds, at most.
    pub(crate) secs_max: u64,
}

/// Units and their seconds, large to small.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];

/// Seconds of a duration; `None` where it is none or overflows.
pub(crate) fn parse_secs(text: &str) -> Option<u64> {
    let mut secs: u64 = 0;
    let mut rest = text;
    let mut units = UNITS.iter();
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (digits, tail) = rest.split_at_checked(end)?;
        let unit = tail.chars().next()?;
        let (_, unit_secs) = units.find(|(name, _)| *name == unit)?;
        secs = secs.checked_add(digits.parse::<u64>().ok()?.checked_mul(*unit_secs)?)?;
        rest = tail.strip_prefix(unit)?;
    }
    (!text.is_empty()).then_some(secs)
}

/// Seconds of a duration as the config's are written.
///
/// # Errors
/// Says how one is written.
pub fn duration_secs(text: &str) -> Result<u64, String> {
    parse_secs(text).ok_or_else(|| format!("`{text}` is no duration: write for instance 30s, 5m, 1h30m or 2d"))
}

/// Seconds as a duration is written.
pub(crate) fn format_secs(secs: u64) -> String {
    let mut text = String::new();
    let mut rest = secs;
    for (unit, unit_secs) in UNITS {
        if rest >= unit_secs {
            text = format!("{text}{}{unit}", rest / unit_secs);
            rest %= unit_secs;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, expected) in [
            ("0s", Some(0)),
            ("30s", Some(30)),
            ("5m", Some(300)),
            ("1h30m", Some(5400)),
            ("2d", Some(172_800)),
            ("1d2h3m4s", Some(93_784)),
            ("90m", Some(5400)),
            ("", None),
            ("5", None),
            ("m", None),
            ("5 m", None),
            ("-5m", None),
            ("1.5h", None),
            ("5m1h", None),
            ("5m5m", None),
            ("5w", None),
            ("5M", None),
            ("5mé", None),
            ("18446744073709551615s", Some(u64::MAX)),
            ("18446744073709551616s", None),
            ("999999999999999999d", None),
        ] {
            assert_eq!(parse_secs(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for secs in [0, 1, 59, 60, 3600, 5400, 86_399, 86_400, 93_784] {
            assert_eq!(parse_secs(&format_secs(secs)), Some(secs));
        }
    }
}
