//! Which tags a template may have.
//!
//! Invariant: what is let through can neither include a template, nor write a value unescaped, nor nest so deeply that
//! parsing or rendering runs out of stack or time.

/// Largest template, in bytes.
const TEMPLATE_BYTES_MAX: usize = 64 * 1024;

/// Blocks inside one another.
const DEPTH_MAX: usize = 16;

/// Loops inside one another: with lists of 50, some 125,000 turns.
const LOOPS_MAX: usize = 3;

/// Opening brackets in one tag.
const BRACKETS_MAX: usize = 32;

/// The first mistake: its line, from 1, and what it is.
pub(super) fn mistake(text: &str) -> Option<(usize, String)> {
    if text.len() > TEMPLATE_BYTES_MAX {
        return Some((1, format!("a template has at most {} KB", TEMPLATE_BYTES_MAX / 1024)));
    }
    let mut line = 1;
    let mut rest = text;
    let mut blocks: Vec<bool> = Vec::new();
    while let Some((before, tag)) = rest.split_once("{{") {
        line += before.matches('\n').count();
        let (inside, after) = if is_escaped(before) { ("", tag) } else { split_tag(tag) };
        if let Some(why) = tag_mistake(inside, &mut blocks) {
            return Some((line, why.to_owned()));
        }
        line += inside.matches('\n').count();
        rest = after;
    }
    None
}

/// A tag after exactly one backslash is text.
fn is_escaped(before: &str) -> bool {
    before.chars().rev().take_while(|c| *c == '\\').count() == 1
}

/// What stands in a tag, and what comes after it.
fn split_tag(tag: &str) -> (&str, &str) {
    let comment = tag.strip_prefix('!').is_some_and(|c| c.trim_start().starts_with("--"));
    let end = if comment && tag.contains("--}}") { "--}}" } else { "}}" };
    tag.split_once(end).unwrap_or((tag, ""))
}

fn tag_mistake(inside: &str, blocks: &mut Vec<bool>) -> Option<&'static str> {
    let inside = inside.trim_start_matches(|c: char| c == '~' || c.is_whitespace());
    let mut chars = inside.chars();
    let sign = chars.next();
    let name = chars.as_str().trim_start();
    if sign != Some('!') && inside.chars().filter(|c| matches!(c, '(' | '[' | '{')).count() > BRACKETS_MAX {
        return Some("a tag has too many brackets");
    }
    match sign {
        Some('>' | '*') => return Some("a template includes no other and defines none"),
        Some('#') if name.starts_with(['>', '*']) => return Some("a template includes no other and defines none"),
        Some('{' | '&') => return Some("values are always escaped: write {{…}}"),
        Some('#') => blocks.push(is_loop(name)),
        Some('/') => drop(blocks.pop()),
        _ => {}
    }
    let chained =
        inside.strip_prefix("else").or_else(|| inside.strip_prefix('^')).is_some_and(|c| is_loop(c.trim_start()));
    if let Some(block) = blocks.last_mut().filter(|_| chained) {
        *block = true;
    }
    let loops = blocks.iter().filter(|is_loop| **is_loop).count();
    match () {
        () if blocks.len() > DEPTH_MAX => Some("blocks stand more than 16 deep"),
        () if loops > LOOPS_MAX => Some("loops stand more than 3 deep"),
        () => None,
    }
}

/// A block by any other name than these may be a loop: `{{#labels}}` is none in this dialect, but costs nothing to count.
fn is_loop(name: &str) -> bool {
    let word: String = name.chars().take_while(char::is_ascii_alphanumeric).collect();
    !matches!(
        word.as_str(),
        "if" | "unless" | "with" | "eq" | "ne" | "gt" | "gte" | "lt" | "lte" | "and" | "or" | "not"
    )
}
