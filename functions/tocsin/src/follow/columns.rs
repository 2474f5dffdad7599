//! Tables for people.
//!
//! Invariant: a cell holds no control character, so that no alert's text moves the cursor or colours a terminal.

/// Rows under their header, each column as wide as its widest cell; the last one is not padded.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut lines: Vec<Vec<String>> = vec![header.iter().map(|name| (*name).to_owned()).collect()];
    lines.extend(rows.iter().map(|row| row.iter().map(|cell| clean(cell)).collect()));
    let widths: Vec<usize> = (0..header.len())
        .map(|column| {
            lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for line in &lines {
        let mut row = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            row.push_str(cell);
            row.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.chars().count()) + 2));
        }
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

/// The text on one line, without control characters.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_nothing_moves_the_cursor() {
        let rows = [vec!["1".to_owned(), "ä\u{1b}[31m\nb".to_owned()], vec!["1000".to_owned(), String::new()]];
        assert_eq!(table(&["N", "WHAT"], &rows), "N     WHAT\n1     ä [31m b\n1000\n");
    }
}
