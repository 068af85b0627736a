//! How results fit into the width that is there: the terminal's, or what `COLUMNS` says.

use std::fmt;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Row};

/// Narrower than this nothing is made to fit.
const MIN_COLUMNS: usize = 40;
/// Width of text where nobody says how much there is.
const TEXT_COLUMNS: usize = 110;
/// A last column is wrapped rather than the table turned on its side, unless less than this is left for it.
const LAST_COLUMN: usize = 24;
/// Blanks and line beside a cell.
const CELL_FRAME: usize = 3;

/// The width to fit into; `None` where output goes to no terminal and nothing says otherwise.
pub fn columns() -> Option<usize> {
    let asked = std::env::var("COLUMNS").ok().and_then(|text| text.trim().parse().ok());
    asked.or_else(|| comfy_table::Table::new().width().map(usize::from)).map(|columns| columns.max(MIN_COLUMNS))
}

/// A table in the house's look; where it does not fit, each row becomes lines of their own, one for each column.
#[derive(Debug, Clone)]
pub struct Table(comfy_table::Table);

impl Table {
    /// Without rows.
    pub fn new(header: &[&str]) -> Self {
        let mut table = comfy_table::Table::new();
        table.load_preset(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
        Self(table)
    }

    /// Adds a row.
    pub fn add_row(&mut self, row: impl Into<Row>) {
        self.0.add_row(row);
    }

    /// Whether it fits into `columns`, its last column wrapped if need be.
    fn fits(&self, columns: usize) -> bool {
        let mut widths: Vec<usize> = self.0.column_max_content_widths().into_iter().map(usize::from).collect();
        if let Some(last) = widths.last_mut() {
            *last = LAST_COLUMN.min(*last);
        }
        widths.iter().map(|width| width + CELL_FRAME).sum::<usize>() < columns
    }

    /// As wide as `columns`, or as it likes to be.
    fn shown(&self, columns: Option<usize>) -> String {
        match columns {
            Some(columns) if !self.fits(columns) => self.rows_as_lines(columns),
            Some(columns) => {
                let mut table = self.0.clone();
                table.set_width(u16::try_from(columns).unwrap_or(u16::MAX));
                table.trim_fmt()
            }
            None => self.0.trim_fmt(),
        }
    }

    fn rows_as_lines(&self, columns: usize) -> String {
        let cells = |row: &Row| row.cell_iter().map(|cell| cell.content().replace('\n', " ")).collect::<Vec<_>>();
        let header = self.0.header().map(cells).unwrap_or_default();
        let indent = header.iter().map(|name| name.chars().count()).max().unwrap_or(0) + 2;
        let mut lines = Vec::new();
        for row in self.0.row_iter() {
            for (name, value) in header.iter().zip(cells(row)).filter(|(_, value)| !value.is_empty()) {
                lines.push(hanging(&format!("{name:indent$}"), &value, columns));
            }
            lines.push(String::new());
        }
        lines.pop();
        lines.join("\n")
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown(columns()))
    }
}

/// A paragraph in lines that fit.
pub fn text(words: &str) -> String {
    item("", words)
}

/// A paragraph behind `head`, in lines that fit.
pub fn item(head: &str, words: &str) -> String {
    hanging(head, words, columns().unwrap_or(TEXT_COLUMNS).min(TEXT_COLUMNS))
}

/// `words` behind `head`, in lines that fit into `columns`, each below the other. A word that is longer than that stays whole: a
/// hash is there to be copied.
pub fn hanging(head: &str, words: &str, columns: usize) -> String {
    let indent = head.chars().count();
    let (mut text, mut used) = (head.to_owned(), indent);
    for word in words.split_whitespace() {
        let width = word.chars().count();
        if used > indent && used + 1 + width > columns {
            text.push('\n');
            text.push_str(&" ".repeat(indent));
            used = indent;
        }
        if used > indent {
            text.push(' ');
            used += 1;
        }
        text.push_str(word);
        used += width;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widest(text: &str) -> usize {
        text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
    }

    #[test]
    fn a_table_that_is_too_wide_is_turned_on_its_side() {
        let mut table = Table::new(&["period start\n(UTC)", "collateral ratio", "what happened in the period"]);
        table.add_row(["2026-01-05T00:00Z", "169.39 % → 165.00 %", "✓ Low 4.04 bps"]);
        table.add_row(["2026-01-05T04:00Z", "", "not over yet"]);
        assert!(table.shown(None).contains("┆ 169.39 % → 165.00 % ┆"), "{}", table.shown(None));
        assert!(widest(&table.shown(Some(80))) <= 80 && table.shown(Some(80)).contains('│'));
        let narrow = table.shown(Some(60));
        let expected = "period start (UTC)           2026-01-05T00:00Z\n\
                        collateral ratio             169.39 % → 165.00 %\n\
                        what happened in the period  ✓ Low 4.04 bps\n\n\
                        period start (UTC)           2026-01-05T04:00Z\n\
                        what happened in the period  not over yet";
        assert_eq!(narrow, expected);
    }

    #[test]
    fn a_long_last_column_is_wrapped() {
        let mut table = Table::new(&["period", "why"]);
        table.add_row(["122748", "the node of chain.rpc_url does not answer, and nothing else does either"]);
        let shown = table.shown(Some(44));
        assert!(widest(&shown) <= 44 && shown.contains('│'), "{shown}");
    }

    #[test]
    fn words_hang_below_each_other_and_none_is_broken() {
        assert_eq!(hanging("fail  ", "one two three", 15), "fail  one two\n      three");
        assert_eq!(hanging("", "0x0123456789 is long", 8), "0x0123456789\nis long");
    }
}
