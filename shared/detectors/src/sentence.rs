//! Numbers and bands in words.
//!
//! Invariant: a number has at most four significant digits and stays short, however large it is.

use domain::Band;

use crate::Direction;

/// Four significant digits, without trailing zeros; with an exponent below 10⁻⁴ and from 10⁷ on.
pub(crate) fn short(value: f64) -> String {
    let digits = format!("{value:.3e}");
    match digits.parse::<f64>() {
        Ok(0.0) => "0".to_owned(),
        Ok(rounded) if (1e-4..1e7).contains(&rounded.abs()) => rounded.to_string(),
        _ => digits,
    }
}

/// `1 point`, `5 points`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Where a value stands against its band: `is above the expected 0.8 to 1.3`. `beyond` is the side on which the
/// value is anomalous, if it is.
pub(crate) fn stands(beyond: Option<Direction>, band: Band) -> String {
    let (low, high) = (band.low.map(short), band.high.map(short));
    let expected = match (&low, &high) {
        (Some(low), Some(high)) => format!("expected {low} to {high}"),
        (None, Some(high)) => format!("expected maximum of {high}"),
        (Some(low), None) => format!("expected minimum of {low}"),
        (None, None) => "usual".to_owned(),
    };
    match (beyond, low.is_some(), high.is_some()) {
        (Some(side), _, _) => format!("is {side} the {expected}"),
        (None, false, true) => format!("is not above the {expected}"),
        (None, true, false) => format!("is not below the {expected}"),
        (None, _, _) => format!("is within the {expected}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_short(value: f64, text: &str) {
        assert_eq!(short(value), text);
    }

    #[test]
    fn numbers_have_four_digits_at_most() {
        check_short(3.9, "3.9");
        check_short(-0.0, "0");
        check_short(12.3456, "12.35");
        check_short(-0.000_123_456, "-0.0001235");
        check_short(180.0, "180");
        check_short(1_234_567.0, "1235000");
    }

    #[test]
    fn very_large_and_very_small_numbers_stay_short() {
        check_short(f64::MAX, "1.798e308");
        check_short(f64::MIN, "-1.798e308");
        check_short(5e-324, "4.941e-324");
        check_short(9_999_999.0, "1.000e7");
        check_short(0.000_09, "9.000e-5");
    }

    #[test]
    fn one_is_not_plural() {
        assert_eq!(counted(1, "point"), "1 point");
        assert_eq!(counted(0, "point"), "0 points");
    }
}
