//! Long texts in the table.
//!
//! Invariant: what comes out is what went in, byte by byte. A text that fits into one write unit with its item stays as it
//! is, for people to read; a longer one is compressed, since `DynamoDB` charges a write by its size.

use std::io::{Read, Write};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

/// Bytes of text that stand in one write unit of 1 KiB beside keys and names.
const PLAIN_BYTES_MAX: usize = 860;

/// Bytes that a packed text may have unpacked: more than any item, so that a foreign one cannot fill the memory.
const UNPACKED_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// The text as an attribute.
pub(crate) fn pack(text: String) -> AttributeValue {
    if text.len() <= PLAIN_BYTES_MAX {
        return AttributeValue::S(text);
    }
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(4));
    match encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()) {
        Ok(packed) if packed.len() < text.len() => AttributeValue::B(Blob::new(packed)),
        _ => AttributeValue::S(text),
    }
}

/// The text of an attribute; `None` where it holds none.
pub(crate) fn unpack(value: &AttributeValue) -> Option<String> {
    match value {
        AttributeValue::S(text) => Some(text.clone()),
        AttributeValue::B(packed) => {
            let mut text = String::new();
            DeflateDecoder::new(packed.as_ref()).take(UNPACKED_BYTES_MAX).read_to_string(&mut text).ok()?;
            Some(text)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_back_as_it_went() {
        for text in ["", "short", &"a longer one, ä\u{1F514}\u{0}\"".repeat(500)] {
            assert_eq!(unpack(&pack(text.to_owned())).as_deref(), Some(text));
        }
    }

    #[test]
    fn a_short_text_stays_readable_and_a_long_one_gets_smaller() {
        assert!(matches!(pack("a".repeat(PLAIN_BYTES_MAX)), AttributeValue::S(_)));
        assert!(
            matches!(pack("a".repeat(PLAIN_BYTES_MAX + 1)), AttributeValue::B(packed) if packed.as_ref().len() < 50)
        );
    }

    #[test]
    fn what_is_no_packed_text_is_none() {
        assert_eq!(unpack(&AttributeValue::B(Blob::new([0xff, 0x00, 0x13]))), None);
        assert_eq!(unpack(&AttributeValue::Bool(true)), None);
    }
}
