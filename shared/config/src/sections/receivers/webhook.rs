//! `kind: webhook`: any system that takes JSON over HTTPS.
//!
//! Invariant: a request proves who sent it, by a signature, by `Authorization`, or by an address that is a secret; an
//! opening is always told.

use ::receivers::Method;
use ::receivers::webhook::{Settings, TEMPLATES, signing_key};
use domain::Transition;
use secrecy::SecretString;

use crate::address;
use crate::environment::secret;
use crate::mistake::choose;
use crate::reader::{Value, all};

/// Bytes that a signing key has, at least.
const KEY_BYTES_MIN: usize = 16;

const FIELDS: &[&str] = &["kind", "url", "method", "template", "secret", "authorization", "transitions"];

const METHODS: [(&str, Method); 3] = [("post", Method::Post), ("put", Method::Put), ("patch", Method::Patch)];

pub(crate) fn read(value: &Value<'_>) -> Option<Settings> {
    let fields = value.fields(FIELDS)?;
    let url = fields.required("url", address::called);
    let method = fields.or("method", Method::Post, |value| one_of(value, &METHODS));
    let template = fields.or("template", TEMPLATES[0].1, |value| one_of(value, &TEMPLATES));
    let own_secret = fields.optional("secret", signing_secret);
    let authorization = fields.optional("authorization", secret);
    let transitions = fields.or("transitions", Transition::ALL.to_vec(), transitions);
    let (own_secret, authorization) = (own_secret?, authorization?);
    let secret_address = fields.get("url").and_then(Value::scalar_text).is_some_and(|text| text.starts_with('$'));
    if own_secret.is_none() && authorization.is_none() && !secret_address {
        let mend = "add `secret:` (Standard Webhooks) or `authorization:`, or keep the address in a variable";
        return value.fail_at("secret", "nothing proves who sends", mend);
    }
    Some(Settings {
        url: url?,
        method: method?,
        template: template?,
        secret: own_secret,
        authorization,
        transitions: transitions?,
    })
}

fn one_of<T: Copy>(value: &Value<'_>, known: &[(&str, T)]) -> Option<T> {
    let word = value.text()?;
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    let found = known.iter().find(|(name, _)| *name == word).map(|(_, one)| *one);
    found.or_else(|| value.fail(format!("there is no `{word}` here"), choose(&word, &names)))
}

fn signing_secret(value: &Value<'_>) -> Option<SecretString> {
    let secret = secret(value)?;
    if signing_key(&secret).is_some_and(|key| key.len() >= KEY_BYTES_MIN) {
        return Some(secret);
    }
    let mend = format!("set {KEY_BYTES_MIN} or more random bytes in Base64, with or without whsec_");
    value.fail("its variable holds no signing key", mend)
}

fn transitions(value: &Value<'_>) -> Option<Vec<Transition>> {
    let words = Transition::ALL.map(Transition::as_str);
    let read = |value: &Value<'_>| {
        let word = value.text()?;
        let known = Transition::parse(&word);
        known.or_else(|| value.fail(format!("there is no transition `{word}`"), choose(&word, &words)))
    };
    let transitions = all(value.one_or_more()?.iter().map(read))?;
    if transitions.contains(&Transition::Opened) {
        return Some(transitions);
    }
    value.fail("who hears of the end hears of the beginning", "add opened")
}
