//! Long texts in the table.
//!
//! Invariant: what comes out is what went in, byte by byte. A text that fits into one write unit with its item stays as it
//! is, for people to read; a longer one is compressed, since `DynamoDB` charges a write by its size.
//!
//! The compressor is given a dictionary of what every record says, without which the names of its fields are most of a
//! short record. It may only ever be another one under another [`FORMAT`]: what is in the table was written with this one.

use std::cell::RefCell;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// Bytes of text that stand in one write unit of 1 KiB beside keys and names.
const PLAIN_BYTES_MAX: usize = 860;

/// Bytes that a packed text may have unpacked: more than any item, so that a foreign one cannot fill the memory.
const UNPACKED_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The first byte of what is packed: which dictionary it was packed with. The rest is raw deflate.
const FORMAT: u8 = 1;

/// A record and an incident of which everything particular is taken out; what is most frequent stands last.
const DICTIONARY: &[u8] = include_bytes!("packed.dictionary");

thread_local! {
    /// They have tens and hundreds of kilobytes, which cost more to make than most texts cost to go through them.
    static COMPRESSOR: RefCell<Compress> = RefCell::new(Compress::new(Compression::new(4), false));
    static DECOMPRESSOR: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

/// The text as an attribute.
pub(crate) fn pack(text: String) -> AttributeValue {
    pack_beyond(PLAIN_BYTES_MAX, text)
}

/// The same where other attributes of its item need the room: plain up to so many bytes.
pub(crate) fn pack_beyond(plain_bytes_max: usize, text: String) -> AttributeValue {
    if text.len() <= plain_bytes_max {
        return AttributeValue::S(text);
    }
    match compress(text.as_bytes()) {
        Some(packed) => AttributeValue::B(Blob::new(packed)),
        None => AttributeValue::S(text),
    }
}

/// The bytes compressed; `None` where they do not get smaller.
fn compress(bytes: &[u8]) -> Option<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|compressor| {
        compressor.reset();
        compressor.set_dictionary(DICTIONARY).ok()?;
        let mut packed = Vec::with_capacity(bytes.len());
        packed.push(FORMAT);
        let status = compressor.compress_vec(bytes, &mut packed, FlushCompress::Finish).ok()?;
        (status == Status::StreamEnd && packed.len() < bytes.len()).then_some(packed)
    })
}

/// The text of an attribute; `None` where it holds none.
pub(crate) fn unpack(value: &AttributeValue) -> Option<String> {
    match value {
        AttributeValue::S(text) => Some(text.clone()),
        AttributeValue::B(packed) => String::from_utf8(decompress(packed.as_ref())?).ok(),
        _ => None,
    }
}

/// The bytes as they were; `None` where these are not the whole of a compressed text.
fn decompress(packed: &[u8]) -> Option<Vec<u8>> {
    let (&FORMAT, packed) = packed.split_first()? else { return None };
    DECOMPRESSOR.with_borrow_mut(|decompressor| {
        decompressor.reset(false);
        decompressor.set_dictionary(DICTIONARY).ok()?;
        let mut bytes = Vec::with_capacity(packed.len() * 4 + 64);
        loop {
            let read = usize::try_from(decompressor.total_in()).ok()?;
            match decompressor.decompress_vec(packed.get(read..)?, &mut bytes, FlushDecompress::None).ok()? {
                Status::StreamEnd => return Some(bytes),
                // There was room, and nothing more to read.
                _ if bytes.len() < bytes.capacity() => return None,
                _ if bytes.len() >= UNPACKED_BYTES_MAX => return None,
                _ => bytes.reserve(bytes.len().max(1024)),
            }
        }
    })
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
        assert!(matches!(pack_beyond(10, "a".repeat(99)), AttributeValue::B(packed) if packed.as_ref().len() < 20));
        assert!(
            matches!(pack("a".repeat(PLAIN_BYTES_MAX + 1)), AttributeValue::B(packed) if packed.as_ref().len() < 50)
        );
    }

    #[test]
    fn what_was_packed_before_leaves_nothing_behind() {
        let text = |seed: u32| (0..600).map(|n| (n * n * seed).to_string()).collect::<String>();
        let (first, other) = (pack(text(7)), pack(text(31)));
        assert_eq!(pack(text(7)), first);
        assert_eq!(unpack(&first), Some(text(7)));
        assert_eq!(unpack(&other), Some(text(31)));
    }

    #[test]
    fn what_is_no_packed_text_is_none() {
        assert_eq!(unpack(&AttributeValue::B(Blob::new([FORMAT, 0xff, 0x00, 0x13]))), None);
        assert_eq!(unpack(&AttributeValue::B(Blob::new([]))), None);
        let AttributeValue::B(whole) = pack("a longer one".repeat(500)) else { panic!() };
        let half = &whole.as_ref()[..whole.as_ref().len() / 2];
        assert_eq!(unpack(&AttributeValue::B(Blob::new(half))), None);
        let other = whole.as_ref().iter().enumerate().map(|(at, byte)| if at == 0 { FORMAT + 1 } else { *byte });
        assert_eq!(unpack(&AttributeValue::B(Blob::new(other.collect::<Vec<_>>()))), None);
        let bomb = compress(&vec![0; UNPACKED_BYTES_MAX * 3]).unwrap();
        assert_eq!(unpack(&AttributeValue::B(Blob::new(bomb))), None);
        assert_eq!(unpack(&AttributeValue::Bool(true)), None);
    }
}
