//! Text within a vendor's limits.
//!
//! Invariant: length is counted in UTF-16 code units, the strictest that any of the vendors counts in; what is cut says
//! so, and no character is split.

/// What stands at the end of a cut text.
pub(crate) const CUT: &str = "… (cut)";

/// Length in UTF-16 code units.
pub(crate) fn length(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// The text, or as much of it as fits into `max` units together with the mark that it was cut.
pub(crate) fn cut(text: &str, max: usize) -> String {
    if length(text) <= max {
        return text.to_owned();
    }
    let mut room = max.saturating_sub(length(CUT));
    let fits = |c: &char| {
        let units = c.len_utf16();
        let fits = units <= room;
        room = room.saturating_sub(units);
        fits
    };
    let mut kept: String = text.chars().take_while(fits).collect();
    if max >= length(CUT) {
        kept.push_str(CUT);
    }
    kept
}

/// The text on one line: every break, control and invisible direction mark becomes a space, and runs of spaces one.
pub(crate) fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if is_unprintable(c) { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Controls, line separators, and marks that turn the direction of what follows and so can disguise it.
pub(crate) fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{FEFF}')
        || matches!(c, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// True for an address that may become a link.
pub(crate) fn is_web_address(href: &str) -> bool {
    let lower = href.to_ascii_lowercase();
    let host = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
    host.is_some_and(|h| h.starts_with(|c: char| c.is_alphanumeric() || c == '['))
        && !href.chars().any(|c| is_unprintable(c) || c.is_whitespace())
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded = format!("{encoded}%{byte:02X}");
        }
    }
    encoded
}

/// The address with the given characters percent-encoded, so that it cannot end its own markup.
pub(crate) fn href_without(href: &str, breaking: &[char]) -> String {
    let encode = |c: char| if breaking.contains(&c) { percent_encoded(&c.to_string()) } else { c.to_string() };
    href.chars().map(encode).collect()
}

/// A base address without its trailing slashes, and a path.
pub(crate) fn address(base_url: &str, path: &str) -> String {
    format!("{}{path}", base_url.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_at_its_limit_is_whole_and_one_over_is_cut_to_it() {
        for (unit, units) in [("a", 1), ("é", 1), ("世", 1), ("🔥", 2)] {
            let at = unit.repeat(100 / units);
            assert_eq!(cut(&at, 100), at);
            let over = cut(&format!("{at}a"), 100);
            assert!(over.ends_with(CUT), "{over}");
            assert!((99..=100).contains(&length(&over)), "{over}");
        }
        assert_eq!(cut("abcdefgh", 3), "");
    }

    #[test]
    fn one_line_keeps_no_break_and_no_direction_mark() {
        assert_eq!(one_line(" a\r\n\tb\u{0}c\u{2028}d\u{202E}e\u{85}f\u{200F}g\u{61C}h "), "a b c d e f g h");
    }

    #[test]
    fn only_web_addresses_become_links() {
        for href in ["https://a.b", "HTTP://a.example/?q=(1)|2", "http://localhost:9/ü"] {
            assert!(is_web_address(href), "{href}");
        }
        for href in
            ["javascript:alert(1)", "https://", "http://", "", "data:x", "//a.b", "https://a b", "ü", "https:/üü"]
        {
            assert!(!is_web_address(href), "{href}");
        }
    }

    #[test]
    fn an_encoded_text_has_only_unreserved_characters() {
        assert_eq!(percent_encoded("a b&=\"é"), "a%20b%26%3D%22%C3%A9");
    }
}
