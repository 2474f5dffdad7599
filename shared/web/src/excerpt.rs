//! Vendors' texts, made short and safe to show.
//!
//! Invariant: never longer than asked, never cut inside a character, never with a line break or a foreign scheme. No
//! link shows one host and means another.

use url::Url;

/// The text's first `chars_max` characters; `…` is the last of them where it was cut. Control characters become spaces.
pub(crate) fn excerpt(text: &str, chars_max: usize) -> String {
    let mut chars = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut kept: String = chars.by_ref().take(chars_max).collect();
    if chars.next().is_some() {
        kept.pop();
        kept.push('…');
    }
    kept
}

/// The address as it may be shown as a link; `None` for any other scheme than `http` and `https`, and where a user name
/// or a password could be taken for the host.
pub(crate) fn shown_address(text: &str) -> Option<String> {
    Url::parse(text).ok().and_then(shown_url)
}

/// As [`shown_address`], for an address that is parsed already.
pub(crate) fn shown_url(url: Url) -> Option<String> {
    let web = matches!(url.scheme(), "http" | "https");
    let misleads = !url.username().is_empty() || url.password().is_some();
    (web && !misleads).then(|| url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_its_limit_and_not_before() {
        assert_eq!(excerpt(&"ä".repeat(120), 120), "ä".repeat(120));
        assert_eq!(excerpt(&"ä".repeat(121), 120), format!("{}…", "ä".repeat(119)));
        assert_eq!(excerpt(" a\nb\tc ", 120), "a b c");
        assert_eq!(excerpt("", 120), "");
    }

    #[test]
    fn only_web_addresses_are_shown() {
        assert_eq!(shown_address("https://ci.example/run/1").as_deref(), Some("https://ci.example/run/1"));
        assert_eq!(shown_address("http://ci.example").as_deref(), Some("http://ci.example/"));
        for other in ["", "/run/1", "javascript:alert(1)", "ftp://ci.example/", "data:text/html,x", "https://"] {
            assert_eq!(shown_address(other), None, "{other}");
        }
    }

    #[test]
    fn an_address_with_a_user_is_not_shown() {
        for other in [
            "https://github.com@evil.example/",
            "https://github.com:443@evil.example/",
            "https://:github.com@evil.example/",
            "https:github.com@evil.example",
            "http:\\\\github.com@evil.example",
        ] {
            assert_eq!(shown_address(other), None, "{other}");
        }
        let told = shown_address("https://ci.example/run@1?by=a@b.example");
        assert_eq!(told.as_deref(), Some("https://ci.example/run@1?by=a@b.example"));
    }
}
