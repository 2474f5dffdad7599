//! One webhook as it came in.
//!
//! Invariant: the body is the bytes that were sent, untouched; signatures are over them. It has no `Debug`: headers hold
//! secrets, and bodies may hold what people wrote.

use domain::Timestamp;

use crate::AuthError;

/// Bytes in a body that are taken; 4 MiB, of the 6 MB that Lambda hands over. What an outage sends at once must fit:
/// Alertmanager and Grafana do not send again what is refused.
pub const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// One webhook as it came in.
#[derive(Clone, Copy)]
pub struct Inbound<'a> {
    /// Header names in any case, and their values.
    pub headers: &'a [(String, String)],
    /// What stands after `?` in the URL, as it was sent; empty where nothing does.
    pub query: &'a str,
    /// The raw body.
    pub body: &'a [u8],
    /// When it came in, by our clock.
    pub received_at: Timestamp,
}

impl<'a> Inbound<'a> {
    /// The first header of that name, whatever its case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.values(name).next()
    }

    /// The value of a header that authentication rests on. Given twice it is refused: which of the two a proxy in
    /// front of us looked at, nobody knows.
    pub(crate) fn sole_header(&self, name: &'static str) -> Result<&'a str, AuthError> {
        let mut values = self.values(name);
        let value = values.next().ok_or(AuthError::Missing { header: name })?;
        match values.next() {
            None => Ok(value),
            Some(_) => Err(AuthError::Repeated { header: name }),
        }
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}
