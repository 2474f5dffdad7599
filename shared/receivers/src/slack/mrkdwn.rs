//! Cutting Slack's markup where it may be cut.
//!
//! Invariant: an entity (`&amp;`) or a link (`<…|…>`) is kept whole or left out whole, so that no cut can turn text
//! into markup.

use crate::templates::Markup;
use crate::text::{CUT, length};

/// The longest entity that we write: `&amp;`.
const ENTITY_MAX: usize = 5;

/// The text as pieces that must not be divided: entities, links, characters.
fn atoms(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = match first {
            '&' => rest.char_indices().take(ENTITY_MAX).find(|(_, c)| *c == ';').map(|(i, _)| i + 1),
            '<' => rest.char_indices().take_while(|(_, c)| *c != '\n').find(|(_, c)| *c == '>').map(|(i, _)| i + 1),
            _ => None,
        };
        let (atom, after) = rest.split_at_checked(end.unwrap_or(first.len_utf8()))?;
        rest = after;
        Some(atom)
    })
}

/// The text, or as much of it as fits into `max` units together with the mark that it was cut.
pub(super) fn cut(text: &str, max: usize) -> String {
    if length(text) <= max {
        return text.to_owned();
    }
    let mut room = max.saturating_sub(length(CUT));
    let mut kept = String::new();
    for atom in atoms(text) {
        let Some(left) = room.checked_sub(length(atom)) else { break };
        room = left;
        kept.push_str(atom);
    }
    kept.push_str(CUT);
    kept
}

/// The text in pieces of at most `max` units, divided at line ends, else at spaces. A link too long for any piece is
/// left out, with a mark.
pub(super) fn split(text: &str, max: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece: Vec<&str> = Vec::new();
    let mut used = 0;
    for atom in atoms(text) {
        let atom = if length(atom) > max { CUT } else { atom };
        let units = length(atom);
        while used + units > max && !piece.is_empty() {
            let rest = piece.split_off(break_after(&piece));
            pieces.push(piece.concat());
            used = rest.iter().map(|a| length(a)).sum();
            piece = rest;
        }
        piece.push(atom);
        used += units;
    }
    pieces.push(piece.concat());
    pieces.into_iter().map(|p| p.trim().to_owned()).filter(|p| !p.is_empty()).collect()
}

/// Where a full piece ends: after its last line, else after its last word, else at its end. Never at its start.
fn break_after(piece: &[&str]) -> usize {
    let after = |sign: &str| piece.iter().rposition(|a| *a == sign).map(|i| i + 1);
    after("\n").or_else(|| after(" ")).unwrap_or(piece.len())
}

/// The text without links, bold and code marks: for a header, which knows none.
pub(super) fn without_links(text: &str) -> String {
    let shown = |atom: &str| match atom.strip_prefix('<').and_then(|a| a.strip_suffix('>')) {
        Some(link) => link.split_once('|').map_or_else(|| Markup::Mrkdwn.escape(link), |(_, text)| text.to_owned()),
        None => atom.to_owned(),
    };
    atoms(text).map(shown).collect()
}
