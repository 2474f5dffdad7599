//! `kind: pagerduty`: Events v2.
//!
//! Invariant: the routing key has the 32 characters that the vendor gives it.

use ::receivers::pagerduty::{BASE_URL, Settings};
use secrecy::ExposeSecret;

use crate::environment::secret;
use crate::reader::Value;
use crate::sections::outside::base_url;

/// Characters of a routing key.
const ROUTING_KEY_CHARS: usize = 32;

pub(crate) fn read(value: &Value<'_>) -> Option<Settings> {
    let fields = value.fields(&["kind", "base_url", "routing_key"])?;
    let base_url = base_url(&fields, "base_url", Some(BASE_URL), "TOCSIN_PAGERDUTY_API_URL");
    let routing_key = fields.required("routing_key", |value| {
        let key = secret(value)?;
        if key.expose_secret().chars().count() == ROUTING_KEY_CHARS {
            return Some(key);
        }
        value.fail("the routing key has not 32 characters", "copy the integration key of an Events v2 integration")
    });
    Some(Settings { base_url: base_url?, routing_key: routing_key? })
}
