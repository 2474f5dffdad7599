//! Addresses that Tocsin calls or shows.
//!
//! Invariant: https, or http on loopback only; never with a user, a password or a fragment in it. A mistake does not
//! repeat the address, since it may hold a secret.

use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use crate::environment::secret;
use crate::reader::Value;

/// Characters of an address, at most.
const ADDRESS_CHARS_MAX: usize = 2000;

/// Why a text is no address, and the mend.
type Flaw = (&'static str, &'static str);

/// An address that is shown to people, as it is written.
pub(crate) fn link(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    match check(&text) {
        Ok(_) => Some(text),
        Err((what, mend)) => value.fail(what, mend),
    }
}

/// The address that an API's paths are put behind, without a slash at its end.
pub(crate) fn base(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    match check_base(&text) {
        Ok(base) => Some(base),
        Err((what, mend)) => value.fail(what, mend),
    }
}

/// An address that is called as it is, in the file or in a variable that it names: webhooks' addresses are often secret.
pub(crate) fn called(value: &Value<'_>) -> Option<SecretString> {
    let text = match value.scalar_text() {
        Some(text) if text.starts_with('$') => secret(value)?.expose_secret().to_owned(),
        _ => value.text()?,
    };
    match check(&text) {
        Ok(_) => Some(SecretString::from(text)),
        Err((what, mend)) => value.fail(what, mend),
    }
}

/// The same where the address alone is the permission: only a variable may hold it.
pub(crate) fn secret_called(value: &Value<'_>) -> Option<SecretString> {
    let written = value.scalar_text().is_some_and(|text| !text.starts_with('$'));
    if written {
        return value.fail("this address is a secret, which must not stand in the file", "write ${NAME}, and set NAME");
    }
    called(value)
}

/// The base address that a variable puts in place of the file's; `Some(None)` where it is not set.
pub(crate) fn overriding(value: &Value<'_>, variable: &str) -> Option<Option<String>> {
    let Some(text) = value.variable(variable) else { return Some(None) };
    match check_base(&text) {
        Ok(base) => Some(Some(base)),
        Err((what, mend)) => value.fail_in(variable, what, mend),
    }
}

fn check_base(text: &str) -> Result<String, Flaw> {
    let url = check(text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(("a base address has no `?` and no `#`", "write scheme, host and path only"));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn check(text: &str) -> Result<Url, Flaw> {
    if text.chars().count() > ADDRESS_CHARS_MAX || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(("the address is too long or holds a space", "write at most 2000 characters, spaces as %20"));
    }
    let Ok(url) = Url::parse(text) else {
        return Err(("this is no address", "write https://host/path"));
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(("the address holds a user or a password", "remove what stands before the @"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(("http is for loopback only", "write https://")),
        _ => Err(("this is no https address", "write https://host/path")),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_loopback_are_addresses() {
        for (text, fits) in [
            ("https://api.arize.com/v2", true),
            ("https://grafana.example/d/1?var-model=a&from=now-1h#panel", true),
            ("http://127.0.0.1:9090", true),
            ("http://127.8.8.8", true),
            ("http://[::1]:1", true),
            ("http://localhost:9090/", true),
            ("http://prometheus:9090", false),
            ("http://localhost.example", false),
            ("http://127.0.0.1.example", false),
            ("http://127.0.0.1@evil.example", false),
            ("https://user:password@host", false),
            ("https://user@host", false),
            ("ftp://host", false),
            ("javascript:alert(1)", false),
            ("//host/path", false),
            ("host/path", false),
            ("", false),
            ("https://", false),
            ("https://a b", false),
        ] {
            assert_eq!(check(text).is_ok(), fits, "{text}");
        }
        assert!(check(&format!("https://h/{}", "p".repeat(1990))).is_ok());
        assert!(check(&format!("https://h/{}", "p".repeat(1991))).is_err());
    }

    #[test]
    fn a_base_address_ends_without_a_slash() {
        assert_eq!(check_base("https://slack.com/api//"), Ok("https://slack.com/api".to_owned()));
        assert!(check_base("https://slack.com/api?x=1").is_err());
        assert!(check_base("https://slack.com/api#x").is_err());
    }
}
