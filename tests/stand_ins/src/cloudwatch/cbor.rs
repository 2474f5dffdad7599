//! Concise Binary Object Representation (RFC 8949), as much of it as Smithy's RPC v2 uses.
//!
//! Invariant: what is read is read whole: a value that is cut short, or bytes after it, give none.

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cbor {
    Null,
    Bool(bool),
    Whole(i64),
    Float(f64),
    Text(String),
    List(Vec<Cbor>),
    Map(Vec<(String, Cbor)>),
    /// Tag 1: unix seconds.
    Time(f64),
}

/// Stands for a count that nobody gave.
const OPEN: u64 = u64::MAX;

/// Values within values, at most.
const DEPTH_MAX: u8 = 32;

impl Cbor {
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        entries.iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(crate) fn whole(&self) -> Option<i64> {
        if let Self::Whole(whole) = self { Some(*whole) } else { None }
    }

    pub(crate) fn time_ms(&self) -> Option<i64> {
        let Self::Time(secs) = self else { return None };
        format!("{:.0}", secs * 1000.0).parse().ok()
    }

    pub(crate) fn list(&self) -> Option<&[Self]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let value = read(&mut rest, DEPTH_MAX)?;
        rest.is_empty().then_some(value)
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.push(0xf6),
            Self::Bool(value) => out.push(0xf4 + u8::from(*value)),
            Self::Whole(whole) if *whole < 0 => head(out, 1, whole.unsigned_abs() - 1),
            Self::Whole(whole) => head(out, 0, whole.unsigned_abs()),
            Self::Float(float) => {
                out.push(0xfb);
                out.extend(float.to_be_bytes());
            }
            Self::Text(text) => {
                head(out, 3, text.len() as u64);
                out.extend(text.as_bytes());
            }
            Self::List(items) => {
                head(out, 4, items.len() as u64);
                for item in items {
                    item.write(out);
                }
            }
            Self::Map(entries) => {
                head(out, 5, entries.len() as u64);
                for (name, value) in entries {
                    Self::Text(name.clone()).write(out);
                    value.write(out);
                }
            }
            Self::Time(secs) => {
                head(out, 6, 1);
                Self::Float(*secs).write(out);
            }
        }
    }
}

fn head(out: &mut Vec<u8>, major: u8, argument: u64) {
    let major = major << 5;
    match (u8::try_from(argument), u32::try_from(argument)) {
        (Ok(small), _) if small < 24 => out.push(major + small),
        (Ok(byte), _) => out.extend([major + 24, byte]),
        (_, Ok(word)) => {
            out.push(major + 26);
            out.extend(word.to_be_bytes());
        }
        _ => {
            out.push(major + 27);
            out.extend(argument.to_be_bytes());
        }
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*taken)
}

fn argument(short: u8, rest: &mut &[u8]) -> Option<u64> {
    Some(match short {
        0..24 => u64::from(short),
        24 => u64::from(take::<1>(rest)?[0]),
        25 => u64::from(u16::from_be_bytes(take(rest)?)),
        26 => u64::from(u32::from_be_bytes(take(rest)?)),
        27 => u64::from_be_bytes(take(rest)?),
        _ => return None,
    })
}

fn read(rest: &mut &[u8], depth: u8) -> Option<Cbor> {
    let depth = depth.checked_sub(1)?;
    let [first] = take(rest)?;
    let (major, short) = (first >> 5, first & 31);
    let whole = |argument: u64| i64::try_from(argument).ok();
    match (major, short) {
        (0, _) => argument(short, rest).and_then(whole).map(Cbor::Whole),
        (1, _) => argument(short, rest).and_then(whole).map(|n| Cbor::Whole(-1 - n)),
        (3, 31) => {
            let mut text = String::new();
            while !ends(rest)? {
                text.push_str(read(rest, depth)?.text()?);
            }
            Some(Cbor::Text(text))
        }
        (3, _) => {
            let length = usize::try_from(argument(short, rest)?).ok()?;
            let (text, after) = rest.split_at_checked(length)?;
            *rest = after;
            String::from_utf8(text.to_vec()).ok().map(Cbor::Text)
        }
        (4, _) => {
            let mut items = Vec::new();
            let mut left = count(short, rest)?;
            while more(&mut left, rest)? {
                items.push(read(rest, depth)?);
            }
            Some(Cbor::List(items))
        }
        (5, _) => {
            let mut entries = Vec::new();
            let mut left = count(short, rest)?;
            while more(&mut left, rest)? {
                entries.push((read(rest, depth)?.text()?.to_owned(), read(rest, depth)?));
            }
            Some(Cbor::Map(entries))
        }
        (6, 1) => match read(rest, depth)? {
            Cbor::Whole(secs) => i32::try_from(secs).ok().map(|secs| Cbor::Time(f64::from(secs))),
            Cbor::Float(secs) => Some(Cbor::Time(secs)),
            _ => None,
        },
        (7, 20 | 21) => Some(Cbor::Bool(short == 21)),
        (7, 22 | 23) => Some(Cbor::Null),
        (7, 26) => Some(Cbor::Float(f64::from(f32::from_be_bytes(take(rest)?)))),
        (7, 27) => Some(Cbor::Float(f64::from_be_bytes(take(rest)?))),
        _ => None,
    }
}

/// How many values follow; `OPEN` where a break ends them.
fn count(short: u8, rest: &mut &[u8]) -> Option<u64> {
    if short == 31 { Some(OPEN) } else { argument(short, rest) }
}

fn more(left: &mut u64, rest: &mut &[u8]) -> Option<bool> {
    match left {
        &mut OPEN => ends(rest).map(|ends| !ends),
        0 => Some(false),
        count => {
            *count -= 1;
            Some(true)
        }
    }
}

/// Whether the break is next; it is taken.
fn ends(rest: &mut &[u8]) -> Option<bool> {
    let is_break = *rest.first()? == 0xff;
    if is_break {
        *rest = rest.get(1..)?;
    }
    Some(is_break)
}

#[cfg(test)]
mod tests {
    use super::Cbor;

    #[test]
    fn values_are_written_and_read() {
        let text = |text: &str| Cbor::Text(text.to_owned());
        let value = Cbor::Map(vec![
            ("Id".to_owned(), text("asked")),
            ("Values".to_owned(), Cbor::List(vec![Cbor::Float(1.5), Cbor::Whole(-500), Cbor::Whole(70_000)])),
            ("Time".to_owned(), Cbor::Time(1_795_168_800.0)),
            (
                "Other".to_owned(),
                Cbor::List(vec![Cbor::Bool(true), Cbor::Null, Cbor::Whole(i64::MAX), text(&"a".repeat(300))]),
            ),
        ]);
        let mut bytes = Vec::new();
        value.write(&mut bytes);
        assert_eq!(Cbor::parse(&bytes), Some(value));
        assert_eq!(Cbor::parse(&bytes[..bytes.len() - 1]), None);
        bytes.push(0);
        assert_eq!(Cbor::parse(&bytes), None);
    }

    /// Appendix A of the RFC.
    #[test]
    fn examples_of_the_standard_are_read() {
        let map = |entries: &[(&str, Cbor)]| {
            Cbor::Map(entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
        };
        for (bytes, value) in [
            (&[0x18, 0x64][..], Cbor::Whole(100)),
            (&[0x39, 0x03, 0xe7], Cbor::Whole(-1000)),
            (&[0xc1, 0x1a, 0x51, 0x4b, 0x67, 0xb0], Cbor::Time(1_363_896_240.0)),
            (&[0xfa, 0x47, 0xc3, 0x50, 0x00], Cbor::Float(100_000.0)),
            (&[0x7f, 0x62, b's', b't', 0x61, b'r', 0xff], Cbor::Text("str".to_owned())),
            (
                &[0x9f, 0x01, 0x82, 0x02, 0x03, 0xff],
                Cbor::List(vec![Cbor::Whole(1), Cbor::List(vec![Cbor::Whole(2), Cbor::Whole(3)])]),
            ),
            (&[0xbf, 0x61, b'a', 0x01, 0x61, b'b', 0xf5, 0xff], map(&[("a", Cbor::Whole(1)), ("b", Cbor::Bool(true))])),
        ] {
            assert_eq!(Cbor::parse(bytes), Some(value), "{bytes:x?}");
        }
        assert_eq!(Cbor::parse(&[0x81; 100]), None);
    }
}
