//! Numbers, spans and times as people read them.
//!
//! Invariant: four significant digits, never a trailing zero, never a panic on any float.

use domain::Timestamp;

/// Lowest absolute value for which so many digits stand after the point.
const DIGITS_AFTER_POINT: [(f64, usize); 8] =
    [(1000.0, 0), (100.0, 1), (10.0, 2), (1.0, 3), (0.1, 4), (0.01, 5), (0.001, 6), (0.0001, 7)];

/// A metric's value: `8.213`, `12346`, `0.00042`, `1.5e-7`.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        return "0".to_owned();
    }
    if !value.is_finite() {
        return "not a number".to_owned();
    }
    match DIGITS_AFTER_POINT.iter().find(|(least, _)| size >= *least) {
        Some((_, digits)) if size < 1e15 => without_trailing_zeros(&format!("{value:.digits$}")),
        _ => scientific(value),
    }
}

fn scientific(value: f64) -> String {
    let text = format!("{value:.3e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => format!("{}e{exponent}", without_trailing_zeros(mantissa)),
        None => text,
    }
}

fn without_trailing_zeros(text: &str) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
}

/// A span of seconds: `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`.
pub(crate) fn duration(secs: i64) -> String {
    let secs = secs.max(0);
    let (minutes, hours, days) = (secs / 60, secs / 3600, secs / 86400);
    match secs {
        0..60 => format!("{secs} s"),
        60..3600 => format!("{minutes} min"),
        3600..86400 => with_rest(hours, "h", minutes % 60, "min"),
        _ => with_rest(days, "d", hours % 24, "h"),
    }
}

fn with_rest(large: i64, large_unit: &str, small: i64, small_unit: &str) -> String {
    match small {
        0 => format!("{large} {large_unit}"),
        _ => format!("{large} {large_unit} {small} {small_unit}"),
    }
}

/// A time to the second: `2026-11-23 11:13:58 UTC`.
pub(crate) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_significant_digits() {
        let cases: [(f64, &str); 16] = [
            (0.0, "0"),
            (-0.0, "0"),
            (8.0, "8"),
            (8.213_456, "8.213"),
            (-8.5, "-8.5"),
            (999.96, "1000"),
            (12_345.678, "12346"),
            (1000.0, "1000"),
            (0.25, "0.25"),
            (0.083_333, "0.08333"),
            (0.000_42, "0.00042"),
            (0.000_000_15, "1.5e-7"),
            (1.5e15, "1.5e15"),
            (f64::MAX, "1.798e308"),
            (f64::NAN, "not a number"),
            (f64::NEG_INFINITY, "not a number"),
        ];
        for (value, expected) in cases {
            assert_eq!(number(value), expected, "{value:?}");
        }
    }

    #[test]
    fn spans_change_their_unit_at_the_boundary() {
        let cases = [
            (-5, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3599, "59 min"),
            (3600, "1 h"),
            (3660, "1 h 1 min"),
            (86_399, "23 h 59 min"),
            (86_400, "1 d"),
            (100_000, "1 d 3 h"),
        ];
        for (secs, expected) in cases {
            assert_eq!(duration(secs), expected);
        }
        assert!(duration(i64::MAX).ends_with(" h"));
    }
}
