//! Strict JSON: what one reader could take for something else than another is refused.
//!
//! Invariant: a value comes out only when the whole body is UTF-8 without a byte order mark, no object has a key twice,
//! nothing is nested deeper than [`DEPTH_MAX`] and nothing follows. Only numbers that are not finite are let pass, as
//! null: Python writes them, and an alert is not lost over one.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::DecodeError;
use crate::non_finite::nulled;
use crate::text::clean;

/// Objects and arrays inside one another.
pub const DEPTH_MAX: usize = 64;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The value of a body.
pub(crate) fn parse(body: &[u8]) -> Result<Value, DecodeError> {
    if body.starts_with(BYTE_ORDER_MARK) {
        return Err(DecodeError::ByteOrderMark);
    }
    let text = str::from_utf8(body).map_err(|e| DecodeError::NotUtf8 { at: e.valid_up_to() })?;
    match parse_text(text) {
        Err(refused @ DecodeError::Json { .. }) => match nulled(text) {
            Some(mended) => parse_text(&mended),
            None => Err(refused),
        },
        other => other,
    }
}

fn parse_text(text: &str) -> Result<Value, DecodeError> {
    let refusal = Cell::new(None);
    let node = Node { place: None, depth: 0, refusal: &refusal };
    let mut reader = serde_json::Deserializer::from_str(text);
    let parsed = node.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    parsed.map_err(|e| refusal.take().unwrap_or_else(|| not_json(&e)))
}

fn not_json(e: &serde_json::Error) -> DecodeError {
    let why = if e.is_eof() { "it ends too early" } else { "it is not valid there" };
    DecodeError::Json { line: e.line(), column: e.column(), why }
}

/// A step from a value into what it holds, and the steps before it.
struct Place<'a> {
    above: Option<&'a Place<'a>>,
    step: Step<'a>,
}

enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// The JSON pointer (RFC 6901) of a place.
fn pointer(place: &Place) -> String {
    let mut path = place.above.map(pointer).unwrap_or_default();
    path.push('/');
    match place.step {
        Step::Key(key) => path.push_str(&key.replace('~', "~0").replace('/', "~1")),
        Step::Index(index) => path.push_str(&index.to_string()),
    }
    path
}

/// Reads one value. What it refuses beyond serde's own errors is left in `refusal`, typed.
#[derive(Clone, Copy)]
struct Node<'a> {
    place: Option<&'a Place<'a>>,
    depth: usize,
    refusal: &'a Cell<Option<DecodeError>>,
}

impl Node<'_> {
    fn refuse<E: Error>(&self, why: DecodeError) -> E {
        self.refusal.set(Some(why));
        E::custom("refused")
    }

    /// The depth inside an object or array that begins here.
    fn deeper<E: Error>(&self) -> Result<usize, E> {
        if self.depth < DEPTH_MAX {
            return Ok(self.depth + 1);
        }
        Err(self.refuse(DecodeError::TooDeep { pointer: clean(&self.place.map(pointer).unwrap_or_default()) }))
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, word: bool) -> Result<Value, E> {
        Ok(Value::Bool(word))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        let mut list = Vec::new();
        loop {
            let place = Place { above: self.place, step: Step::Index(list.len()) };
            match items.next_element_seed(Node { place: Some(&place), depth, refusal: self.refusal })? {
                Some(value) => list.push(value),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let place = Place { above: self.place, step: Step::Key(&key) };
            if object.contains_key(&key) {
                return Err(self.refuse(DecodeError::DuplicateKey { pointer: clean(&pointer(&place)) }));
            }
            let value = entries.next_value_seed(Node { place: Some(&place), depth, refusal: self.refusal })?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{DEPTH_MAX, parse};
    use crate::DecodeError;

    fn nested(depth: usize) -> String {
        format!("{}1{}", "[".repeat(depth), "]".repeat(depth))
    }

    #[track_caller]
    fn check_refused(body: &[u8], expected: &DecodeError) {
        assert_eq!(parse(body).as_ref(), Err(expected));
    }

    #[track_caller]
    fn check_not_json(body: &str) {
        assert!(matches!(parse(body.as_bytes()), Err(DecodeError::Json { .. })), "{body}");
    }

    #[test]
    fn depth_at_its_limit_and_one_over() {
        assert!(parse(nested(DEPTH_MAX).as_bytes()).is_ok());
        check_refused(nested(DEPTH_MAX + 1).as_bytes(), &DecodeError::TooDeep { pointer: "/0".repeat(DEPTH_MAX) });
        let bomb = "[".repeat(200_000);
        assert!(matches!(parse(bomb.as_bytes()), Err(DecodeError::TooDeep { .. })));
    }

    #[test]
    fn a_key_given_twice_is_named_by_its_pointer() {
        let at = |pointer: &str| DecodeError::DuplicateKey { pointer: pointer.to_owned() };
        check_refused(br#"{"a":1,"a":1}"#, &at("/a"));
        check_refused(br#"{"a":[0,{"b/c":{"~":1,"~":2}}]}"#, &at("/a/1/b~1c/~0"));
        check_refused(br#"{"a":1,"\u0061":2}"#, &at("/a"));
        assert!(parse(br#"{"a":{"a":1},"b":{"a":1}}"#).is_ok());
    }

    #[test]
    fn what_is_not_one_json_value_is_refused_with_its_place() {
        let json = |line, column, why| DecodeError::Json { line, column, why };
        check_refused(b"", &json(1, 0, "it ends too early"));
        check_refused(b"{\n  \"a\": 1,", &json(2, 9, "it ends too early"));
        check_refused(b"{} x", &json(1, 4, "it is not valid there"));
        check_refused(b"\xef\xbb\xbf{}", &DecodeError::ByteOrderMark);
        check_refused(b"{\"a\":\"\xff\"}", &DecodeError::NotUtf8 { at: 6 });
        for body in ["{'a':1}", "{\"a\":1,}", "[1 2]", "{\"a\":\"\\ud800\"}", "01", "{a:1}", "\"a\nb\"", "{NaN:1}"] {
            check_not_json(body);
        }
    }

    #[test]
    fn numbers_that_are_not_finite_become_null() {
        let body = br#"{"a":NaN,"b":[-Infinity,Infinity,1e999,-1E+999,-1.5],"c":"NaN \" NaN"}"#;
        let expected = json!({"a": null, "b": [null, null, null, null, -1.5], "c": "NaN \" NaN"});
        assert_eq!(parse(body), Ok(expected));
        for body in ["[nan]", "[NaNs]", "[01e999]", "[1e999.]", "[+Infinity]", "[--Infinity]"] {
            check_not_json(body);
        }
    }

    proptest! {
        #[test]
        fn takes_what_serde_json_takes(text in r#"[\[\]{}",:0-9eE.+\-ntrufalsNI \\]{0,24}"#) {
            match serde_json::from_str::<Value>(&text) {
                Ok(value) => match parse(text.as_bytes()) {
                    Ok(ours) => prop_assert_eq!(ours, value),
                    Err(e) => prop_assert!(matches!(e, DecodeError::DuplicateKey { .. }), "{text}: {e}"),
                },
                Err(_) => prop_assert!(parse(text.as_bytes()).is_err() || super::nulled(&text).is_some(), "{text}"),
            }
        }
    }
}
