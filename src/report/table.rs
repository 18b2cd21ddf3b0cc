//! Columns that line up, and fit.

use std::fmt;

use super::wrap::{padded, width, wrapped};

/// The space between two columns.
const GAP: usize = 2;

/// Between two cells of a line that follows a row.
const SEPARATOR: &str = " · ";

/// A table: a row of heads, then rows, columns two spaces apart. Column width is counted as a
/// terminal shows it; a line never ends in a space. A column that is empty in every row is left
/// out.
///
/// Where a terminal is too narrow, columns leave the rows, those named by [`Table::first_to_leave`]
/// first, then from the right. Their cells follow each row on lines of their own, with their heads:
/// `  commit: 3f2a91c07 · by: ann@laptop`. Nothing is left out, and no word is broken.
#[derive(Debug, Clone)]
pub struct Table {
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
    right: Vec<bool>,
    leave: Vec<usize>,
}

/// A table with these heads.
#[must_use]
pub fn table<H: Into<String>>(heads: impl IntoIterator<Item = H>) -> Table {
    let heads: Vec<String> = heads.into_iter().map(Into::into).collect();
    Table {
        right: vec![false; heads.len()],
        heads,
        rows: Vec::new(),
        leave: Vec::new(),
    }
}

impl Table {
    /// Aligns a column (counted from 0) to the right, as numbers want it.
    #[must_use]
    pub fn right(mut self, column: usize) -> Self {
        if let Some(right) = self.right.get_mut(column) {
            *right = true;
        }
        self
    }

    /// The columns (counted from 0) that leave the rows before all others where there is not room
    /// for all, in this order.
    #[must_use]
    pub fn first_to_leave(mut self, columns: impl IntoIterator<Item = usize>) -> Self {
        self.leave = columns.into_iter().collect();
        self
    }

    /// Adds a row; missing cells are empty, cells beyond the heads are dropped.
    pub fn row<C: Into<String>>(&mut self, cells: impl IntoIterator<Item = C>) {
        let mut cells: Vec<String> = cells.into_iter().map(Into::into).collect();
        cells.resize(self.heads.len(), String::new());
        self.rows.push(cells);
    }

    /// Whether it has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines, the heads first, on a terminal of so many `columns`; `None`: as wide as it gets.
    #[must_use]
    pub fn lines(&self, columns: Option<usize>) -> Vec<String> {
        let shown: Vec<usize> = (0..self.heads.len())
            .filter(|&column| self.rows.iter().any(|row| !row[column].is_empty()))
            .collect();
        let (inside, outside) = self.divided(shown, columns);
        let widths: Vec<(usize, usize)> = inside
            .iter()
            .map(|&column| (column, self.width_of(column)))
            .collect();
        let mut lines = vec![self.line(&self.heads, &widths)];
        for row in &self.rows {
            lines.push(self.line(row, &widths));
            lines.extend(self.following(row, &outside, columns));
        }
        // A row whose cells have all left it is not a line.
        lines.retain(|line| !line.is_empty());
        lines
    }

    /// The columns that stay in the rows, and those that leave them; both in their order.
    fn divided(&self, shown: Vec<usize>, columns: Option<usize>) -> (Vec<usize>, Vec<usize>) {
        let Some(columns) = columns else {
            return (shown, Vec::new());
        };
        let importance = |column: &usize| {
            let leaves = self.leave.iter().position(|other| other == column);
            (leaves.is_some(), leaves.map(std::cmp::Reverse), *column)
        };
        let mut order = shown.clone();
        order.sort_by_key(importance);
        let (mut taken, mut inside) = (0, Vec::new());
        for column in order {
            let gap = if inside.is_empty() { 0 } else { GAP };
            let takes = gap + self.width_of(column);
            // The first column names the row, however long it is.
            if inside.is_empty() || taken + takes <= columns {
                taken += takes;
                inside.push(column);
            }
        }
        shown
            .into_iter()
            .partition(|column| inside.contains(column))
    }

    fn width_of(&self, column: usize) -> usize {
        std::iter::once(&self.heads)
            .chain(&self.rows)
            .map(|row| width(&row[column]))
            .max()
            .unwrap_or(0)
    }

    fn line(&self, row: &[String], widths: &[(usize, usize)]) -> String {
        let mut line = String::new();
        for (at, &(column, width_of_column)) in widths.iter().enumerate() {
            if at > 0 {
                line.push_str(&" ".repeat(GAP));
            }
            let cell = &row[column];
            if self.right[column] {
                line.push_str(&" ".repeat(width_of_column.saturating_sub(width(cell))));
                line.push_str(cell);
            } else {
                line.push_str(&padded(cell, width_of_column));
            }
        }
        line.truncate(line.trim_end().len());
        line
    }

    /// The cells that have left a row.
    fn following(&self, row: &[String], outside: &[usize], columns: Option<usize>) -> Vec<String> {
        let mut lines = Vec::new();
        let mut line = String::new();
        let told = outside.iter().filter(|&&column| !row[column].is_empty());
        for &column in told {
            let head = self.heads[column].to_lowercase();
            let item = match head.as_str() {
                "" => row[column].clone(),
                head => format!("{head}: {}", row[column]),
            };
            let joined = match line.is_empty() {
                true => format!("  {item}"),
                false => format!("{line}{SEPARATOR}{item}"),
            };
            if !line.is_empty() && columns.is_some_and(|columns| width(&joined) > columns) {
                lines.extend(wrapped(&line, columns, 4));
                line = format!("  {item}");
            } else {
                line = joined;
            }
        }
        if !line.is_empty() {
            lines.extend(wrapped(&line, columns, 4));
        }
        lines
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines(None)
            .iter()
            .try_for_each(|line| writeln!(f, "{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{table, width};

    #[test]
    fn columns_line_up_and_no_line_ends_in_a_space() {
        let mut releases = table(["release", "size", "note", "state"]).right(1);
        releases.row(["v42", "1.2 MB", "", "good"]);
        releases.row(["v7", "48 kB", "", ""]);
        releases.row(["v8"]);
        assert_eq!(
            releases.to_string(),
            "release    size  state\n\
             v42      1.2 MB  good\n\
             v7        48 kB\n\
             v8\n"
        );
    }

    #[test]
    fn an_empty_first_cell_keeps_its_column() {
        let mut lines = table(["a", "b"]);
        lines.row(["", "x"]);
        lines.row(["long", "y"]);
        assert_eq!(lines.to_string(), "a     b\n      x\nlong  y\n");
    }

    #[test]
    fn wide_characters_and_combining_marks_line_up() {
        let mut releases = table(["subject", "by"]);
        releases.row(["修复登录", "ann"]);
        releases.row(["Cafe\u{301}", "bob"]);
        assert_eq!(
            releases.to_string(),
            "subject   by\n修复登录  ann\nCafe\u{301}      bob\n"
        );
    }

    #[test]
    fn columns_that_do_not_fit_follow_their_row() {
        let mut history = table(["WHEN", "WHAT", "NOTES", "BY"]).first_to_leave([2]);
        history.row([
            "3 minutes ago",
            "deploy",
            "not healthy within 30s",
            "ann@laptop",
        ]);
        history.row(["1 hour ago", "rollback", "", "bob@ci"]);
        assert_eq!(
            history.lines(Some(40)).join("\n"),
            "WHEN           WHAT      BY\n\
             3 minutes ago  deploy    ann@laptop\n  notes: not healthy within 30s\n\
             1 hour ago     rollback  bob@ci"
        );
        assert_eq!(
            history.lines(Some(20)).join("\n"),
            "WHEN\n\
             3 minutes ago\n  what: deploy\n  notes: not healthy\n    within 30s\n  by: ann@laptop\n\
             1 hour ago\n  what: rollback\n  by: bob@ci"
        );
    }

    /// Every width, with cells of every length: no line is too wide but for a single word that is,
    /// and every word is there once.
    #[test]
    fn it_fits_every_width_and_loses_nothing() {
        let words = [
            "v42",
            "deploy@web1.eu-central-1.compute.example.com",
            "修复登录",
            "is",
            "x",
        ];
        let cell = |from: usize, count: usize| {
            let each = (from..from + count).map(|at| words[at % words.len()]);
            each.collect::<Vec<_>>().join(" ")
        };
        for columns in 20..130 {
            for seed in 0..12 {
                let mut rows = table(["a", "b", "c", "d", "e"]).first_to_leave([3, 1]);
                rows.row([
                    cell(seed, 1),
                    cell(seed + 1, 3),
                    cell(2, seed),
                    cell(4, 9),
                    cell(3, 1),
                ]);
                let lines = rows.lines(Some(columns));
                let all = lines[1..].join(" ");
                let count = |word: &str| all.split_whitespace().filter(|w| *w == word).count();
                let given = rows.rows[0].join(" ");
                for word in words {
                    let wanted = given.split_whitespace().filter(|w| *w == word).count();
                    assert_eq!(count(word), wanted, "{word} at {columns}: {lines:#?}");
                }
                for line in &lines {
                    let words = line.split_whitespace().filter(|word| !word.ends_with(':'));
                    let is_one_word = words.count() == 1;
                    assert!(
                        width(line) <= columns || is_one_word,
                        "{columns}: {lines:#?}"
                    );
                }
            }
        }
    }
}
